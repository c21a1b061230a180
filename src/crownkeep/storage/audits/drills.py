"""Drills that were held: which, of which account, whether the way back worked, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, PrimaryKeyConstraint, String, Table, bindparam, delete, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "drills",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("name", String(32), nullable=False),
    Column("held_at", Moment, nullable=False),
    Column("worked", Boolean, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    PrimaryKeyConstraint("account_id", "name"),
)


@dataclass(frozen=True, slots=True)
class DrillRow:
    """The latest drill of a name in an account; all of them are in the trail."""

    account_id: str
    name: str
    held_at: datetime
    worked: bool
    steps: int
    milliseconds: int


_this = (table.c.account_id == bindparam("of_account"), table.c.name == bindparam("of_name"))
_of_account = RowQuery(
    DrillRow, select(table).where(table.c.account_id == bindparam("of_account")).order_by(table.c.held_at.desc(), table.c.name)
)
_remove = delete(table).where(*_this)
_latest = select(func.max(table.c.held_at))
_failed = select(func.count()).select_from(table).where(table.c.worked.is_(False))
_insert = RowInsert(DrillRow, table)


def put(db: Transaction, row: DrillRow) -> None:
    """Keep a drill, in the place of the one of its name before."""
    db.execute(_remove, {"of_account": row.account_id, "of_name": row.name})
    _insert.run(db, row)


def of_account(db: Transaction, account_id: str) -> list[DrillRow]:
    """Return the latest drills of an account, the newest first."""
    return _of_account.all(db, {"of_account": account_id})


def latest(db: Transaction) -> datetime | None:
    """Return when a drill was held last, in any account."""
    found: datetime | None = db.execute(_latest).scalar_one()
    return found


def count_failed(db: Transaction) -> int:
    """Return how many of the latest drills did not work."""
    return db.execute(_failed).scalar_one()
