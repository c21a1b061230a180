"""Changes of root users' e-mail addresses that wait for the code that went to the new one; one at a time for each account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "email_changes",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False),
    Column("requested_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class EmailChangeRow:
    """One change; `attempts` counts wrong codes."""

    account_id: str
    email: str
    code_digest: bytes
    requested_at: datetime
    expires_at: datetime
    attempts: int = 0


_this = table.c.account_id == bindparam("of_account")
_of_account = RowQuery(EmailChangeRow, select(table).where(_this))
_count_attempt = update(table).where(_this).values(attempts=table.c.attempts + 1)
_remove = delete(table).where(_this)
_insert = RowInsert(EmailChangeRow, table)


def of_account(db: Transaction, account_id: str) -> EmailChangeRow | None:
    """Return the account's change, expired or not."""
    return _of_account.first(db, {"of_account": account_id})


def put(db: Transaction, row: EmailChangeRow) -> None:
    """Keep a change, in the place of the account's one before."""
    # A second request voids the first one's code: only the newest address can be taken.
    remove(db, row.account_id)
    _insert.run(db, row)


def count_attempt(db: Transaction, account_id: str) -> None:
    """Count a wrong code."""
    db.execute(_count_attempt, {"of_account": account_id})


def remove(db: Transaction, account_id: str) -> None:
    """Forget the account's change."""
    db.execute(_remove, {"of_account": account_id})
