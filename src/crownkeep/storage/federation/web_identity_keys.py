"""The keys that sign an account's web identity tokens: the secret part sealed, the public one as its issuer publishes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "web_identity_keys",
    metadata,
    Column("key_id", String(36), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("algorithm", String(5), nullable=False),
    Column("sealed_private_key", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "account_id", "algorithm", "created_at"),
)


@dataclass(frozen=True, slots=True)
class WebIdentityKeyRow:
    """One signing key. `public_key` is a JSON Web Key (RFC 7517)."""

    key_id: str
    account_id: str
    algorithm: str
    """`RS256` or `ES384`."""
    sealed_private_key: bytes
    public_key: str
    created_at: datetime


_keys = select(table).where(table.c.account_id == bindparam("account_id")).order_by(table.c.created_at.desc(), table.c.key_id)
_of_account = RowQuery(WebIdentityKeyRow, _keys)
_newest = RowQuery(WebIdentityKeyRow, _keys.where(table.c.algorithm == bindparam("algorithm")).limit(1))
_remove_older = delete(table).where(
    table.c.account_id == bindparam("of_account"),
    table.c.algorithm == bindparam("of_algorithm"),
    table.c.created_at < bindparam("made_before"),
)
_insert = RowInsert(WebIdentityKeyRow, table)


def of_account(db: Transaction, account_id: str) -> list[WebIdentityKeyRow]:
    """Return every key of the account, the newest first."""
    return _of_account.all(db, {"account_id": account_id})


def newest(db: Transaction, account_id: str, algorithm: str) -> WebIdentityKeyRow | None:
    """Return the account's newest key for an algorithm."""
    return _newest.first(db, {"account_id": account_id, "algorithm": algorithm})


def add(db: Transaction, row: WebIdentityKeyRow) -> None:
    """Keep a new key."""
    _insert.run(db, row)


def remove_older(db: Transaction, account_id: str, algorithm: str, *, made_before: datetime) -> None:
    """Forget the account's keys for an algorithm that were made before a moment."""
    db.execute(_remove_older, {"of_account": account_id, "of_algorithm": algorithm, "made_before": made_before})
