"""Policy templates of product providers: what they may ask other accounts to delegate to them, registered by the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "delegation_templates",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("name", Name, nullable=False),
    Column("policy", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("account_id", "name"),
)


@dataclass(frozen=True, slots=True)
class DelegationTemplateRow:
    """One template of the account that is the provider; `policy` may hold placeholders such as `@{bucket}`."""

    account_id: str
    name: str
    policy: str
    created_at: datetime


_this = (table.c.account_id == bindparam("of_account"), table.c.name == bindparam("of_name"))
_named = RowQuery(DelegationTemplateRow, select(table).where(*_this))
_of_account = RowQuery(
    DelegationTemplateRow, select(table).where(table.c.account_id == bindparam("of_account")).order_by(table.c.name)
)
_remove = delete(table).where(*_this)
_insert = RowInsert(DelegationTemplateRow, table)


def named(db: Transaction, account_id: str, name: str) -> DelegationTemplateRow | None:
    """Return a provider's template with this very name."""
    return _named.first(db, {"of_account": account_id, "of_name": name})


def of_account(db: Transaction, account_id: str) -> list[DelegationTemplateRow]:
    """Return every template of a provider, by name."""
    return _of_account.all(db, {"of_account": account_id})


def put(db: Transaction, row: DelegationTemplateRow) -> None:
    """Keep a template in the place of one with the same name."""
    remove(db, row.account_id, row.name)
    _insert.run(db, row)


def remove(db: Transaction, account_id: str, name: str) -> bool:
    """Forget a template; returns whether there was one. Requests that were made from it keep their policy."""
    return db.execute(_remove, {"of_account": account_id, "of_name": name}).rowcount > 0
