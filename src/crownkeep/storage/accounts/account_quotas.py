"""Quotas of an account that its operator has set apart from the defaults."""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata
from crownkeep.storage.prepared import Prepared

table = Table(
    "account_quotas",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("name", String(64), nullable=False),
    Column("value", Integer, nullable=False),
    PrimaryKeyConstraint("account_id", "name"),
)

_this = (table.c.account_id == bindparam("of_account"), table.c.name == bindparam("of_name"))
_value = Prepared(select(table.c.value).where(*_this))
_of_account = select(table.c.name, table.c.value).where(table.c.account_id == bindparam("of_account"))
_remove = delete(table).where(*_this)


def value(db: Transaction, account_id: str, name: str) -> int | None:
    """Return what a quota of the account was set to, None where it has its default."""
    row = _value.first(db, {"of_account": account_id, "of_name": name})
    return int(row[0]) if row else None


def of_account(db: Transaction, account_id: str) -> dict[str, int]:
    """Return every quota of the account that was set, by name."""
    return {str(name): int(number) for name, number in db.execute(_of_account, {"of_account": account_id})}


def put(db: Transaction, account_id: str, name: str, number: int) -> None:
    """Set a quota."""
    remove(db, account_id, name)
    db.execute(insert(table), {"account_id": account_id, "name": name, "value": number})


def remove(db: Transaction, account_id: str, name: str) -> None:
    """Give a quota its default again; one that was never set stays as it is."""
    db.execute(_remove, {"of_account": account_id, "of_name": name})
