"""Digests: what a rule has held back since its first alerts, for the summary that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.prepared import PreparedChange
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "alert_digests",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("topic", LargeBinary(32), primary_key=True),
    Column("began_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    Column("sent", Integer, nullable=False),
    Column("held_back", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("last_event_id", String(36), nullable=False),
)


@dataclass(frozen=True, slots=True)
class AlertDigestRow:
    """One span of a rule: its first alerts were sent, and `held_back` more were counted since the last summary."""

    account_id: str
    rule: str
    topic: bytes
    """A hash of what is counted apart, such as who failed; empty where all of the rule is one."""
    began_at: datetime
    ends_at: datetime
    """When the next summary is due."""
    sent: int
    """How many were messages of their own."""
    held_back: int
    last_at: datetime
    last_event_id: str


_this = (
    table.c.account_id == bindparam("of_account"),
    table.c.rule == bindparam("of_rule"),
    table.c.topic == bindparam("of_topic"),
)
# Held, as several nodes may write events of one rule at once: each must be counted (SQLite has one writer, and ignores it).
_held = RowQuery(AlertDigestRow, select(table).where(*_this).with_for_update())
_remove = PreparedChange(delete(table).where(*_this))
_go_on = PreparedChange(update(table).where(*_this).values(ends_at=bindparam("to"), held_back=bindparam("nothing")))
_count_sent = PreparedChange(update(table).where(*_this).values(sent=table.c.sent + 1))
_hold_back = PreparedChange(
    update(table).where(*_this).values(held_back=table.c.held_back + 1, last_at=bindparam("at"), last_event_id=bindparam("event"))
)
_due = RowQuery(
    AlertDigestRow, select(table).where(table.c.ends_at <= bindparam("now")).order_by(table.c.ends_at).limit(bindparam("limit"))
)
_insert = RowInsert(AlertDigestRow, table)


def hold(db: Transaction, account_id: str, rule: str, topic: bytes) -> AlertDigestRow | None:
    """Return the span of a rule, its row held to the transaction's end."""
    return _held.first(db, {"of_account": account_id, "of_rule": rule, "of_topic": topic})


def begin(db: Transaction, row: AlertDigestRow) -> None:
    """Keep a new span of a rule, which begins with the alert that was just sent."""
    _insert.run(db, row)


def count_sent(db: Transaction, row: AlertDigestRow) -> None:
    """Count one more that is a message of its own."""
    _count_sent.run(db, _keys(row))


def hold_back(db: Transaction, row: AlertDigestRow, *, at: datetime, event_id: str) -> None:
    """Count one more that is held back."""
    _hold_back.run(db, {**_keys(row), "at": at, "event": event_id})


def due(db: Transaction, *, now: datetime, limit: int) -> list[AlertDigestRow]:
    """Return spans that have ended or want a summary, the earliest first."""
    return _due.all(db, {"now": now, "limit": limit})


def end(db: Transaction, row: AlertDigestRow) -> None:
    """Forget a span: the rule's next alert begins another one."""
    _remove.run(db, _keys(row))


def go_on(db: Transaction, row: AlertDigestRow, *, ends_at: datetime) -> None:
    """Count from nothing until the next summary."""
    _go_on.run(db, {**_keys(row), "to": ends_at, "nothing": 0})


def _keys(row: AlertDigestRow) -> dict[str, object]:
    return {"of_account": row.account_id, "of_rule": row.rule, "of_topic": row.topic}
