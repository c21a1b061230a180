"""Sessions of approval: one request each, put to a version of a team, from its beginning to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, bindparam, func, select, update

from crownkeep.storage.approvals.teams import TeamId
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "approval_sessions",
    metadata,
    Column("session_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("team_id", TeamId, nullable=False),
    Column("version_id", UniqueId, nullable=False),
    Column("requester_arn", AnyArn, nullable=False),
    Column("requester_id", String(160), nullable=False),
    Column("requester_account_id", AccountId, nullable=False),
    Column("requester_region", String(32), nullable=False),
    Column("service", String(100), nullable=False),
    Column("action", String(128), nullable=False),
    Column("protected_arn", AnyArn, nullable=False),
    Column("acted_account_id", AccountId, nullable=False, index=True),
    Column("description", String(256), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ticket", String(256), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("document", Text, nullable=False),
    Column("nonce", LargeBinary(32), nullable=False),
    Column("asked", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("status_code", String(32)),
    Column("status_message", String(500)),
    Column("execution_status", String(16)),
    Column("initiated_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("completed_at", Moment),
    Index(None, "team_id", "session_id"),
    Index(None, "status", "expires_at"),
)


@dataclass(frozen=True, slots=True)
class ApprovalSessionRow:
    """One request for approval. What its approvers sign is bound to `digest`, which covers the whole of `document`."""

    session_id: str
    account_id: str
    """The team's account."""
    team_id: str
    version_id: str
    """The version of the team that decides: who is asked, and how many must approve."""
    requester_arn: str
    requester_id: str
    """The requester's lasting id, which a namesake doesn't have; `operator` for the operator."""
    requester_account_id: str
    """Empty for the operator."""
    requester_region: str
    service: str
    """The service whose operation waits, such as `mpa.amazonaws.com`."""
    action: str
    """What is to be done, such as `mpa:UpdateApprovalTeam`."""
    protected_arn: str
    """To what it is to be done."""
    acted_account_id: str
    """In which account it is to be done."""
    description: str
    reason: str
    ticket: str
    digest: bytes
    """SHA-256 of `document`."""
    document: str
    """The whole request in the canonical form of RFC 8785."""
    nonce: bytes
    asked: str
    """The ids of the approvers who are asked, one a line; empty where it is all of the version."""
    status: str
    """`CREATING`, `PENDING`, `APPROVED`, `FAILED` or `CANCELLED`."""
    status_code: str | None
    """`REJECTED`, `EXPIRED`, `CONFIGURATION_CHANGED` or `ALL_APPROVERS_IN_SESSION`."""
    status_message: str | None
    execution_status: str | None
    """`PENDING`, `EXECUTED` or `FAILED`."""
    initiated_at: datetime
    expires_at: datetime
    completed_at: datetime | None = None


_by_id = RowQuery(ApprovalSessionRow, select(table).where(table.c.session_id == bindparam("session_id")))
_for_update = RowQuery(ApprovalSessionRow, select(table).where(table.c.session_id == bindparam("session_id")).with_for_update())
_count_open = select(func.count()).where(
    table.c.requester_id == bindparam("requester_id"),
    table.c.requester_account_id == bindparam("account_id"),
    table.c.status.in_(["PENDING", "APPROVED"]),
    table.c.execution_status == "PENDING",
    table.c.expires_at > bindparam("now"),
)
_count_begun = select(func.count()).where(
    table.c.requester_id == bindparam("requester_id"),
    table.c.requester_account_id == bindparam("account_id"),
    table.c.initiated_at > bindparam("since"),
)
_latest_of_acted = RowQuery(
    ApprovalSessionRow,
    select(table)
    .where(table.c.acted_account_id == bindparam("acted_account_id"))
    .order_by(table.c.session_id.desc())
    .limit(bindparam("limit")),
)
_page = RowQuery(
    ApprovalSessionRow,
    select(table)
    .where(table.c.team_id == bindparam("team_id"), table.c.session_id > bindparam("after"))
    .order_by(table.c.session_id)
    .limit(bindparam("limit")),
)
_open_of_team = RowQuery(
    ApprovalSessionRow,
    select(table)
    .where(table.c.team_id == bindparam("team_id"), table.c.status == "PENDING")
    .order_by(table.c.session_id)
    .limit(bindparam("limit")),
)
_usable = RowQuery(
    ApprovalSessionRow,
    select(table)
    .where(
        table.c.acted_account_id == bindparam("acted_account_id"),
        table.c.status.in_(["PENDING", "APPROVED"]),
        table.c.execution_status == "PENDING",
        table.c.expires_at > bindparam("now"),
    )
    .order_by(table.c.session_id),
)
# One statement finds and marks it, so of two nodes that use an approval at the same moment one changes no row. PENDING is among
# the states, as a team may let its requester go on alone after a delay: then nobody has approved, and nobody has refused.
_execute = (
    update(table)
    .where(
        table.c.session_id == bindparam("of_session"),
        table.c.execution_status == "PENDING",
        table.c.status.in_(["PENDING", "APPROVED"]),
        table.c.expires_at > bindparam("now"),
    )
    .values(execution_status="EXECUTED", status="APPROVED")
)
_overdue = RowQuery(
    ApprovalSessionRow,
    select(table)
    .where(table.c.status == "PENDING", table.c.expires_at <= bindparam("now"))
    .order_by(table.c.expires_at)
    .limit(bindparam("limit")),
)
_insert = RowInsert(ApprovalSessionRow, table)


