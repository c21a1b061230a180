"""Bearer tokens with which another directory provisions an identity store: only digests are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.instances import StoreId

table = Table(
    "scim_tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("token_id", String(36), nullable=False),
    Column("identity_store_id", StoreId, nullable=False, index=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ScimTokenRow:
    """One token. `account_id` owns the identity store."""

    digest: bytes
    token_id: str
    """What records call it."""
    identity_store_id: str
    account_id: str
    created_at: datetime
    expires_at: datetime


_with_digest = RowQuery(ScimTokenRow, select(table).where(table.c.digest == bindparam("digest")))
_of_store = RowQuery(
    ScimTokenRow,
    select(table).where(table.c.identity_store_id == bindparam("store_id")).order_by(table.c.created_at, table.c.token_id),
)
_insert = RowInsert(ScimTokenRow, table)
_in_store = table.c.identity_store_id == bindparam("of_store")
_remove = delete(table).where(_in_store, table.c.token_id == bindparam("of_token"))
_remove_all = delete(table).where(_in_store)


def with_digest(db: Transaction, digest: bytes) -> ScimTokenRow | None:
    """Return the token that has this digest."""
    return _with_digest.first(db, {"digest": digest})


def of_store(db: Transaction, store_id: str) -> list[ScimTokenRow]:
    """Return the tokens of a store, the oldest first: it has two at most."""
    return _of_store.all(db, {"store_id": store_id})


def add(db: Transaction, row: ScimTokenRow) -> None:
    """Keep a new token."""
    _insert.run(db, row)


def remove(db: Transaction, store_id: str, token_id: str) -> bool:
    """Forget a token, and return whether there was one."""
    return bool(db.execute(_remove, {"of_store": store_id, "of_token": token_id}).rowcount)


def remove_all(db: Transaction, store_id: str) -> None:
    """Forget every token of a store that goes."""
    db.execute(_remove_all, {"of_store": store_id})
