"""Receivers: who hears of an account's alerts beside its root user and its contacts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "alert_receivers",
    metadata,
    Column("receiver_id", String(32), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("channel", String(10), nullable=False),
    Column("target", String(2048), nullable=False),
    Column("rules", Text, nullable=False),
    Column("added_by", String(2048), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("confirmed_at", Moment),
    Column("code_digest", LargeBinary(32)),
    Column("tries_left", Integer, nullable=False),
    Column("disabled_at", Moment),
    Column("disabled_because", String(300), nullable=False),
    Column("signing", String(10), nullable=False),
    Column("sealed_secret", LargeBinary),
    Column("sealed_former_secret", LargeBinary),
    Column("former_until", Moment),
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
)

HMAC, ED25519 = "hmac", "ed25519"
"""How a webhook's messages are signed."""


@dataclass(frozen=True, slots=True)
class AlertReceiverRow:
    """One receiver. `target` is an URL, an address or `HOST:PORT`; `rules` names the rules that it hears, by spaces."""

    receiver_id: str
    account_id: str
    channel: str
    target: str
    rules: str
    """Empty for all built-in rules."""
    added_by: str
    """An ARN; empty for the operator."""
    added_at: datetime
    confirmed_at: datetime | None = None
    """None until whoever receives there has passed on the code that was sent."""
    code_digest: bytes | None = None
    tries_left: int = 0
    disabled_at: datetime | None = None
    disabled_because: str = ""
    signing: str = ""
    sealed_secret: bytes | None = None
    sealed_former_secret: bytes | None = None
    former_until: datetime | None = None
    """Until then messages are signed with the former secret as well."""
    quiet_from: int | None = None
    quiet_until: int | None = None
    """Minutes of the day, UTC, between which only critical alerts are sent."""


_this = (table.c.account_id == bindparam("of_account"), table.c.receiver_id == bindparam("of_receiver"))
_with_id = RowQuery(AlertReceiverRow, select(table).where(*_this))
_of_account = RowQuery(
    AlertReceiverRow, select(table).where(table.c.account_id == bindparam("of_account")).order_by(table.c.receiver_id)
)
_of_operator = RowQuery(
    AlertReceiverRow,
    select(table)
    .where(table.c.added_by == "", table.c.rules == "", table.c.disabled_at.is_(None))
    .order_by(table.c.added_at)
    .limit(bindparam("limit")),
)
_remove = delete(table).where(*_this)
_change = update(table).where(*_this)
_insert = RowInsert(AlertReceiverRow, table)


def with_id(db: Transaction, account_id: str, receiver_id: str) -> AlertReceiverRow | None:
    """Return the account's receiver with this id."""
    return _with_id.first(db, {"of_account": account_id, "of_receiver": receiver_id})


def of_account(db: Transaction, account_id: str) -> list[AlertReceiverRow]:
    """Return the account's receivers, the oldest first: ids are ordered by time."""
    return _of_account.all(db, {"of_account": account_id})


def of_operator(db: Transaction, *, limit: int) -> list[AlertReceiverRow]:
    """Return receivers that the operator has added to hear of everything, whatever the account, the oldest first."""
    return _of_operator.all(db, {"limit": limit})


def add(db: Transaction, row: AlertReceiverRow) -> None:
    """Keep a new receiver."""
    _insert.run(db, row)


def change(db: Transaction, row: AlertReceiverRow) -> bool:
    """Put a receiver in the place of what it was; returns whether there was one."""
    values = {name: value for name, value in _insert.values(row).items() if not table.c[name].primary_key}
    return db.execute(_change.values(values), {"of_account": row.account_id, "of_receiver": row.receiver_id}).rowcount > 0


def remove(db: Transaction, account_id: str, receiver_id: str) -> bool:
    """Forget a receiver; returns whether there was one."""
    return db.execute(_remove, {"of_account": account_id, "of_receiver": receiver_id}).rowcount > 0
