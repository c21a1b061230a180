"""Root users whose password is managed centrally: taken away for good, or to be chosen anew by whoever reads root's mail.

An account without a row has an ordinary root user.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, bindparam, delete, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "root_login_profiles",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("allowed_at", Moment),
)


@dataclass(frozen=True, slots=True)
class RootLoginProfileRow:
    """One account's root user, as far as its password is concerned."""

    account_id: str
    allowed_at: datetime | None
    """When recovery of the password was allowed; None where root has no credentials and is to have none."""


_of_account = RowQuery(RootLoginProfileRow, select(table).where(table.c.account_id == bindparam("account_id")))
_set = update(table).where(table.c.account_id == bindparam("of_account")).values(allowed_at=bindparam("at", type_=Moment))
_remove = delete(table).where(table.c.account_id == bindparam("of_account"))


def of_account(db: Transaction, account_id: str) -> RootLoginProfileRow | None:
    """Return what was decided of an account's root user, or None where nothing was."""
    return _of_account.first(db, {"account_id": account_id})


def allow(db: Transaction, account_id: str, *, at: datetime) -> None:
    """Let root's password be recovered."""
    _put(db, account_id, at)


def withhold(db: Transaction, account_id: str) -> None:
    """Let root's password be recovered by nobody: root has no credentials, and is to have none."""
    _put(db, account_id, None)


def remove(db: Transaction, account_id: str) -> None:
    """Forget what was decided: the account's root user is an ordinary one again."""
    db.execute(_remove, {"of_account": account_id})


def _put(db: Transaction, account_id: str, at: datetime | None) -> None:
    if not db.execute(_set, {"of_account": account_id, "at": at}).rowcount:
        db.execute(insert(table), {"account_id": account_id, "allowed_at": at})
