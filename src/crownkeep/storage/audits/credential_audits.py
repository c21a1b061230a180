"""Credential audits: one open at a time in an account, numbered, and frozen once they are closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, UniqueConstraint, bindparam, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

OPEN = "OPEN"
SIGNED_OFF = "SIGNED_OFF"
CANCELLED = "CANCELLED"

table = Table(
    "credential_audits",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("audit_id", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("credential_count", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("started_by", AnyArn, nullable=False),
    Column("start_event_id", String(36), nullable=False),
    Column("snapshot_sha256", String(64), nullable=False),
    Column("previous_audit_id", String(64)),
    Column("closed_at", Moment),
    Column("closed_by", AnyArn),
    Column("closing_event_id", String(36)),
    Column("statement", String(1000)),
    Column("evidence_sha256", String(64)),
    UniqueConstraint("account_id", "number"),
)


@dataclass(frozen=True, slots=True)
class CredentialAuditRow:
    """One audit. `version` grows with every decision, so that what was read before can be told from what is."""

    account_id: str
    audit_id: str
    number: int
    name: str
    status: str
    version: int
    credential_count: int
    started_at: datetime
    started_by: str
    start_event_id: str
    snapshot_sha256: str
    previous_audit_id: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closing_event_id: str | None = None
    statement: str | None = None
    evidence_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """How an audit ends."""

    status: str
    at: datetime
    by: str
    event_id: str
    statement: str
    evidence_sha256: str | None = None


_in_account = table.c.account_id == bindparam("of_account")
_this = (_in_account, table.c.audit_id == bindparam("of_audit"))
_with_id = RowQuery(CredentialAuditRow, select(table).where(*_this))
_of_status = RowQuery(
    CredentialAuditRow,
    select(table).where(_in_account, table.c.status == bindparam("of_status")).order_by(table.c.number.desc()).limit(1),
)
_latest = (
    select(table)
    .where(_in_account, table.c.number < bindparam("before"))
    .order_by(table.c.number.desc())
    .limit(bindparam("limit"))
)
_page = RowQuery(CredentialAuditRow, _latest)
_page_of_status = RowQuery(CredentialAuditRow, _latest.where(table.c.status == bindparam("of_status")))
_last_number = select(func.coalesce(func.max(table.c.number), 0)).where(_in_account)
# Both end at what is open: a closed audit can't be changed by any query of ours.
_advance = update(table).where(*_this, table.c.status == OPEN).values(version=table.c.version + 1)
_close = (
    update(table)
    .where(*_this, table.c.status == OPEN, table.c.version == bindparam("at_version"))
    .values(
        status=bindparam("new_status"),
        closed_at=bindparam("at"),
        closed_by=bindparam("by"),
        closing_event_id=bindparam("event_id"),
        statement=bindparam("new_statement"),
        evidence_sha256=bindparam("new_digest"),
    )
)
_insert = RowInsert(CredentialAuditRow, table)


def with_id(db: Transaction, account_id: str, audit_id: str) -> CredentialAuditRow | None:
    """Return the account's audit with this id."""
    return _with_id.first(db, {"of_account": account_id, "of_audit": audit_id})


def latest(db: Transaction, account_id: str, *, status: str) -> CredentialAuditRow | None:
    """Return the account's latest audit of this status."""
    return _of_status.first(db, {"of_account": account_id, "of_status": status})


def page(db: Transaction, account_id: str, *, before: int, limit: int, status: str | None) -> list[CredentialAuditRow]:
    """Return up to `limit` audits with numbers below `before`, the latest first."""
    values = {"of_account": account_id, "before": before, "limit": limit}
    return _page.all(db, values) if status is None else _page_of_status.all(db, {**values, "of_status": status})


def next_number(db: Transaction, account_id: str) -> int:
    """Return the number of the account's next audit."""
    return int(db.execute(_last_number, {"of_account": account_id}).scalar_one()) + 1


def add(db: Transaction, row: CredentialAuditRow) -> None:
    """Keep a new audit."""
    _insert.run(db, row)


def advance(db: Transaction, account_id: str, audit_id: str) -> bool:
    """Count a decision of an open audit; returns False, and changes nothing, where it is closed."""
    return db.execute(_advance, {"of_account": account_id, "of_audit": audit_id}).rowcount > 0


def close(db: Transaction, row: CredentialAuditRow, closing: Closing) -> bool:
    """End an open audit as it was read; returns False, and changes nothing, where it is closed or has gone on since."""
    values = {
        "of_account": row.account_id,
        "of_audit": row.audit_id,
        "at_version": row.version,
        "new_status": closing.status,
        "at": closing.at,
        "by": closing.by,
        "event_id": closing.event_id,
        "new_statement": closing.statement,
        "new_digest": closing.evidence_sha256,
    }
    return db.execute(_close, values).rowcount > 0
