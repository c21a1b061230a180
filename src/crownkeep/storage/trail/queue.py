"""What trails have yet to deliver: each event that a trail covered when it was recorded, until it is in a log file.

An event is put here by the statement that keeps it, so that stopping, deleting or narrowing a trail later takes nothing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Integer, LargeBinary, Table, bindparam, delete, func, insert, select

from crownkeep.storage.database import Transaction, run_plainly, run_plainly_for_each
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata

table = Table(
    "trail_queue",
    metadata,
    Column("trail_id", UniqueId, primary_key=True),
    Column("event_id", LargeBinary(16), primary_key=True),
    # Whose event it is, and whose trail: either may be purged.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("owner_account_id", AccountId, nullable=False, index=True),
    Column("scope_version", Integer, nullable=False),
    sqlite_with_rowid=False,
)
batches = Table(
    "trail_batches",
    metadata,
    Column("trail_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("settled_at", Moment, nullable=False),
    # The ids one after another.
    Column("event_ids", LargeBinary, nullable=False),
)
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event that waits: in whose trail its record is, and by which version of the trail's scope it is looked at."""

    event_id: UUID
    account_id: str
    scope_version: int


@dataclass(frozen=True, slots=True)
class SettledBatch:
    """Events that are on their way into files: settled, so that whoever goes on after a death makes the very same files."""

    settled_at: datetime
    event_ids: Sequence[UUID]


# The account's own trails, and those of its organization while CloudTrail has trusted access to that.
_ADD = (
    "INSERT INTO trail_queue (trail_id, event_id, account_id, owner_account_id, scope_version)"
    " SELECT t.trail_id, ?, ?, t.account_id, t.scope_version FROM trails t"
    " WHERE t.account_id = ? AND (t.is_logging OR t.last_event_id = ?)"
    " UNION ALL"
    " SELECT t.trail_id, ?, m.account_id, t.account_id, t.scope_version FROM organization_accounts m"
    " JOIN trails t ON t.organization_id = m.organization_id AND t.account_id <> m.account_id"
    " JOIN organization_service_access s ON s.organization_id = m.organization_id"
    " AND s.service_principal = 'cloudtrail.amazonaws.com'"
    " WHERE m.account_id = ? AND (t.is_logging OR t.last_event_id = ?)"
)
_ANY_TRAIL = "SELECT 1 FROM trails LIMIT 1"
_of_trail = table.c.trail_id == bindparam("of_trail")
_oldest = select(table.c.event_id).where(_of_trail).order_by(table.c.event_id).limit(bindparam("limit"))
_waiting = (
    select(table.c.event_id, table.c.account_id, table.c.scope_version)
    .where(_of_trail, table.c.event_id.in_(bindparam("event_ids", expanding=True)))
    .order_by(table.c.event_id)
)
_settled = select(batches.c.settled_at, batches.c.event_ids).where(batches.c.trail_id == bindparam("of_trail"))
_unsettle_all = delete(batches).where(batches.c.trail_id == bindparam("of_trail"))
_unsettle = _unsettle_all.where(batches.c.settled_at == bindparam("settled_at"), batches.c.event_ids == bindparam("event_ids"))
_count = select(func.count()).select_from(table).where(_of_trail)
_remove_all = delete(table).where(_of_trail)
_remove = delete(table).where(_of_trail, table.c.event_id.in_(bindparam("event_ids", expanding=True)))


def add_all(db: Transaction, events: Sequence[tuple[str, bytes]]) -> None:
    """Put events, each an account and an id, before every trail that covers that account and logs."""
    # Every request has an event, and most installations have no trail.
    if run_plainly(db, _ANY_TRAIL).fetchone() is None:
        return
    run_plainly_for_each(
        # Events of nobody's account are in the operator's trail, which no trail delivers.
        db,
        _ADD,
        [(event, account, account, event, event, account, event) for account, event in events if account],
    )


def settle(db: Transaction, trail_id: str, account_id: str, *, limit: int, now: datetime) -> SettledBatch | None:
    """Settle which events a trail delivers next: those that are on their way, else up to `limit` of the oldest; None for none."""
    found = db.execute(_settled, {"of_trail": trail_id}).first()
    if found is not None:
        ids = [found.event_ids[at : at + _ID_BYTES] for at in range(0, len(found.event_ids), _ID_BYTES)]
        return SettledBatch(found.settled_at, [UUID(bytes=each) for each in ids])
    ids = [row.event_id for row in db.execute(_oldest, {"of_trail": trail_id, "limit": limit})]
    if not ids:
        return None
    values = {"trail_id": trail_id, "account_id": account_id, "settled_at": now, "event_ids": b"".join(ids)}
    db.execute(insert(batches), values)
    return SettledBatch(now, [UUID(bytes=each) for each in ids])


def unsettle(db: Transaction, trail_id: str, delivered: SettledBatch) -> bool:
    """Forget a batch that is delivered; returns False where it is not on its way, so that another process has delivered it."""
    written = b"".join(each.bytes for each in delivered.event_ids)
    values = {"of_trail": trail_id, "settled_at": delivered.settled_at, "event_ids": written}
    return db.execute(_unsettle, values).rowcount == 1


def waiting(db: Transaction, trail_id: str, event_ids: Sequence[UUID]) -> list[QueuedEvent]:
    """Return those of some events that a trail has yet to deliver, the oldest first."""
    rows = db.execute(_waiting, {"of_trail": trail_id, "event_ids": [each.bytes for each in event_ids]})
    return [QueuedEvent(UUID(bytes=row.event_id), row.account_id, row.scope_version) for row in rows]


def count(db: Transaction, trail_id: str) -> int:
    """Return how many events a trail has yet to deliver."""
    return int(db.execute(_count, {"of_trail": trail_id}).scalar_one())


def remove(db: Transaction, trail_id: str, event_ids: Sequence[UUID]) -> None:
    """Forget events that are delivered, or that the trail does not want."""
    if event_ids:
        db.execute(_remove, {"of_trail": trail_id, "event_ids": [each.bytes for each in event_ids]})


def remove_all(db: Transaction, trail_id: str) -> None:
    """Forget everything that a trail has yet to deliver."""
    db.execute(_unsettle_all, {"of_trail": trail_id})
    db.execute(_remove_all, {"of_trail": trail_id})
