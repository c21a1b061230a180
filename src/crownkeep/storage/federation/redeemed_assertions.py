"""SAML assertions that sessions were given for: each is good once, whichever node it is presented to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata

table = Table(
    "redeemed_assertions",
    metadata,
    Column("account_id", AccountId, nullable=False),
    # A hash of the provider's own id and of what it calls the assertion, which may be of any length.
    Column("digest", LargeBinary(32), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    PrimaryKeyConstraint("account_id", "digest"),
)

_exists = select(table.c.digest).where(table.c.account_id == bindparam("account_id"), table.c.digest == bindparam("digest"))
_forget = delete(table).where(table.c.expires_at < bindparam("before"))


def redeem(db: Transaction, account_id: str, digest: bytes, *, expires_at: datetime, now: datetime) -> bool:
    """Note that an assertion is used, until it expires; returns False where it was used before.

    Where two nodes do so at once, the key lets one of them commit, and the other sees it when its work is run again.
    """
    if db.execute(_exists, {"account_id": account_id, "digest": digest}).first() is not None:
        return False
    db.execute(_forget, {"before": now})
    db.execute(insert(table), {"account_id": account_id, "digest": digest, "expires_at": expires_at})
    return True
