"""Which process sequences the trail: one row, whose lock keeps two of them apart and whose term spares the others the trial."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, bindparam, or_, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.prepared import PreparedChange
from crownkeep.storage.rows import RowQuery

table = Table(
    "trail_lease",
    metadata,
    Column("lease_id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(32), nullable=False),
    Column("held_until", Moment, nullable=False),
)
"""The row is made with the table, and is never removed."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """Who holds the lease, and until when."""

    holder: str
    held_until: datetime


_held = RowQuery(LeaseRow, select(table.c.holder, table.c.held_until).limit(bindparam("limit")))
_hold = PreparedChange(update(table).values(holder=table.c.holder))
_seize = PreparedChange(update(table).values(holder=bindparam("mine")))
_take = PreparedChange(
    update(table)
    .where(or_(table.c.holder == bindparam("mine"), table.c.held_until <= bindparam("now", type_=Moment)))
    .values(holder=bindparam("mine"), held_until=bindparam("until", type_=Moment))
)


def held(db: Transaction) -> LeaseRow | None:
    """Return who holds the lease as it was last committed."""
    return _held.first(db, {"limit": 1})


def hold(db: Transaction) -> None:
    """Wait until nobody sequences, and keep it so to the transaction's end; for what must be done once."""
    _hold.run(db, {})


def seize(db: Transaction, holder: str) -> None:
    """Take the lease from whoever has it, and hold its row until the transaction ends; for a command that can't wait its turn.

    It takes nothing from anybody but time: the row's lock is what keeps two of them apart.
    """
    _seize.run(db, {"mine": holder})


def take(db: Transaction, holder: str, *, now: datetime, until: datetime) -> bool:
    """Take or keep the lease, and hold its row until the transaction ends; returns False where another has it.

    Whoever holds the row has the tree to itself, whatever the clocks of other machines say: they wait here, and then see the
    tree as it was left.
    """
    return _take.run(db, {"mine": holder, "now": now, "until": until}) > 0
