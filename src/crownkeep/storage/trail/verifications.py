"""Verifications of the whole trail that the operator has made and recorded, so that people are told when the last one was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, LargeBinary, Table, bindparam, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "trail_verifications",
    metadata,
    Column("event_id", LargeBinary(16), primary_key=True),
    Column("verified_at", Moment, nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("findings", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """One verification: the event that records it, of how many leaves, and how much was found that is not as it was."""

    event_id: bytes
    verified_at: datetime
    size: int
    findings: int


_insert = RowInsert(VerificationRow, table)
_latest = RowQuery(VerificationRow, select(table).order_by(table.c.verified_at.desc()).limit(bindparam("limit")))


def add(db: Transaction, row: VerificationRow) -> None:
    """Keep a verification."""
    _insert.run(db, row)


def latest(db: Transaction) -> VerificationRow | None:
    """Return the last verification, None where there was none."""
    return _latest.first(db, {"limit": 1})
