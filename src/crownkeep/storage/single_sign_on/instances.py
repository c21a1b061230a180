"""Instances of single sign-on, each with the identity store that is its directory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

InstanceId = String(32)
StoreId = String(36)

table = Table(
    "sso_instances",
    metadata,
    Column("instance_id", InstanceId, primary_key=True),
    Column("account_id", AccountId, nullable=False, unique=True),
    Column("organization_id", OrganizationId),
    Column("identity_store_id", StoreId, nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("region", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("access_control_attributes", Text),
    Column("permission_sets_enabled", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One instance. `account_id` owns it; `organization_id` is set where it serves a whole organization."""

    instance_id: str
    """Such as `ssoins-0123456789abcdef`."""
    account_id: str
    organization_id: str | None
    identity_store_id: str
    """Such as `d-0123456789`."""
    name: str
    region: str
    """In which Region it was enabled: its only one."""
    created_at: datetime
    access_control_attributes: str | None
    """What becomes session tags, as the JSON text of the API's list; None where that was never configured."""
    permission_sets_enabled: bool


_by_id = RowQuery(InstanceRow, select(table).where(table.c.instance_id == bindparam("instance_id")))
_by_store = RowQuery(InstanceRow, select(table).where(table.c.identity_store_id == bindparam("store_id")))
_of_account = RowQuery(InstanceRow, select(table).where(table.c.account_id == bindparam("account_id")))
_of_organization = RowQuery(InstanceRow, select(table).where(table.c.organization_id == bindparam("organization_id")))
_this = table.c.instance_id == bindparam("of_instance")
_insert = RowInsert(InstanceRow, table)
_rename = update(table).where(_this).values(name=bindparam("new_name"))
_set_attributes = update(table).where(_this).values(access_control_attributes=bindparam("new_attributes"))
_remove = delete(table).where(_this)


def with_id(db: Transaction, instance_id: str) -> InstanceRow | None:
    """Return the instance with this id, whoever owns it."""
    return _by_id.first(db, {"instance_id": instance_id})


def with_store(db: Transaction, store_id: str) -> InstanceRow | None:
    """Return the instance whose directory is this identity store."""
    return _by_store.first(db, {"store_id": store_id})


def of_account(db: Transaction, account_id: str) -> InstanceRow | None:
    """Return the instance that an account owns: it has one at most."""
    return _of_account.first(db, {"account_id": account_id})


def of_organization(db: Transaction, organization_id: str) -> InstanceRow | None:
    """Return the instance that serves an organization."""
    return _of_organization.first(db, {"organization_id": organization_id})


def add(db: Transaction, row: InstanceRow) -> None:
    """Keep a new instance; the database refuses a second one of an account."""
    _insert.run(db, row)


def rename(db: Transaction, instance_id: str, name: str) -> None:
    """Give an instance another name."""
    db.execute(_rename, {"of_instance": instance_id, "new_name": name})


def set_access_control_attributes(db: Transaction, instance_id: str, attributes: str | None) -> None:
    """Set which attributes become session tags, or nothing of it."""
    db.execute(_set_attributes, {"of_instance": instance_id, "new_attributes": attributes})


def remove(db: Transaction, instance_id: str) -> None:
    """Forget an instance's own row."""
    db.execute(_remove, {"of_instance": instance_id})