def with_id(db: Transaction, session_id: str) -> ApprovalSessionRow | None:
    """Return the session with this id, whichever team's it is."""
    return _by_id.first(db, {"session_id": session_id})


def held(db: Transaction, session_id: str) -> ApprovalSessionRow | None:
    """Return the session with this id, and hold it to the transaction's end: votes and endings come one by one."""
    # SQLite has one writer at a time, so that whoever writes holds every row; it knows no FOR UPDATE.
    return (_by_id if db.dialect.name == "sqlite" else _for_update).first(db, {"session_id": session_id})


def count_open(db: Transaction, requester_id: str, requester_account_id: str, *, now: datetime) -> int:
    """Return how many requests of somebody wait for approval or for being used."""
    found = db.execute(_count_open, {"requester_id": requester_id, "account_id": requester_account_id, "now": now}).scalar()
    return int(found or 0)


def count_begun(db: Transaction, requester_id: str, requester_account_id: str, *, since: datetime) -> int:
    """Return how many requests somebody has made since a moment, whatever has become of them."""
    wanted = {"requester_id": requester_id, "account_id": requester_account_id, "since": since}
    return int(db.execute(_count_begun, wanted).scalar() or 0)


def latest_of_acted(db: Transaction, account_id: str, *, limit: int) -> list[ApprovalSessionRow]:
    """Return the latest sessions about acts on an account, the newest first."""
    return _latest_of_acted.all(db, {"acted_account_id": account_id, "limit": limit})


def page(db: Transaction, team_id: str, *, after: str, limit: int) -> list[ApprovalSessionRow]:
    """Return up to `limit` sessions of a team in the order of their ids, from the one after `after`."""
    return _page.all(db, {"team_id": team_id, "after": after, "limit": limit})


def open_of_team(db: Transaction, team_id: str, *, limit: int) -> list[ApprovalSessionRow]:
    """Return up to `limit` sessions of a team that wait for approvals, overdue or not."""
    return _open_of_team.all(db, {"team_id": team_id, "limit": limit})


def usable_of_acted(db: Transaction, account_id: str, *, now: datetime) -> list[ApprovalSessionRow]:
    """Return the sessions about acts on an account that are neither used nor over, approved or not."""
    return _usable.all(db, {"acted_account_id": account_id, "now": now})


def execute(db: Transaction, session_id: str, *, now: datetime) -> bool:
    """Mark that what a session approved is done; returns False where it was done, ended or over before: nobody does it twice."""
    return bool(db.execute(_execute, {"of_session": session_id, "now": now}).rowcount)


def overdue(db: Transaction, *, now: datetime, limit: int) -> list[ApprovalSessionRow]:
    """Return up to `limit` sessions that wait although their time is over."""
    return _overdue.all(db, {"now": now, "limit": limit})


def add(db: Transaction, row: ApprovalSessionRow) -> None:
    """Keep a new session."""
    _insert.run(db, row)


def change(db: Transaction, session_id: str, *, was: str, **values: object) -> bool:
    """Set some columns of a session whose status is `was`; changes nothing and returns False where it is another by now."""
    where = (table.c.session_id == session_id, table.c.status == was)
    return bool(db.execute(update(table).where(*where).values(**values)).rowcount)
