"""Named operators, with the digest of each one's token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction, run_plainly
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "operators",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("token_id", String(16), nullable=False, unique=True),
    Column("token_digest", LargeBinary(32), nullable=False),
    Column("scopes", String(1024), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("token_made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator; `scopes` are parted by spaces."""

    name: str
    token_id: str
    token_digest: bytes
    scopes: str
    added_at: datetime
    token_made_at: datetime
    expires_at: datetime


_named = RowQuery(OperatorRow, select(table).where(table.c.name == bindparam("name")))
_with_token = RowQuery(OperatorRow, select(table).where(table.c.token_id == bindparam("token_id")))
_page = RowQuery(
    OperatorRow, select(table).where(table.c.name > bindparam("after")).order_by(table.c.name).limit(bindparam("limit"))
)
_ending = RowQuery(
    OperatorRow,
    select(table)
    .where(table.c.expires_at < bindparam("before"))
    .order_by(table.c.expires_at, table.c.name)
    .limit(bindparam("limit")),
)
_insert = RowInsert(OperatorRow, table)
_held = "SELECT token_id FROM operators WHERE name = ?"


def named(db: Transaction, name: str) -> OperatorRow | None:
    """Return the operator with this name, and hold the row: nobody else changes it until the transaction ends."""
    if db.dialect.name != "sqlite":
        run_plainly(db, f"{_held} FOR UPDATE", (name,)).fetchone()
    return _named.first(db, {"name": name})


def with_token(db: Transaction, token_id: str) -> OperatorRow | None:
    """Return the operator whose token has this id."""
    return _with_token.first(db, {"token_id": token_id})


def page(db: Transaction, *, after: str, limit: int) -> list[OperatorRow]:
    """Return up to `limit` operators by name, from the one after `after`."""
    return _page.all(db, {"after": after, "limit": limit})


def ending(db: Transaction, *, before: datetime, limit: int) -> list[OperatorRow]:
    """Return up to `limit` operators whose tokens end before a time or have ended, the first to end first."""
    return _ending.all(db, {"before": before, "limit": limit})


def hold(db: Transaction, name: str) -> str | None:
    """Return the id of an operator's token, and hold its row against a change to the transaction's end; None for no operator."""
    # SQLite's writing transactions exclude one another from their beginning. Shared: what one operator does runs side by side.
    statement = _held if db.dialect.name == "sqlite" else f"{_held} FOR SHARE"
    found = run_plainly(db, statement, (name,)).fetchone()
    return None if found is None else str(found[0])


def add(db: Transaction, row: OperatorRow) -> None:
    """Keep a new operator; raises IntegrityError where there is one with this name."""
    _insert.run(db, row)


def rotate(db: Transaction, name: str, *, token_id: str, token_digest: bytes, made_at: datetime, expires_at: datetime) -> None:
    """Put another token in the place of an operator's, which is void from the commit on."""
    values = {"token_id": token_id, "token_digest": token_digest, "token_made_at": made_at, "expires_at": expires_at}
    db.execute(update(table).where(table.c.name == name).values(values))


def remove(db: Transaction, name: str) -> None:
    """Forget an operator."""
    db.execute(delete(table).where(table.c.name == name))
