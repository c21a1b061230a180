"""Votes: what each approver has answered in a session, once, with the assertion of the key that signed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, Text, bindparam, select

from crownkeep.storage.approvals.approvers import IdentityKey
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
_one = RowQuery(
    ApprovalVoteRow,
    select(table).where(table.c.session_id == bindparam("session_id"), table.c.approver_id == bindparam("approver_id")),
)
_insert = RowInsert(ApprovalVoteRow, table)


def of_session(db: Transaction, session_id: str) -> list[ApprovalVoteRow]:
    """Return the votes of a session in the order in which they came."""
    return _of_session.all(db, {"session_id": session_id})


def find(db: Transaction, session_id: str, approver_id: str) -> ApprovalVoteRow | None:
    """Return an approver's vote in a session."""
    return _one.first(db, {"session_id": session_id, "approver_id": approver_id})


def add(db: Transaction, row: ApprovalVoteRow) -> None:
    """Keep a vote."""
    _insert.run(db, row)
