"""Which types of policy an organization has enabled at its root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.organizations.organization_policies import PolicyType
from crownkeep.storage.rows import RowInsert

table = Table(
    "organization_policy_types",
    metadata,
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("type", PolicyType, nullable=False),
    Column("enabled_at", Moment, nullable=False),
    PrimaryKeyConstraint("organization_id", "type"),
)


@dataclass(frozen=True, slots=True)
class PolicyTypeRow:
    """One type that is enabled. `account_id` is the management account."""

    organization_id: str
    account_id: str
    type: str
    enabled_at: datetime


_of_organization = (
    select(table.c.type).where(table.c.organization_id == bindparam("organization_id")).order_by(table.c.enabled_at, table.c.type)
)
_remove = delete(table).where(table.c.organization_id == bindparam("of_organization"), table.c.type == bindparam("of_type"))
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(PolicyTypeRow, table)


def enabled(db: Transaction, organization_id: str) -> list[str]:
    """Return the types that are enabled, in the order in which they were."""
    return list(db.execute(_of_organization, {"organization_id": organization_id}).scalars())


def add(db: Transaction, row: PolicyTypeRow) -> None:
    """Keep that a type is enabled."""
    _insert.run(db, row)


def remove(db: Transaction, organization_id: str, policy_type: str) -> bool:
    """Forget that a type is enabled; returns whether it was."""
    return db.execute(_remove, {"of_organization": organization_id, "of_type": policy_type}).rowcount > 0


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every type of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
