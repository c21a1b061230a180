"""The outbox: notices that wait to be sent, each until it has gone out or is given up; their contents are sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "outbox",
    metadata,
    Column("letter_id", String(32), key="notice_id", primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("recipient", String(254), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("sealed_values", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("claimed_until", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_fault", Text, nullable=False),
    Index(None, "due_at", "notice_id"),
)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice. `kind` names its template, `sealed_values` what it says; the ids are ordered by time.

    A notice without a recipient is nobody's: it is thrown away when it is due (`signin.recovery` says why there are such).
    """

    notice_id: str
    account_id: str
    recipient: str
    kind: str
    sealed_values: bytes
    created_at: datetime
    due_at: datetime
    claimed_until: datetime
    """Until then one process is sending it, and no other touches it."""
    attempts: int = 0
    last_fault: str = ""


_this = table.c.notice_id == bindparam("of_notice")
_with_id = RowQuery(NoticeRow, select(table).where(_this))
_due = RowQuery(
    NoticeRow,
    select(table)
    .where(table.c.due_at <= bindparam("now"), table.c.claimed_until <= bindparam("now"))
    .order_by(table.c.due_at, table.c.notice_id)
    .limit(bindparam("limit")),
)
_claim = (
    update(table)
    .where(_this, table.c.due_at <= bindparam("now"), table.c.claimed_until <= bindparam("now"))
    .values(claimed_until=bindparam("until"))
)
_postpone = (
    update(table)
    .where(_this)
    .values(
        due_at=bindparam("new_due_at"),
        claimed_until=bindparam("new_claimed_until"),
        attempts=bindparam("new_attempts"),
        last_fault=bindparam("new_fault"),
    )
)
_remove = delete(table).where(_this)
_page = RowQuery(
    NoticeRow,
    select(table)
    .where(table.c.notice_id > bindparam("after"), table.c.recipient != "")
    .order_by(table.c.notice_id)
    .limit(bindparam("limit")),
)
_latest = RowQuery(
    NoticeRow,
    select(table)
    .where(table.c.account_id == bindparam("of_account"), table.c.recipient != "")
    .order_by(table.c.notice_id.desc())
    .limit(bindparam("limit")),
)
_insert = RowInsert(NoticeRow, table)


def with_id(db: Transaction, notice_id: str) -> NoticeRow | None:
    """Return the notice with this id that has not gone out yet."""
    return _with_id.first(db, {"of_notice": notice_id})


def add(db: Transaction, row: NoticeRow) -> None:
    """Put a notice into the outbox; it goes out when the transaction has committed."""
    _insert.run(db, row)


def due(db: Transaction, *, now: datetime, limit: int) -> list[NoticeRow]:
    """Return notices that may be sent now and that no process has claimed, the longest due first."""
    return _due.all(db, {"now": now, "limit": limit})


def claim(db: Transaction, notice_id: str, *, now: datetime, until: datetime) -> bool:
    """Claim a notice for sending; answers False where another process was faster, or has sent it."""
    return db.execute(_claim, {"of_notice": notice_id, "now": now, "until": until}).rowcount > 0


def postpone(db: Transaction, notice_id: str, *, due_at: datetime, attempts: int, fault: str) -> None:
    """Let a notice wait for another attempt, for whoever claims it then."""
    values = {"new_due_at": due_at, "new_claimed_until": due_at, "new_attempts": attempts, "new_fault": fault}
    db.execute(_postpone, {"of_notice": notice_id, **values})


def remove(db: Transaction, notice_id: str) -> bool:
    """Forget a notice that was sent or is given up; answers False where another process has forgotten it."""
    return db.execute(_remove, {"of_notice": notice_id}).rowcount > 0


def latest(db: Transaction, account_id: str, *, limit: int) -> list[NoticeRow]:
    """Return the last of an account's notices that wait, the latest written first."""
    return _latest.all(db, {"of_account": account_id, "limit": limit})


def page(db: Transaction, *, after: str, limit: int) -> list[NoticeRow]:
    """Return up to `limit` waiting notices in the order they were written, from the one after `after`; for the operator."""
    return _page.all(db, {"after": after, "limit": limit})
