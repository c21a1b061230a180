"""Sealed months: whose records lie in files, compressed, and no longer in the database; their leaves stay in the tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, bindparam, func, select

from crownkeep import ids
from crownkeep.storage.database import Transaction, run_plainly, run_plainly_for_each
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.trail import leaves, queue, trails
from crownkeep.storage.trail.trails import TrailRow

table = Table(
    "trail_sealed_months",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("act_event_id", LargeBinary(16), nullable=False),
    Column("first_event_id", LargeBinary(16), nullable=False),
    Column("before_event_id", LargeBinary(16), nullable=False),
    Column("first_index", BigInteger, nullable=False),
    Column("last_index", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("sealed_at", Moment, nullable=False),
)

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class SealedMonthRow:
    """One sealed month: the ids that events of it have, and where in the tree its records are."""

    month: str
    act_event_id: bytes
    first_event_id: bytes
    before_event_id: bytes
    first_index: int
    last_index: int
    records: int
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class DroppedRecord:
    """A record that is in a file, and what it is found by in the database."""

    account_id: str
    event_id: bytes
    resource_names: tuple[str, ...]


_every = RowQuery(SealedMonthRow, select(table).order_by(table.c.month))
_named = RowQuery(SealedMonthRow, select(table).where(table.c.month == bindparam("month")))
_overlapping = RowQuery(
    SealedMonthRow,
    select(table)
    .where(table.c.before_event_id > bindparam("first"), table.c.first_event_id < bindparam("before"))
    .order_by(table.c.month.desc()),
)
_insert = RowInsert(SealedMonthRow, table)
_of_leaves = (leaves.table.c.event_id >= bindparam("first"), leaves.table.c.event_id < bindparam("before"))
_indexes = select(func.min(leaves.table.c.idx), func.max(leaves.table.c.idx)).where(*_of_leaves)
_pending = select(func.count()).where(
    leaves.pending.c.event_id >= bindparam("first"), leaves.pending.c.event_id < bindparam("before")
)
_queued = select(func.count()).where(queue.table.c.event_id >= bindparam("first"), queue.table.c.event_id < bindparam("before"))
_awaited = RowQuery(
    TrailRow,
    select(trails.table)
    .where(
        trails.table.c.trail_id.in_(
            select(queue.table.c.trail_id).where(
                queue.table.c.event_id >= bindparam("first"), queue.table.c.event_id < bindparam("before")
            )
        )
    )
    .order_by(trails.table.c.account_id, trails.table.c.name),
)
_oldest = select(func.min(leaves.table.c.event_id))
_ANY = (
    "SELECT 1 FROM trail_leaves l JOIN events e ON e.account_id = l.account_id AND e.event_id = l.event_id"
    " WHERE l.event_id >= ? AND l.event_id < ? LIMIT 1"
)
_COUNT = "SELECT count(*) FROM events WHERE account_id = ? AND event_id >= ? AND event_id <= ?"
_IDS = _COUNT.replace("count(*)", "event_id")
_DROP = "DELETE FROM events WHERE account_id = ? AND event_id = ?"
_DROP_RESOURCE = "DELETE FROM event_resources WHERE account_id = ? AND resource_name = ? AND event_id = ?"
_LONGEST_NAME = 512


def span(month: str) -> tuple[datetime, datetime]:
    """Return when a month such as `2026-10` begins and when the next one does, in UTC; raises ValueError."""
    found = _MONTH.fullmatch(month)
    if found is None or not 1970 <= int(found[1]) < 9999:
        raise ValueError(f"`{month}` is no month: write it like `2026-10`")
    year, number = int(found[1]), int(found[2])
    begins = datetime(year, number, 1, tzinfo=UTC)
    # December is followed by January of the next year.
    return begins, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def ids_of(month: str) -> tuple[UUID, UUID]:
    """Return the first id that an event of a month can have, and the first of the next month's."""
    begins, ends = span(month)
    return ids.first_event_id(begins), ids.first_event_id(ends)


def every(db: Transaction) -> list[SealedMonthRow]:
    """Return every sealed month, the oldest first."""
    return _every.all(db, {})


def named(db: Transaction, month: str) -> SealedMonthRow | None:
    """Return a sealed month, None where it is not sealed."""
    return _named.first(db, {"month": month})


def overlapping(db: Transaction, first: bytes, before: bytes) -> list[SealedMonthRow]:
    """Return the sealed months whose events may have an id from `first` to just below `before`, the newest first."""
    return _overlapping.all(db, {"first": first, "before": before})


def add(db: Transaction, row: SealedMonthRow) -> None:
    """Remember that a month is sealed."""
    _insert.run(db, row)


def indexes(db: Transaction, month: str) -> tuple[int, int] | None:
    """Return the first and the last index that leaves of a month have in the tree, None where it has none."""
    first, before = ids_of(month)
    row = db.execute(_indexes, {"first": first.bytes, "before": before.bytes}).one()
    return None if row[0] is None else (int(row[0]), int(row[1]))


def has_records(db: Transaction, month: str) -> bool:
    """Tell whether the database has records of a month that have their places in the tree."""
    first, before = ids_of(month)
    return run_plainly(db, _ANY, (first.bytes, before.bytes)).fetchone() is not None


def waiting(db: Transaction, month: str) -> tuple[int, int]:
    """Return how many events of a month wait for their place in the tree, and how many for a trail that is to deliver them."""
    first, before = ids_of(month)
    values = {"first": first.bytes, "before": before.bytes}
    return int(db.execute(_pending, values).scalar_one()), int(db.execute(_queued, values).scalar_one())


def awaited(db: Transaction, month: str) -> list[TrailRow]:
    """Return the trails that are to deliver events of a month."""
    first, before = ids_of(month)
    return _awaited.all(db, {"first": first.bytes, "before": before.bytes})


def oldest_event(db: Transaction) -> bytes | None:
    """Return the smallest id of an event in the tree, None where there is none."""
    found: bytes | None = db.execute(_oldest).scalar()
    return found


def count_kept(db: Transaction, account_id: str, first: bytes, last: bytes) -> int:
    """Return how many of an account's records the database has, from one event's id to another's."""
    return int(run_plainly(db, _COUNT, (account_id, first, last)).fetchone()[0])


def kept_ids(db: Transaction, account_id: str, first: bytes, last: bytes) -> set[bytes]:
    """Return which events of an account, from one to another, the database has the records of."""
    return {bytes(row[0]) for row in run_plainly(db, _IDS, (account_id, first, last)).fetchall()}


def drop(db: Transaction, records: list[DroppedRecord]) -> None:
    """Let records go that are in a file and that a seal covers; the triggers refuse every other."""
    named = [
        (each.account_id, name[:_LONGEST_NAME], each.event_id) for each in records for name in sorted(set(each.resource_names))
    ]
    if named:
        # One by one by their keys, and not by range: only what a file is known to hold may go.
        run_plainly_for_each(db, _DROP_RESOURCE, named)
    run_plainly_for_each(db, _DROP, [(each.account_id, each.event_id) for each in records])
