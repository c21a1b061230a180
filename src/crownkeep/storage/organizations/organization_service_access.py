"""Trusted access: the services that an organization lets work in all its accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

_ServicePrincipal = String(128).with_variant(String(128, collation="C"), "postgresql")

table = Table(
    "organization_service_access",
    metadata,
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("service_principal", _ServicePrincipal, nullable=False),
    Column("enabled_at", Moment, nullable=False),
    PrimaryKeyConstraint("organization_id", "service_principal"),
)


@dataclass(frozen=True, slots=True)
class ServiceAccessRow:
    """One service with trusted access, such as `iam.amazonaws.com`. `account_id` is the management account."""

    organization_id: str
    account_id: str
    service_principal: str
    enabled_at: datetime


_in_organization = table.c.organization_id == bindparam("organization_id")
_is_enabled = select(table.c.enabled_at).where(_in_organization, table.c.service_principal == bindparam("service_principal"))
_page = RowQuery(
    ServiceAccessRow,
    select(table)
    .where(_in_organization, table.c.service_principal > bindparam("after"))
    .order_by(table.c.service_principal)
    .limit(bindparam("limit")),
)
_remove = delete(table).where(
    table.c.organization_id == bindparam("of_organization"), table.c.service_principal == bindparam("of_service")
)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(ServiceAccessRow, table)


def is_enabled(db: Transaction, organization_id: str, service_principal: str) -> bool:
    """Tell whether a service has trusted access in an organization."""
    values = {"organization_id": organization_id, "service_principal": service_principal}
    return db.execute(_is_enabled, values).first() is not None


def page(db: Transaction, organization_id: str, *, after: str, limit: int) -> list[ServiceAccessRow]:
    """Return up to `limit` services with trusted access in the order of their principals, from the one after `after`."""
    values = {"organization_id": organization_id, "after": after, "limit": limit}
    return _page.all(db, values)


def add(db: Transaction, row: ServiceAccessRow) -> None:
    """Keep that a service has trusted access."""
    _insert.run(db, row)


def remove(db: Transaction, organization_id: str, service_principal: str) -> None:
    """Forget that a service has trusted access."""
    db.execute(_remove, {"of_organization": organization_id, "of_service": service_principal})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every service's trusted access in an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
