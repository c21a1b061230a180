"""Leases of lanes: which process sends a lane's notices now, and until when it must have said so again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, String, Table, bindparam, delete, insert, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata

table = Table(
    "notice_leases",
    metadata,
    Column("lane", String(64), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("holder", String(32), nullable=False),
    Column("leased_until", Moment, nullable=False),
)

_is_lane = table.c.lane == bindparam("of_lane")
_take_over = (
    update(table)
    .where(_is_lane, table.c.leased_until <= bindparam("now"))
    .values(holder=bindparam("new_holder"), leased_until=bindparam("until"))
)
_renew = update(table).where(table.c.holder == bindparam("of_holder")).values(leased_until=bindparam("until"))
_release = delete(table).where(_is_lane, table.c.holder == bindparam("of_holder"))
# Whoever holds it: an expired lease was taken over just before, so a row that is left is another process's.
_is_there = table.select().where(_is_lane)


def take(db: Transaction, lane: str, account_id: str, *, holder: str, now: datetime, until: datetime) -> bool:
    """Lease a lane; returns False where another process holds it.

    Two processes that are first at once meet at the primary key: the database has one of them run its work again.
    """
    if db.execute(_take_over, {"of_lane": lane, "now": now, "new_holder": holder, "until": until}).rowcount:
        return True
    if db.execute(_is_there, {"of_lane": lane}).first() is not None:
        return False
    db.execute(insert(table), {"lane": lane, "account_id": account_id, "holder": holder, "leased_until": until})
    return True


def renew(db: Transaction, holder: str, *, until: datetime) -> bool:
    """Hold all that a process has leased for longer; returns False where it holds nothing any more."""
    return db.execute(_renew, {"of_holder": holder, "until": until}).rowcount > 0


def release(db: Transaction, lane: str, *, holder: str) -> bool:
    """Give a lane back; returns False where another process has taken it over."""
    return db.execute(_release, {"of_lane": lane, "of_holder": holder}).rowcount > 0
