"""Approvers: who is in which version of a team, whether they have accepted, and what they did last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select, update

from crownkeep.storage.approvals.teams import TeamId
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

IdentityKey = String(96)

table = Table(
    "approval_team_members",
    metadata,
    Column("team_id", TeamId, nullable=False),
    Column("version_id", UniqueId, nullable=False),
    Column("approver_id", UniqueId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("source_id", UniqueId, nullable=False),
    Column("identity_id", String(100), nullable=False),
    Column("identity", IdentityKey, nullable=False, index=True),
    Column("status", String(8), nullable=False),
    Column("invited_at", Moment, nullable=False),
    Column("responded_at", Moment),
    Column("last_activity", String(32)),
    Column("last_activity_at", Moment),
    PrimaryKeyConstraint("team_id", "version_id", "approver_id"),
)


@dataclass(frozen=True, slots=True)
class ApproverRow:
    """One person in one version of a team. Somebody who stays when a team changes keeps the `approver_id`."""

    team_id: str
    version_id: str
    approver_id: str
    account_id: str
    """The team's account."""
    source_id: str
    """Of the identity source; `custodians` for the installation's own."""
    identity_id: str
    """The person's id in that source."""
    identity: str
    """Who this is, whatever the source: `custodian:ID`, or `person:STORE/ID`. Keys are kept by it."""
    status: str
    """`PENDING`, `ACCEPTED`, `REJECTED` or, of somebody who is gone, `INVALID`."""
    invited_at: datetime
    responded_at: datetime | None = None
    last_activity: str | None = None
    """`VOTED`, `BASELINED` or `RESPONDED_TO_INVITATION`."""
    last_activity_at: datetime | None = None


_in_version = (table.c.team_id == bindparam("team_id"), table.c.version_id == bindparam("version_id"))
_of_version = RowQuery(ApproverRow, select(table).where(*_in_version).order_by(table.c.approver_id))
_of_versions = RowQuery(
    ApproverRow,
    select(table)
    .where(
        # By the teams, too, which the key begins with.
        table.c.team_id.in_(bindparam("team_ids", expanding=True)),
        table.c.version_id.in_(bindparam("version_ids", expanding=True)),
    )
    .order_by(table.c.approver_id),
)
_one = RowQuery(ApproverRow, select(table).where(*_in_version, table.c.approver_id == bindparam("approver_id")))
_with_id = RowQuery(
    ApproverRow,
    select(table).where(table.c.account_id == bindparam("account_id"), table.c.approver_id == bindparam("approver_id")),
)
_of_identity = RowQuery(ApproverRow, select(table).where(table.c.identity == bindparam("identity")).order_by(table.c.team_id))
_insert = RowInsert(ApproverRow, table)
_remove_version = delete(table).where(table.c.team_id == bindparam("of_team"), table.c.version_id == bindparam("of_version"))
_remove_team = delete(table).where(table.c.team_id == bindparam("of_team"))
_invalidate = update(table).where(table.c.identity == bindparam("of_identity")).values(status="INVALID")
_uses_source = (
    select(table.c.approver_id)
    .where(table.c.account_id == bindparam("account_id"), table.c.source_id == bindparam("source_id"))
    .limit(1)
)


def of_version(db: Transaction, team_id: str, version_id: str) -> list[ApproverRow]:
    """Return the approvers in a version of a team, 20 at most."""
    return _of_version.all(db, {"team_id": team_id, "version_id": version_id})


def of_versions(db: Transaction, team_ids: Sequence[str], version_ids: Sequence[str]) -> list[ApproverRow]:
    """Return the approvers in some versions of some teams."""
    if not version_ids:
        return []
    return _of_versions.all(db, {"team_ids": list(team_ids), "version_ids": list(version_ids)})


def find(db: Transaction, team_id: str, version_id: str, approver_id: str) -> ApproverRow | None:
    """Return one approver in a version of a team."""
    return _one.first(db, {"team_id": team_id, "version_id": version_id, "approver_id": approver_id})


def with_id(db: Transaction, account_id: str, approver_id: str) -> list[ApproverRow]:
    """Return an approver of an account in every version of the team."""
    return _with_id.all(db, {"account_id": account_id, "approver_id": approver_id})


def of_identity(db: Transaction, identity: str) -> list[ApproverRow]:
    """Return everywhere that somebody is an approver."""
    return _of_identity.all(db, {"identity": identity})


def uses_source(db: Transaction, account_id: str, source_id: str) -> bool:
    """Tell whether anybody of an identity source is an approver in an account."""
    return db.execute(_uses_source, {"account_id": account_id, "source_id": source_id}).first() is not None


def add_each(db: Transaction, rows: list[ApproverRow]) -> None:
    """Keep new approvers."""
    _insert.run_each(db, rows)


def change(db: Transaction, team_id: str, approver_id: str, **values: object) -> None:
    """Set some columns of an approver in every version of a team, such as what they did last."""
    db.execute(update(table).where(table.c.team_id == team_id, table.c.approver_id == approver_id).values(**values))


def invalidate(db: Transaction, identity: str) -> None:
    """Mark somebody who is gone, wherever they are an approver."""
    db.execute(_invalidate, {"of_identity": identity})


def invalidate_beginning(db: Transaction, beginning: str) -> None:
    """Mark everybody whose identity begins so, such as a whole identity store."""
    gone = update(table).where(table.c.identity.startswith(beginning, autoescape=True))
    db.execute(gone.values(status="INVALID"))


def remove_version(db: Transaction, team_id: str, version_id: str) -> None:
    """Forget who is in a version."""
    db.execute(_remove_version, {"of_team": team_id, "of_version": version_id})


def remove_team(db: Transaction, team_id: str) -> None:
    """Forget who is in any version of a team."""
    db.execute(_remove_team, {"of_team": team_id})
