"""Custodians of the installation: people with an identity in no account, which works when every account is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "custodians",
    metadata,
    Column("custodian_id", UniqueId, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CustodianRow:
    """One custodian. `email_key` is the address in lower case: two custodians never share a mailbox."""

    custodian_id: str
    name: str
    email: str
    email_key: str
    created_at: datetime


_by_id = RowQuery(CustodianRow, select(table).where(table.c.custodian_id == bindparam("custodian_id")))
_with_ids = RowQuery(CustodianRow, select(table).where(table.c.custodian_id.in_(bindparam("custodian_ids", expanding=True))))
_with_email = RowQuery(CustodianRow, select(table).where(table.c.email_key == bindparam("email_key")))
_all = RowQuery(CustodianRow, select(table).order_by(table.c.email_key))
_insert = RowInsert(CustodianRow, table)
_remove = delete(table).where(table.c.custodian_id == bindparam("of_custodian"))


def with_id(db: Transaction, custodian_id: str) -> CustodianRow | None:
    """Return the custodian with this id."""
    return _by_id.first(db, {"custodian_id": custodian_id})


def with_ids(db: Transaction, custodian_ids: Sequence[str]) -> list[CustodianRow]:
    """Return the custodians with these ids."""
    return _with_ids.all(db, {"custodian_ids": list(custodian_ids)}) if custodian_ids else []


def with_email(db: Transaction, email: str) -> CustodianRow | None:
    """Return the custodian with this address, whatever its letters' case."""
    return _with_email.first(db, {"email_key": email.lower()})


def everyone(db: Transaction) -> list[CustodianRow]:
    """Return all custodians by address; the operator names each of them, so that they are few."""
    return _all.all(db, {})


def add(db: Transaction, row: CustodianRow) -> None:
    """Keep a new custodian; the database refuses a second one with the same address."""
    _insert.run(db, row)


def remove(db: Transaction, custodian_id: str) -> None:
    """Forget a custodian's own row."""
    db.execute(_remove, {"of_custodian": custodian_id})
