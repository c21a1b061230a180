"""Hardware tokens: the physical keys of root users and custodians, in which vault and envelope each lies, and who has it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, bindparam, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "hardware_tokens",
    metadata,
    Column("serial", String(64), primary_key=True),
    Column("model", String(64), nullable=False),
    Column("vault", String(64), nullable=False),
    Column("envelope", String(64), nullable=False),
    Column("holder", String(128), nullable=False),
    # Not `account_id`: the token lies in its vault when the account is purged.
    Column("of_account", String(12), nullable=False),
    Column("registered_at", Moment, nullable=False),
    Column("seen_at", Moment),
    Column("seen_at_audit", String(64)),
    Column("out_to", String(128)),
    Column("out_for", String(200)),
    Column("out_since", Moment),
    Column("due_at", Moment),
    Index(None, "due_at"),
)


@dataclass(frozen=True, slots=True)
class HardwareTokenRow:
    """One token. `holder` says whose it is; `of_account` is empty for a custodian of the installation."""

    serial: str
    model: str
    vault: str
    envelope: str
    holder: str
    of_account: str
    registered_at: datetime
    seen_at: datetime | None = None
    seen_at_audit: str | None = None
    """At which audit it was seen last."""
    out_to: str | None = None
    """Who has it; None while it lies in its vault."""
    out_for: str | None = None
    out_since: datetime | None = None
    due_at: datetime | None = None
    """When it is to be back."""


_this = table.c.serial == bindparam("of_serial")
_with_serial = RowQuery(HardwareTokenRow, select(table).where(_this))
_held = RowQuery(HardwareTokenRow, select(table).where(_this).with_for_update())
_page = RowQuery(
    HardwareTokenRow,
    select(table).where(table.c.serial > bindparam("after")).order_by(table.c.serial).limit(bindparam("limit")),
)
_of_account = RowQuery(
    HardwareTokenRow,
    select(table).where(table.c.of_account == bindparam("of_account")).order_by(table.c.serial).limit(bindparam("limit")),
)
_insert = RowInsert(HardwareTokenRow, table)


def with_serial(db: Transaction, serial: str) -> HardwareTokenRow | None:
    """Return the token with this serial number."""
    return _with_serial.first(db, {"of_serial": serial})


def held(db: Transaction, serial: str) -> HardwareTokenRow | None:
    """Return the same, and hold it to the transaction's end: a token goes to one person at a time."""
    return (_with_serial if db.dialect.name == "sqlite" else _held).first(db, {"of_serial": serial})


def page(db: Transaction, *, after: str, limit: int) -> list[HardwareTokenRow]:
    """Return up to `limit` tokens in the order of their serial numbers, from the one after `after`."""
    return _page.all(db, {"after": after, "limit": limit})


def of_account(db: Transaction, account_id: str, *, limit: int) -> list[HardwareTokenRow]:
    """Return up to `limit` tokens of an account's root, in the order of their serial numbers."""
    return _of_account.all(db, {"of_account": account_id, "limit": limit})


def add(db: Transaction, row: HardwareTokenRow) -> None:
    """Keep a new token."""
    _insert.run(db, row)


def change(db: Transaction, serial: str, **values: object) -> None:
    """Set some columns of a token."""
    db.execute(update(table).where(table.c.serial == serial).values(**values))
