"""Places that people have said to trust: a browser in a network, in which they are not asked for a second factor for a while."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata

table = Table(
    "trusted_places",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Index(None, "account_id", "owner_id"),
)

# The digest covers person, browser and network, so that a place that anybody else has looks like none.
_is_trusted = select(table.c.digest).where(table.c.digest == bindparam("of_digest"), table.c.expires_at > bindparam("now"))
_remove = delete(table).where(table.c.digest == bindparam("of_digest"))
_remove_all = delete(table).where(table.c.account_id == bindparam("of_account"), table.c.owner_id == bindparam("of_owner"))
_forget = delete(table).where(table.c.expires_at < bindparam("before"))


def is_trusted(db: Transaction, digest: bytes, *, now: datetime) -> bool:
    """Tell whether a person trusts a place."""
    return db.execute(_is_trusted, {"of_digest": digest, "now": now}).first() is not None


def trust(db: Transaction, digest: bytes, account_id: str, owner_id: str, *, until: datetime) -> None:
    """Remember that a person trusts a place."""
    db.execute(_remove, {"of_digest": digest})
    db.execute(insert(table), {"digest": digest, "account_id": account_id, "owner_id": owner_id, "expires_at": until})


def remove_all(db: Transaction, account_id: str, owner_id: str) -> None:
    """Forget every place that a person trusts."""
    db.execute(_remove_all, {"of_account": account_id, "of_owner": owner_id})


def forget(db: Transaction, *, before: datetime) -> None:
    """Forget what is trusted no more."""
    db.execute(_forget, {"before": before})
