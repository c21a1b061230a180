"""The logs of others that this installation witnesses: whose keys are trusted, and the newest checkpoint that was cosigned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text, bindparam, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "trail_witnessed_logs",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("vkeys", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("seen_at", Moment),
)


@dataclass(frozen=True, slots=True)
class WitnessedLogRow:
    """One log: its keys, a line each, and the newest checkpoint that was cosigned, with the signatures; empty before that."""

    origin: str
    vkeys: str
    size: int
    root: bytes
    note: str
    added_at: datetime
    seen_at: datetime | None


_with_origin = RowQuery(WitnessedLogRow, select(table).where(table.c.origin == bindparam("origin")))
_every = RowQuery(WitnessedLogRow, select(table).order_by(table.c.origin))
_insert = RowInsert(WitnessedLogRow, table)


def add(db: Transaction, row: WitnessedLogRow) -> None:
    """Witness a log from now on."""
    _insert.run(db, row)


def trust(db: Transaction, origin: str, vkeys: str) -> None:
    """Trust other keys of a log; what was seen of it stays."""
    db.execute(update(table).where(table.c.origin == origin).values(vkeys=vkeys))


def with_origin(db: Transaction, origin: str) -> WitnessedLogRow | None:
    """Return the log of an origin, None where it is not witnessed."""
    return _with_origin.first(db, {"origin": origin})


def every(db: Transaction) -> list[WitnessedLogRow]:
    """Return the logs that are witnessed."""
    return _every.all(db, {})


def advance(db: Transaction, origin: str, *, since: int, since_root: bytes, row: WitnessedLogRow) -> bool:
    """Go over to a newer checkpoint, and return whether that was done: not where another request came first.

    The comparison and the change are one statement, so that no tree ever shrinks (C2SP tlog-witness, the race it describes).
    """
    statement = (
        update(table)
        .where(table.c.origin == origin, table.c.size == since, table.c.root == since_root)
        .values(size=row.size, root=row.root, note=row.note, seen_at=row.seen_at)
    )
    return db.execute(statement).rowcount > 0
