"""The revision of everybody's alert settings: while it stays, what a process has read of them is still true."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, bindparam, insert, update

from crownkeep.storage.database import Transaction, run_plainly
from crownkeep.storage.metadata import metadata

table = Table(
    "alert_revisions",
    metadata,
    Column("scope", String(16), primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

_SCOPE = "all"
_READ = "SELECT revision FROM alert_revisions WHERE scope = 'all'"
_touch = update(table).where(table.c.scope == bindparam("of_scope")).values(revision=bindparam("new_revision"))


def current(db: Transaction) -> int:
    """Return the revision; every group of events asks for it."""
    row = run_plainly(db, _READ).fetchone()
    return int(row[0]) if row else 0


def touch(db: Transaction, revision: int) -> None:
    """Give it another value, in the transaction of a change to any account's rules, silences or receivers."""
    if not db.execute(_touch, {"of_scope": _SCOPE, "new_revision": revision}).rowcount:
        db.execute(insert(table), {"scope": _SCOPE, "revision": revision})
