"""An organization's policies of every type, each name once; AWS's own are in the catalogue and have no row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

PolicyType = String(64)
# A letter in lower case can be longer than in upper case.
_NameKey = String(384).with_variant(String(384, collation="C"), "postgresql")

table = Table(
    "organization_policies",
    metadata,
    Column("policy_id", OrganizationId, primary_key=True),
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("type", PolicyType, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", _NameKey, nullable=False),
    Column("description", String(512), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("organization_id", "name_key"),
    Index(None, "organization_id", "type", "name_key"),
)


@dataclass(frozen=True, slots=True)
class OrganizationPolicyRow:
    """One policy. `account_id` is the management account, `name_key` the name in lower case."""

    policy_id: str
    organization_id: str
    account_id: str
    type: str
    """Such as `SERVICE_CONTROL_POLICY`."""
    name: str
    name_key: str
    description: str
    content: str
    created_at: datetime
    updated_at: datetime


_in_organization = table.c.organization_id == bindparam("organization_id")
_by_id = RowQuery(OrganizationPolicyRow, select(table).where(_in_organization, table.c.policy_id == bindparam("policy_id")))
_named = RowQuery(OrganizationPolicyRow, select(table).where(_in_organization, table.c.name_key == bindparam("name_key")))
_page = RowQuery(
    OrganizationPolicyRow,
    select(table)
    .where(_in_organization, table.c.type == bindparam("type"), table.c.name_key > bindparam("after"))
    .order_by(table.c.name_key)
    .limit(bindparam("limit")),
)
_count = select(func.count()).select_from(table).where(_in_organization, table.c.type == bindparam("type"))
_this = (table.c.organization_id == bindparam("of_organization"), table.c.policy_id == bindparam("of_policy"))
_change = (
    update(table)
    .where(*_this)
    .values(
        name=bindparam("new_name"),
        name_key=bindparam("new_name_key"),
        description=bindparam("new_description"),
        content=bindparam("new_content"),
        updated_at=bindparam("at"),
    )
)
_remove = delete(table).where(*_this)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(OrganizationPolicyRow, table)


def with_id(db: Transaction, organization_id: str, policy_id: str) -> OrganizationPolicyRow | None:
    """Return the organization's policy with this id."""
    return _by_id.first(db, {"organization_id": organization_id, "policy_id": policy_id})


def named(db: Transaction, organization_id: str, name: str) -> OrganizationPolicyRow | None:
    """Return the organization's policy with this name, of whatever type, whatever its letters' case."""
    return _named.first(db, {"organization_id": organization_id, "name_key": name.lower()})


def page(db: Transaction, organization_id: str, policy_type: str, *, after: str, limit: int) -> list[OrganizationPolicyRow]:
    """Return up to `limit` policies of a type in the order of their names, from the one after the key `after`."""
    values = {"organization_id": organization_id, "type": policy_type, "after": after, "limit": limit}
    return _page.all(db, values)


def count(db: Transaction, organization_id: str, policy_type: str) -> int:
    """Return how many policies of a type the organization has."""
    return int(db.execute(_count, {"organization_id": organization_id, "type": policy_type}).scalar_one())


def add(db: Transaction, row: OrganizationPolicyRow) -> None:
    """Keep a new policy; it is attached to nothing."""
    _insert.run(db, row)


def change(db: Transaction, row: OrganizationPolicyRow) -> None:
    """Put a policy's name, description and content in the place of those it had."""
    db.execute(
        _change,
        {
            "of_organization": row.organization_id,
            "of_policy": row.policy_id,
            "new_name": row.name,
            "new_name_key": row.name_key,
            "new_description": row.description,
            "new_content": row.content,
            "at": row.updated_at,
        },
    )


def remove(db: Transaction, organization_id: str, policy_id: str) -> None:
    """Forget a policy's own row."""
    db.execute(_remove, {"of_organization": organization_id, "of_policy": policy_id})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every policy of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
