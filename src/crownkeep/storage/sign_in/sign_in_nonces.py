"""Nonces of sign-in: each step of a sign-in that has begun may be taken once, by whoever spends its nonce first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.prepared import Prepared, PreparedChange

table = Table(
    "sign_in_nonces",
    metadata,
    Column("nonce", LargeBinary(16), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("expires_at", Moment, nullable=False, index=True),
)

_add = PreparedChange(insert(table))
_exists = Prepared(select(table.c.nonce).where(table.c.nonce == bindparam("of_nonce")))
_spend = PreparedChange(delete(table).where(table.c.nonce == bindparam("of_nonce")))
_forget = delete(table).where(table.c.expires_at < bindparam("before"))


def add(db: Transaction, nonce: bytes, account_id: str, *, expires_at: datetime) -> None:
    """Keep a fresh nonce."""
    _add.run(db, {"nonce": nonce, "account_id": account_id, "expires_at": expires_at})


def exists(db: Transaction, nonce: bytes) -> bool:
    """Tell whether a nonce is kept."""
    return _exists.first(db, {"of_nonce": nonce}) is not None


def spend(db: Transaction, nonce: bytes) -> bool:
    """Spend a nonce; returns False where it was spent before."""
    # The row count, and no look before: of two at once exactly one deletes the row.
    return _spend.run(db, {"of_nonce": nonce}) > 0


def forget(db: Transaction, *, before: datetime) -> None:
    """Forget the nonces that expired before a moment."""
    db.execute(_forget, {"before": before})
