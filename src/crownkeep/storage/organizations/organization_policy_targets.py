"""What organization policies are attached to: roots, units and accounts; and what that puts in force for an account.

Whoever changes an attachment, a policy or an enabled type calls `touch_under` or `touch_where_attached` in the same transaction:
one statement gives every account below a fresh revision, so that what was changed is in force on the next request of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    union_all,
    update,
)

from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.organizations import (
    organization_accounts,
    organization_policies,
    organization_policy_types,
    organization_subtrees,
    organizational_units,
)
from crownkeep.storage.organizations.organization_policies import OrganizationPolicyRow, PolicyType
from crownkeep.storage.rows import RowInsert, RowQuery, optional_part, part

table = Table(
    "organization_policy_targets",
    metadata,
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("target_id", OrganizationId, nullable=False),
    Column("policy_id", OrganizationId, nullable=False),
    Column("type", PolicyType, nullable=False),
    Column("attached_at", Moment, nullable=False),
    PrimaryKeyConstraint("organization_id", "target_id", "policy_id"),
    Index(None, "organization_id", "policy_id", "target_id"),
)


@dataclass(frozen=True, slots=True)
class PolicyTargetRow:
    """One attachment. `account_id` is the management account; AWS's own policies are attached by rows as well."""

    organization_id: str
    account_id: str
    target_id: str
    """Of a root (`r-...`), a unit (`ou-...`) or an account (twelve digits)."""
    policy_id: str
    type: str
    attached_at: datetime


@dataclass(frozen=True, slots=True)
class NamedTargetRow:
    """What a policy is attached to, and what that is called."""

    target_id: str
    name: str | None
    """None of a root."""


@dataclass(frozen=True, slots=True)
class AttachedRow:
    """What is attached to something; `policy` is None for AWS's own, which the catalogue has."""

    policy_id: str
    policy: OrganizationPolicyRow | None


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A type that is enabled, and a policy of it somewhere above an account; the latter is None where there is none at all."""

    type: str
    target_id: str | None
    policy_id: str | None
    name: str | None
    content: str | None
    """None of AWS's own policies, whose content is in the catalogue."""


@dataclass(frozen=True, slots=True)
class MergedRow:
    """A policy of a merged type that is attached above an account, or to it."""

    target_id: str
    attached_at: datetime
    policy: OrganizationPolicyRow


_policies = organization_policies.table
_types = organization_policy_types.table
_members = organization_accounts.table
_in_organization = table.c.organization_id == bindparam("organization_id")
_same_policy = and_(_policies.c.organization_id == table.c.organization_id, _policies.c.policy_id == table.c.policy_id)
_on_the_way = table.c.target_id.in_(bindparam("way", expanding=True))

# One query for all control policies above an account. Enabled types come first, so that a level without any policy of an enabled
# type is seen as what it is (nothing is allowed) and not as a type that is switched off.
_control_policies = RowQuery(
    ControlRow,
    select(_types.c.type, table.c.target_id, table.c.policy_id, _policies.c.name, _policies.c.content)
    .select_from(
        _types.outerjoin(
            table, and_(table.c.organization_id == _types.c.organization_id, table.c.type == _types.c.type, _on_the_way)
        ).outerjoin(_policies, _same_policy)
    )
    .where(_types.c.organization_id == bindparam("organization_id"), _types.c.type.in_(catalogue.CONTROL_TYPES))
    .order_by(table.c.policy_id),
)
_merged = (
    select(table.c.target_id, table.c.attached_at, _policies)
    .join(_policies, _same_policy)
    .where(_in_organization, table.c.type == bindparam("type"), _on_the_way)
    .order_by(table.c.policy_id)
)
_of_target = RowQuery(
    PolicyTargetRow,
    select(table).where(_in_organization, table.c.target_id == bindparam("target_id"), table.c.type == bindparam("type")),
)
_policies_of_target = (
    select(table.c.policy_id.label("attached_id"), _policies)
    .select_from(table.outerjoin(_policies, _same_policy))
    .where(_in_organization, table.c.target_id == bindparam("target_id"), table.c.type == bindparam("type"))
)
_page_of_policy = RowQuery(
    NamedTargetRow,
    select(table.c.target_id, func.coalesce(organizational_units.table.c.name, accounts.table.c.name).label("name"))
    .select_from(
        table.outerjoin(
            organizational_units.table,
            and_(
                organizational_units.table.c.organization_id == table.c.organization_id,
                organizational_units.table.c.unit_id == table.c.target_id,
            ),
        ).outerjoin(accounts.table, accounts.table.c.account_id == table.c.target_id)
    )
    .where(_in_organization, table.c.policy_id == bindparam("policy_id"), table.c.target_id > bindparam("after"))
    .order_by(table.c.target_id)
    .limit(bindparam("limit")),
)
_merged_policy = part(OrganizationPolicyRow, _merged, _policies)
_own_policy = optional_part(OrganizationPolicyRow, _policies_of_target, _policies)
_is_attached = select(table.c.target_id).where(_in_organization, table.c.policy_id == bindparam("policy_id")).limit(1)
_on_target = (table.c.organization_id == bindparam("of_organization"), table.c.target_id == bindparam("of_target"))
_remove = delete(table).where(*_on_target, table.c.policy_id == bindparam("of_policy"))
_remove_of_target = delete(table).where(*_on_target)
_remove_of_type = delete(table).where(
    table.c.organization_id == bindparam("of_organization"), table.c.type == bindparam("of_type")
)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))

