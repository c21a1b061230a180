"""Holds: rules that concern the whole house, checked and written by one transaction at a time.

What concerns one account is done while its row is held (`accounts.hold`), what concerns an organization while that one's row
is. A rule over all accounts that no unique index can keep takes one of these.
"""

from __future__ import annotations

from enum import Enum

from crownkeep.storage.database import Transaction, run_plainly

_HOUSE = 0x43524F57
"""Tells our holds from the advisory locks of others in the same PostgreSQL database."""


class Hold(Enum):
    """What only one transaction may check and write at a time."""

    SEALING_KEYS = 1
    """Which sealing keys the database knows: two nodes may start on an empty one at once."""
    HARDWARE_TOKENS = 2
    """Which account a hardware token belongs to."""
    CUSTODY = 3
    """Who the approvers are, by which keys, and which accounts are sealed under those who could act."""


def take(db: Transaction, hold: Hold) -> None:
    """Wait until nobody else has this, and keep it to the transaction's end."""
    # SQLite's writing transactions exclude one another from their beginning.
    if db.dialect.name != "sqlite":
        # It ends with the transaction, however that ends: nobody has to give it back.
        run_plainly(db, "SELECT pg_advisory_xact_lock(?, ?)", (_HOUSE, hold.value))
