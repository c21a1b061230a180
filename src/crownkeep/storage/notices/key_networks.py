"""Networks that access keys were used from, to notice a new one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, String, Table, bindparam, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata

MOST = 64
"""Networks of a key that are remembered; of one that is used from more nothing can be said."""

table = Table(
    "key_networks",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("access_key_id", String(128), primary_key=True),
    Column("network", String(64), primary_key=True),
    Column("first_used_at", Moment, nullable=False),
)

_of_key = (
    select(table.c.network)
    .where(table.c.account_id == bindparam("of_account"), table.c.access_key_id == bindparam("of_key"))
    .limit(MOST)
)


def of_key(db: Transaction, account_id: str, access_key_id: str) -> set[str]:
    """Return the networks that a key was used from, up to MOST of them."""
    return {str(row[0]) for row in db.execute(_of_key, {"of_account": account_id, "of_key": access_key_id})}


def add(db: Transaction, account_id: str, access_key_id: str, network: str, *, at: datetime) -> None:
    """Remember a network."""
    values = {"account_id": account_id, "access_key_id": access_key_id, "network": network, "first_used_at": at}
    db.execute(insert(table), values)
