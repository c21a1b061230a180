"""Closing an account: none of its credentials works from then on, and nothing of it is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from crownkeep import clock
from crownkeep.operations.standing import ACTIVE
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction

SUSPENDED = "SUSPENDED"
"""The state of a closed account, which may be reopened for a while (Account Management reference, "AccountState")."""

REOPENED_WITHIN = timedelta(days=90)
"""How long a closed account may be reopened, as on AWS (Account Management guide, "Close an AWS account")."""


def close(db: Transaction, account_id: str, *, now: datetime) -> None:
    """Close an account that is open."""
    _change(db, account_id, state=SUSPENDED, closed_at=now)


def reopen(db: Transaction, account_id: str) -> None:
    """Open a closed account again: its credentials work as before."""
    _change(db, account_id, state=ACTIVE, closed_at=None)


def _change(db: Transaction, account_id: str, **values: object) -> None:
    accounts.change(db, account_id, **values)
    # The revision is what voids every cache of who may do what in the account.
    accounts.touch(db, account_id, clock.revision())
