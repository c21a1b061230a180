"""Reviews: how far each look for what is over age, about to expire or due has come, so that each thing is told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "alert_reviews",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("reached_at", Moment, nullable=False),
    Column("reached_id", String(128), nullable=False),
)


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A place in the order of moments and ids: all up to it were told."""

    name: str
    reached_at: datetime
    reached_id: str


_named = RowQuery(ReviewRow, select(table).where(table.c.name == bindparam("of_name")))
_remove = delete(table).where(table.c.name == bindparam("of_name"))
_insert = RowInsert(ReviewRow, table)


def named(db: Transaction, name: str) -> ReviewRow | None:
    """Return how far a review has come, None where it has never begun."""
    return _named.first(db, {"of_name": name})


def put(db: Transaction, row: ReviewRow) -> None:
    """Remember how far a review has come."""
    db.execute(_remove, {"of_name": row.name})
    _insert.run(db, row)
