"""Scheduled audits of accounts: how each came out, and which account's is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table, Text, and_, bindparam, delete, func, or_, select

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

MOST_KEPT = 120
"""Audits of one account that are kept: thirty years of quarters."""

table = Table(
    "account_audits",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("audited_at", Moment, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("not_applicable", Integer, nullable=False),
    Column("critical", Integer, nullable=False),
    Column("high", Integer, nullable=False),
    Column("medium", Integer, nullable=False),
    Column("low", Integer, nullable=False),
    Column("failing", Text, nullable=False),
    Column("passwords", Integer),
    Column("passwords_with_mfa", Integer),
    Column("credentials", Integer),
    Column("old_credentials", Integer),
    PrimaryKeyConstraint("account_id", "audited_at"),
)


@dataclass(frozen=True, slots=True)
class AccountAuditRow:
    """One audit: how many findings came out how, those that fail by their severity."""

    account_id: str
    audited_at: datetime
    passed: int
    unknown: int
    not_applicable: int
    critical: int
    high: int
    medium: int
    low: int
    failing: str
    """A JSON object: each check that fails, and for how many resources."""
    passwords: int | None = None
    """This and what follows: None of an audit before they were counted, and of one that could read no credential report."""
    passwords_with_mfa: int | None = None
    credentials: int | None = None
    """Passwords and active access keys whose age is known."""
    old_credentials: int | None = None

    @property
    def failed(self) -> int:
        """How many findings fail."""
        return self.critical + self.high + self.medium + self.low


@dataclass(frozen=True, slots=True)
class DueAccountRow:
    """An account whose audit is due, and when it was audited last; None where it never was."""

    account_id: str
    audited_at: datetime | None


_last = select(table.c.account_id, func.max(table.c.audited_at).label("at")).group_by(table.c.account_id).subquery()
# An account that was never audited has no last audit: how old it is decides then.
_is_due = or_(
    _last.c.at <= bindparam("audited_before"), and_(_last.c.at.is_(None), accounts.table.c.created_at <= bindparam("made_before"))
)
_due = RowQuery(
    DueAccountRow,
    select(accounts.table.c.account_id, _last.c.at.label("audited_at"))
    .select_from(accounts.table.outerjoin(_last, _last.c.account_id == accounts.table.c.account_id))
    .where(accounts.table.c.state == "ACTIVE", _is_due)
    .order_by(func.coalesce(_last.c.at, accounts.table.c.created_at), accounts.table.c.account_id)
    .limit(bindparam("limit")),
)
_newest = RowQuery(
    AccountAuditRow,
    select(table)
    .where(table.c.account_id == bindparam("of_account"))
    .order_by(table.c.audited_at.desc())
    .limit(bindparam("limit")),
)
_forget = delete(table).where(table.c.account_id == bindparam("of_account"), table.c.audited_at < bindparam("before"))
_insert = RowInsert(AccountAuditRow, table)


def due(db: Transaction, *, audited_before: datetime, made_before: datetime, limit: int) -> list[DueAccountRow]:
    """Return the accounts whose last audit lies so far back, or that are so old and never were audited, the longest first."""
    return _due.all(db, {"audited_before": audited_before, "made_before": made_before, "limit": limit})


def newest(db: Transaction, account_id: str, *, limit: int) -> list[AccountAuditRow]:
    """Return the last audits of an account, the newest first."""
    return _newest.all(db, {"of_account": account_id, "limit": limit})


def add(db: Transaction, row: AccountAuditRow) -> None:
    """Keep an audit, and forget the oldest beyond so many."""
    _insert.run(db, row)
    kept = newest(db, row.account_id, limit=MOST_KEPT)
    if len(kept) == MOST_KEPT:
        db.execute(_forget, {"of_account": row.account_id, "before": kept[-1].audited_at})
