"""Credential reports: the latest of each account, as it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "credential_reports",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("generated_at", Moment, nullable=False),
    Column("content", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CredentialReportRow:
    """One report: comma-separated values in UTF-8."""

    account_id: str
    generated_at: datetime
    content: bytes


_of_account = RowQuery(CredentialReportRow, select(table).where(table.c.account_id == bindparam("account_id")))
_generated_at = select(table.c.generated_at).where(table.c.account_id == bindparam("account_id"))
_remove = delete(table).where(table.c.account_id == bindparam("account_id"))


def of_account(db: Transaction, account_id: str) -> CredentialReportRow | None:
    """Return the account's latest report, however old."""
    return _of_account.first(db, {"account_id": account_id})


def generated_at(db: Transaction, account_id: str) -> datetime | None:
    """Return when the account's latest report was made, or None where there is none."""
    moment: datetime | None = db.execute(_generated_at, {"account_id": account_id}).scalar()
    return moment


def put(db: Transaction, row: CredentialReportRow) -> None:
    """Keep a report in the place of the one before."""
    db.execute(_remove, {"account_id": row.account_id})
    db.execute(insert(table), {"account_id": row.account_id, "generated_at": row.generated_at, "content": row.content})
