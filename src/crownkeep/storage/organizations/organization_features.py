"""Which features of central root access an organization has switched on, whether or not they are in force just now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert

table = Table(
    "organization_features",
    metadata,
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("feature", String(64), nullable=False),
    Column("enabled_at", Moment, nullable=False),
    PrimaryKeyConstraint("organization_id", "feature"),
)


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature: `RootCredentialsManagement` or `RootSessions`. `account_id` is the management account."""

    organization_id: str
    account_id: str
    feature: str
    enabled_at: datetime


_of_organization = (
    select(table.c.feature).where(table.c.organization_id == bindparam("organization_id")).order_by(table.c.feature)
)
_remove = delete(table).where(table.c.organization_id == bindparam("of_organization"), table.c.feature == bindparam("of_feature"))
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(FeatureRow, table)


def enabled(db: Transaction, organization_id: str) -> list[str]:
    """Return the features that are switched on, by name."""
    return list(db.execute(_of_organization, {"organization_id": organization_id}).scalars())


def add(db: Transaction, row: FeatureRow) -> None:
    """Keep that a feature is switched on."""
    _insert.run(db, row)


def remove(db: Transaction, organization_id: str, feature: str) -> None:
    """Forget that a feature is switched on."""
    db.execute(_remove, {"of_organization": organization_id, "of_feature": feature})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget the features of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
