"""Tallies: how often something happened within a span of time, for what must not happen without end, such as mail to somebody."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, LargeBinary, Table, bindparam, delete, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata

_LONGEST_SPAN = timedelta(days=1)

table = Table(
    "tallies",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("began_at", Moment, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)

_with_digest = select(table.c.began_at, table.c.count).where(table.c.digest == bindparam("of_digest")).with_for_update()
_change = (
    update(table)
    .where(table.c.digest == bindparam("of_digest"))
    .values(began_at=bindparam("new_began_at"), count=bindparam("new_count"))
)
_forget = delete(table).where(table.c.began_at < bindparam("before"))


def count_up(db: Transaction, digest: bytes, account_id: str, *, now: datetime, span: timedelta) -> int:
    """Count one more under a key, and return how many there are since the span began; a day is the longest span.

    The row is held to the transaction's end, so that of many at once each is counted.
    `digest` is a hash of what is counted, so that the table tells nobody's address; `account_id` is empty where it is about none.
    """
    row = db.execute(_with_digest, {"of_digest": digest}).first()
    if row is None:
        # On the way of a new key, which is rare: no job has to clean this table up.
        db.execute(_forget, {"before": now - _LONGEST_SPAN})
        db.execute(insert(table), {"digest": digest, "account_id": account_id, "began_at": now, "count": 1})
        return 1
    # A fixed window that begins with the first of it: at a window's end up to twice as many may pass in a row.
    began_at, count = (row[0], row[1] + 1) if now - row[0] < span else (now, 1)
    db.execute(_change, {"of_digest": digest, "new_began_at": began_at, "new_count": count})
    return int(count)
