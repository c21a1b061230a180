"""The sealing keys that ever sealed in this database, each with a value that it sealed: a wrong key file opens none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "known_sealing_keys",
    metadata,
    Column("key_id", String(8), primary_key=True),
    Column("check_value", LargeBinary, nullable=False),
    Column("known_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class KnownSealingKeyRow:
    """One sealing key that sealed here: its id, what it sealed to be known by, and since when it seals."""

    key_id: str
    check_value: bytes
    known_at: datetime


_latest = RowQuery(KnownSealingKeyRow, select(table).order_by(table.c.known_at.desc(), table.c.key_id).limit(1))
_insert = RowInsert(KnownSealingKeyRow, table)


def latest(db: Transaction) -> KnownSealingKeyRow | None:
    """Return the key that was the last to begin to seal, None where none ever has."""
    return _latest.first(db, {})


def is_known(db: Transaction, key_id: str) -> bool:
    """Tell whether a key ever sealed here."""
    return db.execute(select(table.c.key_id).where(table.c.key_id == key_id)).first() is not None


def put(db: Transaction, row: KnownSealingKeyRow) -> None:
    """Keep a key as the one that seals from now on."""
    # A key that seals again, after another one, counts from now on as the latest.
    db.execute(table.delete().where(table.c.key_id == row.key_id))
    _insert.run(db, row)
