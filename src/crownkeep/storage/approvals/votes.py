"""Votes: what each approver has answered in a session, once, with the assertion of the key that signed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, Text, bindparam, case, exists, func, select

from crownkeep.storage.approvals import sessions
from crownkeep.storage.approvals.approvers import IdentityKey
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "approval_votes",
    metadata,
    Column("session_id", UniqueId, nullable=False),
    Column("approver_id", UniqueId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("identity", IdentityKey, nullable=False),
    Column("key_id", UniqueId, nullable=False),
    Column("decision", String(8), nullable=False),
    Column("assertion", Text, nullable=False),
    Column("voted_at", Moment, nullable=False),
    PrimaryKeyConstraint("session_id", "approver_id"),
)


@dataclass(frozen=True, slots=True)
class ApprovalVoteRow:
    """One vote; the database refuses a second one of the same approver in the same session."""

    session_id: str
    approver_id: str
    account_id: str
    """The team's account."""
    identity: str
    key_id: str
    """Which of the approver's keys signed it."""
    decision: str
    """`APPROVED` or `REJECTED`."""
    assertion: str
    """The assertion with all that it takes to verify it, as a JSON text."""
    voted_at: datetime


_of_session = RowQuery(
    ApprovalVoteRow, select(table).where(table.c.session_id == bindparam("session_id")).order_by(table.c.voted_at)
)
_of_sessions = RowQuery(
    ApprovalVoteRow,
    select(table).where(table.c.session_id.in_(bindparam("session_ids", expanding=True))).order_by(table.c.voted_at),
)
_one = RowQuery(
    ApprovalVoteRow,
    select(table).where(table.c.session_id == bindparam("session_id"), table.c.approver_id == bindparam("approver_id")),
)
_insert = RowInsert(ApprovalVoteRow, table)


def _unanswered() -> RowQuery[ApprovalSessionRow]:
    """Requesters in turns, with root and the operator before everybody else: whoever asks often pushes nobody off the page."""
    asked = sessions.table
    is_answered = exists().where(
        table.c.session_id == asked.c.session_id, table.c.approver_id.in_(bindparam("approver_ids", expanding=True))
    )
    # Root's lasting id is its account's, and the operator has no account.
    is_other = case((asked.c.requester_account_id.in_(["", asked.c.requester_id]), 0), else_=1)
    whose = (asked.c.requester_id, asked.c.requester_account_id)
    numbered = (
        select(
            asked.c.session_id,
            is_other.label("is_other"),
            func.row_number().over(partition_by=whose, order_by=asked.c.session_id.desc()).label("turn"),
        )
        .where(
            asked.c.version_id.in_(bindparam("version_ids", expanding=True)),
            asked.c.status == "PENDING",
            asked.c.expires_at > bindparam("now"),
            ~is_answered,
        )
        .subquery()
    )
    order = (numbered.c.is_other, numbered.c.turn, asked.c.session_id.desc())
    of_each = select(asked).join(numbered, numbered.c.session_id == asked.c.session_id).order_by(*order)
    return RowQuery(ApprovalSessionRow, of_each.limit(bindparam("limit")))


_unanswered_of = _unanswered()


def of_session(db: Transaction, session_id: str) -> list[ApprovalVoteRow]:
    """Return the votes of a session in the order in which they came."""
    return _of_session.all(db, {"session_id": session_id})


def of_sessions(db: Transaction, session_ids: Sequence[str]) -> list[ApprovalVoteRow]:
    """Return the votes of some sessions in the order in which they came."""
    return _of_sessions.all(db, {"session_ids": list(session_ids)}) if session_ids else []


def unanswered(
    db: Transaction, approver_ids: Sequence[str], version_ids: Sequence[str], *, now: datetime, limit: int
) -> list[ApprovalSessionRow]:
    """Return up to `limit` sessions of some versions of teams that wait for somebody's vote, requesters in turns."""
    if not approver_ids:
        return []
    wanted = {"approver_ids": list(approver_ids), "version_ids": list(version_ids), "now": now, "limit": limit}
    return _unanswered_of.all(db, wanted)


def find(db: Transaction, session_id: str, approver_id: str) -> ApprovalVoteRow | None:
    """Return an approver's vote in a session."""
    return _one.first(db, {"session_id": session_id, "approver_id": approver_id})


def add(db: Transaction, row: ApprovalVoteRow) -> None:
    """Keep a vote."""
    _insert.run(db, row)
