"""Account aliases: at most one for each account, unique over all of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, String, Table, UniqueConstraint, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.prepared import Prepared

table = Table(
    "account_aliases",
    metadata,
    Column("alias", String(63), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("account_id"),
)

_of_account = select(table.c.alias).where(table.c.account_id == bindparam("account_id"))
_account_with = Prepared(select(table.c.account_id).where(table.c.alias == bindparam("alias")))
_remove = delete(table).where(table.c.account_id == bindparam("account_id"))


def of_account(db: Transaction, account_id: str) -> str | None:
    """Return the account's alias, or None where it has none."""
    alias: str | None = db.execute(_of_account, {"account_id": account_id}).scalar()
    return alias


def account_with(db: Transaction, alias: str) -> str | None:
    """Return the id of the account that has this alias, whichever it is."""
    row = _account_with.first(db, {"alias": alias})
    return row[0] if row else None


def put(db: Transaction, account_id: str, alias: str, *, at: datetime) -> None:
    """Give an account its alias; one that it had before is free again."""
    remove(db, account_id)
    db.execute(insert(table), {"alias": alias, "account_id": account_id, "created_at": at})


def remove(db: Transaction, account_id: str) -> None:
    """Take the account's alias away."""
    db.execute(_remove, {"account_id": account_id})