_everything = union_all(
    select(bindparam("root_id", type_=String).label("target_id")),
    select(organizational_units.table.c.unit_id).where(
        organizational_units.table.c.organization_id == bindparam("of_organization")
    ),
    select(_members.c.account_id).where(_members.c.organization_id == bindparam("of_organization")),
).subquery()
_attach_everywhere = insert(table).from_select(
    ["organization_id", "account_id", "target_id", "policy_id", "type", "attached_at"],
    select(
        bindparam("of_organization", type_=String),
        bindparam("of_account", type_=String),
        _everything.c.target_id,
        bindparam("of_policy", type_=String),
        bindparam("of_type", type_=String),
        bindparam("at", type_=Moment),
    ),
)
_insert = RowInsert(PolicyTargetRow, table)


def _touch(chosen: Select[tuple[str]]) -> Update:
    return update(accounts.table).where(accounts.table.c.account_id.in_(chosen)).values(revision=bindparam("fresh_revision"))


_touch_under = _touch(organization_subtrees.accounts_under("of_target"))
_touch_where_attached = _touch(
    organization_subtrees.accounts_under_any(
        select(table.c.target_id.label("entity_id")).where(
            table.c.organization_id == bindparam("of_organization"), table.c.policy_id == bindparam("of_policy")
        )
    )
)


def control_policies(db: Transaction, organization_id: str, way: Sequence[str]) -> list[ControlRow]:
    """Return every policy of the enabled control types on the way from a root to an account, in one query."""
    return _control_policies.all(db, {"organization_id": organization_id, "way": list(way)})


def merged_policies(db: Transaction, organization_id: str, policy_type: str, way: Sequence[str]) -> list[MergedRow]:
    """Return every policy of a merged type on the way from a root to an entity, in one query."""
    values = {"organization_id": organization_id, "type": policy_type, "way": list(way)}
    rows = db.execute(_merged, values)
    return [MergedRow(row.target_id, row.attached_at, _merged_policy(row)) for row in rows]


def of_target(db: Transaction, organization_id: str, target_id: str, policy_type: str) -> list[PolicyTargetRow]:
    """Return what of one type is attached to a root, unit or account itself."""
    values = {"organization_id": organization_id, "target_id": target_id, "type": policy_type}
    return _of_target.all(db, values)


def policies_of_target(db: Transaction, organization_id: str, target_id: str, policy_type: str) -> list[AttachedRow]:
    """Return the policies of one type that are attached to a root, unit or account itself, in one query."""
    values = {"organization_id": organization_id, "target_id": target_id, "type": policy_type}
    rows = db.execute(_policies_of_target, values)
    return [AttachedRow(row.attached_id, _own_policy(row)) for row in rows]


def page_of_policy(db: Transaction, organization_id: str, policy_id: str, *, after: str, limit: int) -> list[NamedTargetRow]:
    """Return up to `limit` attachments of a policy in the order of the targets' ids, from the one after `after`."""
    values = {"organization_id": organization_id, "policy_id": policy_id, "after": after, "limit": limit}
    return _page_of_policy.all(db, values)


def is_attached(db: Transaction, organization_id: str, policy_id: str) -> bool:
    """Tell whether a policy is attached to anything."""
    return db.execute(_is_attached, {"organization_id": organization_id, "policy_id": policy_id}).first() is not None


def add(db: Transaction, row: PolicyTargetRow) -> None:
    """Keep a new attachment."""
    _insert.run(db, row)


def attach_defaults(db: Transaction, organization_id: str, account_id: str, target_id: str, *, at: datetime) -> None:
    """Attach what a new root, unit or account has from the start: of each enabled control type, AWS's own policy.

    `account_id` is the management account. Without this a new entity would be allowed nothing.
    """
    for policy_type in organization_policy_types.enabled(db, organization_id):
        default = catalogue.DEFAULTS.get(policy_type)
        if default is not None:
            add(db, PolicyTargetRow(organization_id, account_id, target_id, default.policy_id, policy_type, at))


def attach_everywhere(
    db: Transaction, organization_id: str, account_id: str, policy_id: str, policy_type: str, *, root_id: str, at: datetime
) -> None:
    """Attach a policy to the root, every unit and every account, in one statement; none of them has one of its type yet."""
    values = {"of_organization": organization_id, "of_account": account_id, "of_policy": policy_id, "of_type": policy_type}
    db.execute(_attach_everywhere, {**values, "root_id": root_id, "at": at})


def remove(db: Transaction, organization_id: str, target_id: str, policy_id: str) -> bool:
    """Forget an attachment; returns whether there was one."""
    values = {"of_organization": organization_id, "of_target": target_id, "of_policy": policy_id}
    return db.execute(_remove, values).rowcount > 0


def remove_of_target(db: Transaction, organization_id: str, target_id: str) -> None:
    """Forget what is attached to a unit or account that leaves the organization."""
    db.execute(_remove_of_target, {"of_organization": organization_id, "of_target": target_id})


def remove_of_type(db: Transaction, organization_id: str, policy_type: str) -> None:
    """Forget every attachment of a type that is disabled."""
    db.execute(_remove_of_type, {"of_organization": organization_id, "of_type": policy_type})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every attachment in an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})


def touch_under(db: Transaction, organization_id: str, target_id: str, revision: int) -> None:
    """Give an account, or every account below a root or unit, a fresh revision: every cache of them is void at commit."""
    values = {"of_organization": organization_id, "of_target": target_id, "fresh_revision": revision}
    db.execute(_touch_under, values)


def touch_where_attached(db: Transaction, organization_id: str, policy_id: str, revision: int) -> None:
    """Give every account that a policy applies to a fresh revision, before the policy changes."""
    values = {"of_organization": organization_id, "of_policy": policy_id, "fresh_revision": revision}
    db.execute(_touch_where_attached, values)
