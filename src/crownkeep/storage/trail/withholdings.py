"""Withheld records: their bytes are destroyed, and their leaves stay. The only way in which the trail lets go of a record.

Each act has a record of its own in the trail, which says whose records it withheld, from which event to which, and how many.
The database's triggers let an event go only where a row here covers it, and these rows are never changed or removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text, and_, delete, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.trail import events

table = Table(
    "trail_withholdings",
    metadata,
    Column("act_event_id", LargeBinary(16), primary_key=True),
    Column("account_id", AccountId, primary_key=True),
    Column("first_event_id", LargeBinary(16), nullable=False),
    Column("last_event_id", LargeBinary(16), nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("withheld_at", Moment, nullable=False),
    # Asked by the triggers for each record that goes, however many accounts were purged before.
    Index(None, "account_id", "last_event_id"),
)


@dataclass(frozen=True, slots=True)
class WithholdingAct:
    """The operator's act of withholding: its own record's id, what kind it is, why, by whom and when."""

    event_id: UUID
    kind: str
    reason: str
    operator: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WithholdingRow:
    """What one act withheld of one account."""

    act_event_id: bytes
    account_id: str
    first_event_id: bytes
    last_event_id: bytes
    records: int
    kind: str
    reason: str
    operator: str
    withheld_at: datetime


_every = RowQuery(WithholdingRow, select(table).order_by(table.c.act_event_id, table.c.account_id))
_insert = RowInsert(WithholdingRow, table)


def withhold(db: Transaction, account_id: str, act: WithholdingAct, *, before: UUID | None = None) -> WithholdingRow | None:
    """Destroy an account's records, all or those before an event's id, and return what that was; None where there are none."""
    conditions = [events.table.c.account_id == account_id]
    if before is not None:
        conditions.append(events.table.c.event_id < before.bytes)
    ids = select(events.table.c.event_id).where(*conditions)
    first = db.execute(ids.order_by(events.table.c.event_id).limit(1)).scalar()
    last = db.execute(ids.order_by(events.table.c.event_id.desc()).limit(1)).scalar()
    if first is None or last is None:
        return None
    count = db.execute(select(func.count()).select_from(events.table).where(*conditions)).scalar_one()
    row = _row(account_id, act, first=first, last=last, records=count)
    _let_go(db, row)
    return row


def withhold_one(db: Transaction, account_id: str, event_id: UUID, act: WithholdingAct) -> WithholdingRow:
    """Destroy one record."""
    row = _row(account_id, act, first=event_id.bytes, last=event_id.bytes, records=1)
    _let_go(db, row)
    return row


def count_of_account(db: Transaction, account_id: str, *, since: datetime) -> int:
    """Return how many records of an account were withheld since a moment: whoever had its id before is nobody's business."""
    of_it = (table.c.account_id == account_id, table.c.withheld_at >= since)
    return int(db.execute(select(func.coalesce(func.sum(table.c.records), 0)).where(*of_it)).scalar_one())


def every(db: Transaction) -> list[WithholdingRow]:
    """Return all that was ever withheld, in the order of the acts."""
    return _every.all(db, {})


def _row(account_id: str, act: WithholdingAct, *, first: bytes, last: bytes, records: int) -> WithholdingRow:
    return WithholdingRow(
        act_event_id=act.event_id.bytes,
        account_id=account_id,
        first_event_id=first,
        last_event_id=last,
        records=records,
        kind=act.kind,
        reason=act.reason,
        operator=act.operator,
        withheld_at=act.at,
    )


def _let_go(db: Transaction, row: WithholdingRow) -> None:
    _insert.run(db, row)
    for each in (events.resources, events.table):
        covered = and_(
            each.c.account_id == row.account_id, each.c.event_id >= row.first_event_id, each.c.event_id <= row.last_event_id
        )
        db.execute(delete(each).where(covered))
