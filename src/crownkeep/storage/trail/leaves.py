"""The leaves of the tree: one for each event, written with it.

SQLite has one writer at a time, so there a leaf gets its index at once. On PostgreSQL the sequencer gives it a moment later:
`trail_pending` is where it waits, in the order in which leaves were written. Whatever is in `trail_leaves` never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, bindparam, select

from crownkeep.audit import leaf
from crownkeep.storage.database import Transaction, run_plainly, run_plainly_for_each
from crownkeep.storage.metadata import AccountId, metadata, microseconds
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowQuery

pending = Table(
    "trail_pending",
    metadata,
    # SQLite counts by itself in a column of exactly this type; PostgreSQL's numbers come from a sequence.
    Column("pending_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("account_id", AccountId, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

table = Table(
    "trail_leaves",
    metadata,
    Column("idx", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("event_id", LargeBinary(16), nullable=False, unique=True),
    Column("account_id", AccountId, nullable=False),
    # The leaf itself and not its hash alone: so the tree can be checked, and proved, when the record is gone.
    Column("leaf", LargeBinary, nullable=False),
    # One account's events in the order of the tree, for streams.
    Index(None, "account_id", "idx"),
)


@dataclass(frozen=True, slots=True)
class PendingLeaf:
    """A leaf that has no index yet."""

    pending_id: int
    event_id: bytes
    account_id: str
    leaf: bytes


_WAIT = "INSERT INTO trail_pending (event_id, account_id, leaf) VALUES (?, ?, ?)"
_APPEND = "INSERT INTO trail_leaves (idx, event_id, account_id, leaf) VALUES (?, ?, ?, ?)"
_RELEASE = {
    "sqlite": "DELETE FROM trail_pending WHERE pending_id IN (SELECT value FROM json_each(?))",
    "postgresql": "DELETE FROM trail_pending WHERE pending_id IN (SELECT value::bigint FROM json_array_elements_text(?::json))",
}
_SIZE = "SELECT coalesce(max(idx), -1) + 1 FROM trail_leaves"
_any_pending = Prepared(select(pending.c.pending_id).limit(bindparam("limit")))
_oldest_pending = RowQuery(
    PendingLeaf,
    select(pending.c.pending_id, pending.c.event_id, pending.c.account_id, pending.c.leaf)
    .order_by(pending.c.pending_id)
    .limit(bindparam("limit")),
)
_from = Prepared(
    select(table.c.leaf).where(table.c.idx >= bindparam("first"), table.c.idx < bindparam("before")).order_by(table.c.idx)
)
_of_event = Prepared(select(table.c.idx, table.c.leaf).where(table.c.event_id == bindparam("event_id")))


def make(row: Any, record: bytes) -> bytes:
    """Return the leaf of an event: of its row, and the record as it was before it was compressed."""
    return make_as_kept(row, row.event_id.bytes, microseconds(row.happened_at), record)


def make_as_kept(row: Any, event_id: bytes, happened_at: int, record: bytes) -> bytes:
    """Return the same where the event's id and moment are known as they are kept."""
    columns = leaf.columns(row.source, row.name, row.read_only, row.username, row.access_key_id, row.resources)
    return leaf.of_record(event_id, happened_at, row.account_id, record, columns)


def add_all(db: Transaction, leaves: Iterable[tuple[bytes, str, bytes]]) -> None:
    """Keep the leaves of new events, each after its event's id and account."""
    # Every request has one, so these rows go to the driver as they are.
    if db.dialect.name == "sqlite":
        # Whoever writes has the database to itself: nobody else can give the same indexes, or commit later with smaller ones.
        run_plainly_for_each(db, _APPEND, [(index, *each) for index, each in enumerate(leaves, count(db))])
    else:
        run_plainly_for_each(db, _WAIT, list(leaves))


def has_pending(db: Transaction) -> bool:
    """Tell whether a leaf waits for its index."""
    return _any_pending.first(db, {"limit": 1}) is not None


def oldest_pending(db: Transaction, *, limit: int) -> list[PendingLeaf]:
    """Return leaves that wait, in the order in which they were written.

    On PostgreSQL a number may be seen before a smaller one, whose transaction ends later: that leaf comes with the next ones.
    """
    return _oldest_pending.all(db, {"limit": limit})


def append(db: Transaction, first: int, leaves: Sequence[PendingLeaf]) -> None:
    """Give leaves their indexes, from `first` on; they wait no longer."""
    # In one transaction with the rows that they leave: a leaf is in exactly one of the two tables at any moment.
    run_plainly_for_each(
        db, _APPEND, [(index, each.event_id, each.account_id, each.leaf) for index, each in enumerate(leaves, first)]
    )
    # By their numbers alone: others between them may have become visible since they were read.
    run_plainly(db, _RELEASE[db.dialect.name], (str([each.pending_id for each in leaves]),))


def count(db: Transaction) -> int:
    """Return how many leaves have an index: the size of the tree."""
    # Indexes have no gaps, so the largest one is the size less one; the tree's verification shows where that is not so.
    return int(run_plainly(db, _SIZE).fetchone()[0])


def entries(db: Transaction, first: int, before: int) -> list[bytes]:
    """Return the leaves from one index to just below another."""
    return [row[0] for row in _from.all(db, {"first": first, "before": before})]


def of_event(db: Transaction, event_id: UUID) -> tuple[int, bytes] | None:
    """Return the index and the leaf of an event, None where it has none yet."""
    found = _of_event.first(db, {"event_id": event_id.bytes})
    return None if found is None else (int(found[0]), found[1])


def pending_count(db: Transaction) -> int:
    """Return how many leaves wait."""
    return int(run_plainly(db, "SELECT count(*) FROM trail_pending").fetchone()[0])
