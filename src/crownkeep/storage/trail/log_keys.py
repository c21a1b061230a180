"""The keys that sign checkpoints, of this log and of others, and backups; old ones stay, and verify for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, Text, bindparam, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

LOG = "log"
WITNESS = "witness"
BACKUP = "backup"
"""Signs manifests of backups, and no checkpoint."""

table = Table(
    "trail_log_keys",
    metadata,
    Column("vkey_id", String(320), primary_key=True),
    Column("role", String(8), nullable=False),
    Column("vkey", Text, nullable=False),
    Column("sealed_seed", LargeBinary, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("retired_at", Moment),
)


@dataclass(frozen=True, slots=True)
class LogKeyRow:
    """One key: its name and id as notes have them, what it signs as, its public half, and until when it signs."""

    vkey_id: str
    role: str
    vkey: str
    sealed_seed: bytes
    made_at: datetime
    retired_at: datetime | None


_of_role = RowQuery(LogKeyRow, select(table).where(table.c.role == bindparam("role")).order_by(table.c.made_at, table.c.vkey_id))
_insert = RowInsert(LogKeyRow, table)


def add(db: Transaction, row: LogKeyRow) -> None:
    """Keep a new key."""
    _insert.run(db, row)


def every(db: Transaction, role: str) -> list[LogKeyRow]:
    """Return the keys of a role, the oldest first, those that sign no longer too."""
    return _of_role.all(db, {"role": role})


def retire(db: Transaction, vkey_id: str, *, at: datetime) -> None:
    """Let a key sign until a moment, and verify for ever."""
    db.execute(update(table).where(table.c.vkey_id == vkey_id).values(retired_at=at))
