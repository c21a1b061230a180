"""Deliveries: what became of notices that are no longer in the outbox, for those who wonder whether mail arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Index, Integer, String, Table, Text, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

KEPT_FOR = timedelta(days=90)
"""How long it is remembered, as long as AWS's event history reaches back."""

table = Table(
    "deliveries",
    metadata,
    Column("letter_id", String(32), key="notice_id", primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("fault", Text, nullable=False),
    Column("about", String(200), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("channel", String(10), nullable=False, server_default="mail"),
    Column("receiver_id", String(32), nullable=False, server_default=""),
    Column("rule", String(64), nullable=False, server_default=""),
    Index(None, "account_id", "notice_id"),
)


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What became of one notice; `fault` says why it was given up, and is empty where it left.

    A notice that tells of an event is about that event; of any other nothing is kept of what it said.
    """

    notice_id: str
    account_id: str
    recipient: str
    kind: str
    created_at: datetime
    ended_at: datetime
    attempts: int
    fault: str
    about: str = ""
    event_id: str = ""
    channel: str = "mail"
    receiver_id: str = ""
    rule: str = ""


_forget = delete(table).where(table.c.ended_at < bindparam("before"))
_replace = delete(table).where(table.c.notice_id == bindparam("of_notice"))
_latest = RowQuery(
    DeliveryRow,
    select(table)
    .where(table.c.account_id == bindparam("of_account"))
    .order_by(table.c.notice_id.desc())
    .limit(bindparam("limit")),
)
_insert = RowInsert(DeliveryRow, table)


def add(db: Transaction, row: DeliveryRow) -> None:
    """Remember what became of a notice, and forget what is older than KEPT_FOR; one that is sent again has its last end."""
    db.execute(_forget, {"before": row.ended_at - KEPT_FOR})
    db.execute(_replace, {"of_notice": row.notice_id})
    _insert.run(db, row)


def latest(db: Transaction, account_id: str, *, limit: int) -> list[DeliveryRow]:
    """Return the last of an account's notices that left or were given up, the latest written first."""
    return _latest.all(db, {"of_account": account_id, "limit": limit})
