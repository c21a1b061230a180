"""Applications of account access (AWS's account access manager): an instance has one at most, and entitlements are of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.instances import InstanceId

ApplicationId = String(16)

table = Table(
    "access_applications",
    metadata,
    Column("application_id", ApplicationId, primary_key=True),
    # The account that owns the instance.
    Column("account_id", AccountId, nullable=False, unique=True),
    Column("instance_id", InstanceId, nullable=False, unique=True),
    Column("tenant_id", String(24), nullable=False, unique=True),
    Column("region", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AccessApplicationRow:
    """One application of one instance."""

    application_id: str
    account_id: str
    instance_id: str
    tenant_id: str
    """By which programs name it: `aa-` and letters."""
    region: str
    created_at: datetime
    updated_at: datetime


_with_id = RowQuery(AccessApplicationRow, select(table).where(table.c.application_id == bindparam("of_application")))
_of_instance = RowQuery(AccessApplicationRow, select(table).where(table.c.instance_id == bindparam("of_instance")))
_insert = RowInsert(AccessApplicationRow, table)
_touch = update(table).where(table.c.application_id == bindparam("of_application")).values(updated_at=bindparam("at"))
_remove = delete(table).where(table.c.application_id == bindparam("of_application"))


def with_id(db: Transaction, application_id: str) -> AccessApplicationRow | None:
    """Return the application with this id, whoever owns it."""
    return _with_id.first(db, {"of_application": application_id})


def of_instance(db: Transaction, instance_id: str) -> AccessApplicationRow | None:
    """Return an instance's application."""
    return _of_instance.first(db, {"of_instance": instance_id})


def add(db: Transaction, row: AccessApplicationRow) -> None:
    """Keep a new application; the database refuses a second one of an instance."""
    _insert.run(db, row)


def touch(db: Transaction, application_id: str, *, at: datetime) -> None:
    """Keep when an application was changed."""
    db.execute(_touch, {"of_application": application_id, "at": at})


def remove(db: Transaction, application_id: str) -> None:
    """Forget an application's own row."""
    db.execute(_remove, {"of_application": application_id})
