"""Access reports that were asked for: what each is about and who asked. What it says is read when it is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "access_reports",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("asked_by", UniqueId, nullable=False),
    Column("about_arn", AnyArn, nullable=False),
    Column("granularity", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "account_id", "created_at"),
)


@dataclass(frozen=True, slots=True)
class AccessReportRow:
    """One report. `asked_by` is the unique id of whoever asked; `about_arn` names a user, group, role or policy."""

    job_id: str
    account_id: str
    asked_by: str
    about_arn: str
    granularity: str
    created_at: datetime


# By the account as well: a job id is no secret, and must open no other account's report.
_by_id = RowQuery(
    AccessReportRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.job_id == bindparam("job_id"))
)
_remove_before = delete(table).where(
    table.c.account_id == bindparam("account_id"), table.c.created_at < bindparam("moment", type_=Moment)
)
_insert = RowInsert(AccessReportRow, table)


def with_id(db: Transaction, account_id: str, job_id: str) -> AccessReportRow | None:
    """Return the account's report with this id."""
    return _by_id.first(db, {"account_id": account_id, "job_id": job_id})


def add(db: Transaction, row: AccessReportRow) -> None:
    """Keep a report that was asked for."""
    _insert.run(db, row)


def remove_before(db: Transaction, account_id: str, moment: datetime) -> None:
    """Forget the account's reports that are older than this."""
    db.execute(_remove_before, {"account_id": account_id, "moment": moment})
