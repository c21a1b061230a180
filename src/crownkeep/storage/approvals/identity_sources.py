"""Identity sources: where the approvers of an account's teams come from, beside the custodians of the installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

SourceId = String(32).with_variant(String(32, collation="C"), "postgresql")

table = Table(
    "approval_identity_sources",
    metadata,
    Column("source_id", SourceId, primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("instance_id", String(32), nullable=False),
    Column("region", String(32), nullable=False),
    Column("client_token", LargeBinary(32)),
    Column("created_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class IdentitySourceRow:
    """An instance of single sign-on whose people may be approvers in an account."""

    source_id: str
    account_id: str
    instance_id: str
    region: str
    client_token: bytes | None
    """A digest of the caller's token and of the whole request that made the source."""
    created_at: datetime


_by_id = RowQuery(IdentitySourceRow, select(table).where(table.c.source_id == bindparam("source_id")))
_of_account = RowQuery(
    IdentitySourceRow, select(table).where(table.c.account_id == bindparam("account_id")).order_by(table.c.source_id)
)
_insert = RowInsert(IdentitySourceRow, table)
_remove = delete(table).where(table.c.source_id == bindparam("of_source"))


def with_id(db: Transaction, source_id: str) -> IdentitySourceRow | None:
    """Return the identity source with this id, whichever account's it is."""
    return _by_id.first(db, {"source_id": source_id})


def of_account(db: Transaction, account_id: str) -> list[IdentitySourceRow]:
    """Return the identity sources of an account; a quota keeps them few."""
    return _of_account.all(db, {"account_id": account_id})


def add(db: Transaction, row: IdentitySourceRow) -> None:
    """Keep a new identity source."""
    _insert.run(db, row)


def remove(db: Transaction, source_id: str) -> None:
    """Forget an identity source."""
    db.execute(_remove, {"of_source": source_id})
