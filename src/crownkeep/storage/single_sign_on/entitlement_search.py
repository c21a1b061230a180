"""Entitlements to existing roles as people read them, with the names of accounts, people and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.single_sign_on import principal_names, role_entitlements

_entitled, _accounts = role_entitlements.table.c, accounts.table.c


@dataclass(frozen=True, slots=True)
class NamedEntitlement:
    """One entitlement."""

    entitlement_id: str
    owner_account_id: str
    account_name: str
    role_arn: str
    principal_type: str
    principal_id: str
    principal: str
    """The user name or the group's display name."""


_joined = principal_names.joined(
    role_entitlements.table.join(accounts.table, _accounts.account_id == _entitled.owner_account_id), _entitled.principal_id
)


@cache
def _query(*, by_account: bool, by_principal: bool) -> RowQuery[NamedEntitlement]:
    """Return the query by what is chosen; each is compiled once."""
    wanted: list[Any] = [_entitled.instance_id == bindparam("instance_id"), _entitled.entitlement_id > bindparam("after")]
    if by_account:
        wanted.append(_entitled.owner_account_id == bindparam("owner_account_id"))
    if by_principal:
        wanted.append(_entitled.principal_id.in_(bindparam("principal_ids", expanding=True)))
    statement = (
        select(
            _entitled.entitlement_id,
            _entitled.owner_account_id,
            _accounts.name.label("account_name"),
            _entitled.role_arn,
            _entitled.principal_type,
            _entitled.principal_id,
            principal_names.name(_entitled.principal_id),
        )
        .select_from(_joined)
        .where(*wanted)
        .order_by(_entitled.entitlement_id)
        .limit(bindparam("limit"))
    )
    return RowQuery(NamedEntitlement, statement)


def page(
    db: Transaction,
    instance_id: str,
    store_id: str,
    *,
    owner_account_id: str = "",
    principal_ids: Sequence[str] | None = None,
    after: str,
    limit: int,
) -> list[NamedEntitlement]:
    """Return up to `limit` entitlements by id, from the one after `after`: all, those in an account, those of principals."""
    values: dict[str, object] = {"instance_id": instance_id, "store_id": store_id, "after": after, "limit": limit}
    if owner_account_id:
        values["owner_account_id"] = owner_account_id
    if principal_ids is not None:
        values["principal_ids"] = list(principal_ids)
    return _query(by_account=bool(owner_account_id), by_principal=principal_ids is not None).all(db, values)
