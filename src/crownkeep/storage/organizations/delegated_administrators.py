"""Delegated administrators: members that administer a service for their whole organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, bindparam, delete, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

_ServicePrincipal = String(128).with_variant(String(128, collation="C"), "postgresql")

table = Table(
    "delegated_administrators",
    metadata,
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("delegate_id", AccountId, nullable=False),
    Column("service_principal", _ServicePrincipal, nullable=False),
    Column("delegated_at", Moment, nullable=False),
    PrimaryKeyConstraint("organization_id", "delegate_id", "service_principal"),
    Index(None, "organization_id", "service_principal"),
)


@dataclass(frozen=True, slots=True)
class DelegationRow:
    """That the member `delegate_id` administers one service. `account_id` is the management account."""

    organization_id: str
    account_id: str
    delegate_id: str
    service_principal: str
    delegated_at: datetime


@dataclass(frozen=True, slots=True)
class DelegateRow:
    """A member that administers something, and since when."""

    delegate_id: str
    delegated_at: datetime


_in_organization = table.c.organization_id == bindparam("organization_id")
_of_delegate = (_in_organization, table.c.delegate_id == bindparam("delegate_id"))
_for_service = table.c.service_principal == bindparam("service_principal")
_is_delegate = select(table.c.delegate_id).where(*_of_delegate).limit(1)
_is_delegate_for = select(table.c.delegate_id).where(*_of_delegate, _for_service)
_services_page = RowQuery(
    DelegationRow,
    select(table)
    .where(*_of_delegate, table.c.service_principal > bindparam("after"))
    .order_by(table.c.service_principal)
    .limit(bindparam("limit")),
)
_delegates = (
    select(table.c.delegate_id, func.min(table.c.delegated_at, type_=Moment).label("delegated_at"))
    .where(_in_organization, table.c.delegate_id > bindparam("after"))
    .group_by(table.c.delegate_id)
    .order_by(table.c.delegate_id)
    .limit(bindparam("limit"))
)
_delegates_page = RowQuery(DelegateRow, _delegates)
_delegates_page_for = RowQuery(DelegateRow, _delegates.where(_for_service))
_count_for = select(func.count()).select_from(table).where(_in_organization, _for_service)
_remove = delete(table).where(
    table.c.organization_id == bindparam("of_organization"),
    table.c.delegate_id == bindparam("of_delegate"),
    table.c.service_principal == bindparam("of_service"),
)
_remove_delegate = delete(table).where(
    table.c.organization_id == bindparam("of_organization"), table.c.delegate_id == bindparam("of_delegate")
)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(DelegationRow, table)


def is_delegate(db: Transaction, organization_id: str, delegate_id: str) -> bool:
    """Tell whether a member administers any service."""
    return db.execute(_is_delegate, {"organization_id": organization_id, "delegate_id": delegate_id}).first() is not None


def is_delegate_for(db: Transaction, organization_id: str, delegate_id: str, service_principal: str) -> bool:
    """Tell whether a member administers this service."""
    values = {"organization_id": organization_id, "delegate_id": delegate_id, "service_principal": service_principal}
    return db.execute(_is_delegate_for, values).first() is not None


def services_page(db: Transaction, organization_id: str, delegate_id: str, *, after: str, limit: int) -> list[DelegationRow]:
    """Return up to `limit` services that a member administers in the order of their principals, from the one after `after`."""
    values = {"organization_id": organization_id, "delegate_id": delegate_id, "after": after, "limit": limit}
    return _services_page.all(db, values)


def delegates_page(
    db: Transaction, organization_id: str, *, service_principal: str | None, after: str, limit: int
) -> list[DelegateRow]:
    """Return up to `limit` members that administer this service, or any, by their ids, from the one after `after`."""
    values: dict[str, object] = {"organization_id": organization_id, "after": after, "limit": limit}
    if service_principal is None:
        return _delegates_page.all(db, values)
    values["service_principal"] = service_principal
    return _delegates_page_for.all(db, values)


def count_for(db: Transaction, organization_id: str, service_principal: str) -> int:
    """Return how many members administer a service."""
    values = {"organization_id": organization_id, "service_principal": service_principal}
    return int(db.execute(_count_for, values).scalar_one())


def add(db: Transaction, row: DelegationRow) -> None:
    """Keep that a member administers a service."""
    _insert.run(db, row)


def remove(db: Transaction, organization_id: str, delegate_id: str, service_principal: str) -> None:
    """Forget that a member administers a service."""
    db.execute(_remove, {"of_organization": organization_id, "of_delegate": delegate_id, "of_service": service_principal})


def remove_delegate(db: Transaction, organization_id: str, delegate_id: str) -> None:
    """Forget everything that a member administers."""
    db.execute(_remove_delegate, {"of_organization": organization_id, "of_delegate": delegate_id})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every delegate of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
