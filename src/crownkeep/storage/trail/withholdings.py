"""Withheld records: their bytes are destroyed, and their leaves stay. The only way in which the trail lets go of a record.

Each act has a record of its own in the trail, which says whose records it withheld, from which event to which, and how many.
The database's triggers let an event go only where a row here covers it, and these rows are never changed or removed.

A month that is sealed lets go of its records in the same way, by rows of the kind `seal`: those records are in a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text, and_, bindparam, delete, func, select

from crownkeep import ids
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.trail import events

SEAL = "seal"
"""The kind of what lies in the file of a sealed month: let go by the database, and not withheld."""

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
_of_account = select(table).where(table.c.account_id == bindparam("of_account"))
_hiding = RowQuery(WithholdingRow, _of_account.where(table.c.kind != SEAL))
_sealed = RowQuery(WithholdingRow, _of_account.where(table.c.kind == SEAL).order_by(table.c.act_event_id))
_sealed_by = RowQuery(WithholdingRow, select(table).where(table.c.act_event_id == bindparam("act"), table.c.kind == SEAL))


@dataclass(frozen=True, slots=True)
class SealedRecords:
    """Records of an account in files: from which event to which, and how many."""

    first_event_id: bytes
    last_event_id: bytes
    records: int


Ranges = Sequence[tuple[bytes, bytes]]


def withhold(
    db: Transaction, account_id: str, act: WithholdingAct, *, before: UUID | None = None, sealed: Sequence[SealedRecords] = ()
) -> WithholdingRow | None:
    """Destroy an account's records, all or those before an event's id, and return what that was; None where there are none.

    `sealed` are those of them that are in files, and that are hidden from now on.
    """
    conditions = [events.table.c.account_id == account_id]
    if before is not None:
        conditions.append(events.table.c.event_id < before.bytes)
    event_ids = select(events.table.c.event_id).where(*conditions)
    first = db.execute(event_ids.order_by(events.table.c.event_id).limit(1)).scalar()
    last = db.execute(event_ids.order_by(events.table.c.event_id.desc()).limit(1)).scalar()
    count = db.execute(select(func.count()).select_from(events.table).where(*conditions)).scalar_one()
    # What lies in files is counted in: the range must cover both, or a part would stay visible.
    firsts = [each for each in (first, *(part.first_event_id for part in sealed)) if each is not None]
    lasts = [each for each in (last, *(part.last_event_id for part in sealed)) if each is not None]
    if not firsts:
        return None
    count += sum(part.records for part in sealed)
    row = _row(account_id, act, first=min(firsts), last=max(lasts), records=count)
    _let_go(db, row)
    return row


def withhold_one(db: Transaction, account_id: str, event_id: UUID, act: WithholdingAct) -> WithholdingRow:
    """Destroy one record."""
    row = _row(account_id, act, first=event_id.bytes, last=event_id.bytes, records=1)
    _let_go(db, row)
    return row


def count_of_account(db: Transaction, account_id: str, *, since: datetime) -> int:
    """Return how many records of an account were withheld since a moment: whoever had its id before is nobody's business."""
    of_it = (table.c.account_id == account_id, table.c.withheld_at >= since, table.c.kind != SEAL)
    return int(db.execute(select(func.coalesce(func.sum(table.c.records), 0)).where(*of_it)).scalar_one())


def let_go_as_sealed(db: Transaction, account_id: str, act: WithholdingAct, found: SealedRecords) -> None:
    """Let the database drop records of an account that are in a file; nothing is dropped yet."""
    row = _row(account_id, act, first=found.first_event_id, last=found.last_event_id, records=found.records)
    _insert.run(db, row)


def sealed_of_account(db: Transaction, account_id: str) -> list[WithholdingRow]:
    """Return what of an account was sealed, the oldest seal first."""
    return _sealed.all(db, {"of_account": account_id})


def count_sealed(db: Transaction, account_id: str, *, since: datetime) -> int:
    """Return how many records of an account were sealed that happened since a moment, but for seals that were withheld whole."""
    first, hidden = ids.first_event_id(since).bytes, hidden_ranges(db, account_id)
    return sum(
        seal.records
        for seal in sealed_of_account(db, account_id)
        if seal.last_event_id >= first and not any(a <= seal.first_event_id and b >= seal.last_event_id for a, b in hidden)
    )


def sealed_accounts(db: Transaction, before: bytes) -> list[str]:
    """Return the accounts that have sealed records from before an event's id."""
    of_seals = (table.c.kind == SEAL, table.c.first_event_id < before)
    return list(db.execute(select(table.c.account_id).distinct().where(*of_seals)).scalars())


def sealed_by(db: Transaction, act_event_id: bytes) -> list[WithholdingRow]:
    """Return what one act sealed, a row for each account."""
    return _sealed_by.all(db, {"act": act_event_id})


def hidden_ranges(db: Transaction, account_id: str) -> Ranges:
    """Return from which event to which an account's records were withheld: what files still have of them is not shown."""
    return [(row.first_event_id, row.last_event_id) for row in _hiding.all(db, {"of_account": account_id})]


def is_hidden(event_id: bytes, ranges: Ranges) -> bool:
    """Tell whether a record was withheld."""
    return any(first <= event_id <= last for first, last in ranges)


def every(db: Transaction) -> list[WithholdingRow]:
    """Return all that the database has let go, sealed records among them, in the order of the acts."""
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
    # Before the deletion: the trigger of each record that goes looks for this very row.
    _insert.run(db, row)
    # Resources first, which refer to the events.
    for each in (events.resources, events.table):
        covered = and_(
            each.c.account_id == row.account_id, each.c.event_id >= row.first_event_id, each.c.event_id <= row.last_event_id
        )
        db.execute(delete(each).where(covered))
