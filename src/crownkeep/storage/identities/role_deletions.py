"""Deletion tasks of service-linked roles: what became of each, for as long as somebody may ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "role_deletions",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("task_id", String(1000), nullable=False),
    Column("role_arn", AnyArn, nullable=False),
    Column("status", String(16), nullable=False),
    Column("asked_at", Moment, nullable=False),
    PrimaryKeyConstraint("account_id", "task_id"),
)


@dataclass(frozen=True, slots=True)
class RoleDeletionRow:
    """One deletion task; `status` is one of the model's, such as `SUCCEEDED`."""

    account_id: str
    task_id: str
    role_arn: str
    status: str
    asked_at: datetime


_in_account = table.c.account_id == bindparam("account_id")
_with_id = RowQuery(RoleDeletionRow, select(table).where(_in_account, table.c.task_id == bindparam("task_id")))
_remove_before = delete(table).where(_in_account, table.c.asked_at < bindparam("moment"))
_insert = RowInsert(RoleDeletionRow, table)


def with_id(db: Transaction, account_id: str, task_id: str) -> RoleDeletionRow | None:
    """Return the account's task with this id."""
    return _with_id.first(db, {"account_id": account_id, "task_id": task_id})


def add(db: Transaction, row: RoleDeletionRow) -> None:
    """Keep a task."""
    _insert.run(db, row)


def remove_before(db: Transaction, account_id: str, moment: datetime) -> None:
    """Forget the account's tasks that were asked for before a moment."""
    db.execute(_remove_before, {"account_id": account_id, "moment": moment})
