"""An organization's own resource policy: what it delegates of Organizations itself to its members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "organization_resource_policies",
    metadata,
    Column("organization_id", OrganizationId, primary_key=True),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("policy_id", OrganizationId, nullable=False),
    Column("document", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ResourcePolicyRow:
    """The resource policy (`rp-...`) of one organization. `account_id` is the management account."""

    organization_id: str
    account_id: str
    policy_id: str
    document: str
    updated_at: datetime


_of_organization = RowQuery(ResourcePolicyRow, select(table).where(table.c.organization_id == bindparam("organization_id")))
_set_document = (
    update(table)
    .where(table.c.organization_id == bindparam("of_organization"))
    .values(document=bindparam("new_document"), updated_at=bindparam("at"))
)
_remove = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(ResourcePolicyRow, table)


def of_organization(db: Transaction, organization_id: str) -> ResourcePolicyRow | None:
    """Return an organization's resource policy."""
    return _of_organization.first(db, {"organization_id": organization_id})


def add(db: Transaction, row: ResourcePolicyRow) -> None:
    """Keep the first resource policy of an organization."""
    _insert.run(db, row)


def set_document(db: Transaction, organization_id: str, document: str, *, at: datetime) -> None:
    """Put another document in the place of the one that is kept."""
    db.execute(_set_document, {"of_organization": organization_id, "new_document": document, "at": at})


def remove(db: Transaction, organization_id: str) -> None:
    """Forget an organization's resource policy."""
    db.execute(_remove, {"of_organization": organization_id})
