"""Throttles of sign-in: how often a person, an address or an account failed lately, and until when it must wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, Table, bindparam, case, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.prepared import PreparedChange
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "signin_throttles",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", Moment, nullable=False, index=True),
    Column("blocked_until", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ThrottleRow:
    """What is remembered under one key; `account_id` is empty where the key is about no account of ours."""

    digest: bytes
    """A keyed hash of what is counted, so that the table tells nobody's address or name."""
    account_id: str
    failures: int
    failed_at: datetime
    blocked_until: datetime


_this = table.c.digest == bindparam("of_digest")
_with_digest = RowQuery(ThrottleRow, select(table).where(_this))
# Guesses come in parallel on purpose; without the lock each would see the count of before. SQLite ignores it, and writes one at
# a time.
_held = RowQuery(ThrottleRow, select(table).where(_this).with_for_update())
_change = PreparedChange(
    update(table)
    .where(_this)
    .values(failures=bindparam("new_failures"), failed_at=bindparam("new_failed_at"), blocked_until=bindparam("new_until"))
)
_insert = RowInsert(ThrottleRow, table)
_take_back = PreparedChange(
    update(table)
    .where(_this)
    # Never below none: a success may be told after the row was reset by another.
    .values(failures=case((table.c.failures > 0, table.c.failures - 1), else_=0), blocked_until=table.c.failed_at)
)
_remove = PreparedChange(delete(table).where(_this))
_forget = delete(table).where(table.c.failed_at < bindparam("before"))


def with_digest(db: Transaction, digest: bytes) -> ThrottleRow | None:
    """Return what is remembered under a key."""
    return _with_digest.first(db, {"of_digest": digest})


def held(db: Transaction, digest: bytes) -> ThrottleRow | None:
    """Return the same, and hold the row to the transaction's end: of many tries at once each sees those before it.

    Of two that both make the row, the database refuses one, which is then run again.
    """
    return _held.first(db, {"of_digest": digest})


def add(db: Transaction, row: ThrottleRow) -> None:
    """Remember this under a key without a row; refused by the database where another transaction has made one meanwhile."""
    _insert.run(db, row)


def change(db: Transaction, row: ThrottleRow) -> None:
    """Remember this in the place of the row that is `held`."""
    values = {"new_failures": row.failures, "new_failed_at": row.failed_at, "new_until": row.blocked_until}
    _change.run(db, {"of_digest": row.digest, **values})


def take_back(db: Transaction, digest: bytes) -> None:
    """Remember one failure less under a key, and that nobody waits any more."""
    _take_back.run(db, {"of_digest": digest})


def remove(db: Transaction, digest: bytes) -> None:
    """Forget what was remembered under a key."""
    _remove.run(db, {"of_digest": digest})


def forget(db: Transaction, *, before: datetime) -> None:
    """Forget every key whose last failure was before a moment."""
    db.execute(_forget, {"before": before})
