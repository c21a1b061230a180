"""Which control policies of an organization bind an account, by name and by where each is attached; no document is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select

from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import (
    organization_policies,
    organization_policy_targets,
    organization_policy_types,
    organizational_units,
)
from crownkeep.storage.rows import RowQuery


@dataclass(frozen=True, slots=True)
class BindingPolicy:
    """One attachment on the way to an account; a policy without a name is AWS's own."""

    policy_id: str
    type: str
    target_id: str
    name: str | None
    description: str | None
    unit_name: str | None


_targets, _policies = organization_policy_targets.table, organization_policies.table
_types, _units = organization_policy_types.table, organizational_units.table
_on_way = RowQuery(
    BindingPolicy,
    select(
        _targets.c.policy_id,
        _targets.c.type,
        _targets.c.target_id,
        _policies.c.name,
        _policies.c.description,
        _units.c.name.label("unit_name"),
    )
    .select_from(
        _targets.join(_types, and_(_types.c.organization_id == _targets.c.organization_id, _types.c.type == _targets.c.type))
        .outerjoin(
            _policies,
            and_(_policies.c.organization_id == _targets.c.organization_id, _policies.c.policy_id == _targets.c.policy_id),
        )
        .outerjoin(_units, and_(_units.c.organization_id == _targets.c.organization_id, _units.c.unit_id == _targets.c.target_id))
    )
    .where(
        _targets.c.organization_id == bindparam("organization_id"),
        _targets.c.target_id.in_(bindparam("way", expanding=True)),
        _targets.c.type.in_(catalogue.CONTROL_TYPES),
    )
    .order_by(_targets.c.type.desc(), _targets.c.policy_id),
)


def on_way(db: Transaction, organization_id: str, way: Sequence[str]) -> list[BindingPolicy]:
    """Return every policy of the enabled control types on the way from a root to an account, in one query."""
    return _on_way.all(db, {"organization_id": organization_id, "way": list(way)})
