"""Approval teams, and the versions of what each of them is: the one in force, and one that waits to come into force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

TeamId = String(96).with_variant(String(96, collation="C"), "postgresql")

table = Table(
    "approval_teams",
    metadata,
    Column("team_id", TeamId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", String(64), nullable=False),
    Column("version_id", UniqueId, nullable=False),
    Column("pending_version_id", UniqueId),
    Column("status", String(16), nullable=False),
    Column("status_code", String(32)),
    Column("status_message", String(500)),
    Column("policies", Text, nullable=False),
    Column("client_token", LargeBinary(32)),
    Column("update_session_id", UniqueId),
    Column("deletes_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name"),
)

versions = Table(
    "approval_team_versions",
    metadata,
    Column("team_id", TeamId, nullable=False),
    Column("version_id", UniqueId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("description", String(256), nullable=False),
    Column("min_approvals", Integer, nullable=False),
    Column("groups", Text),
    Column("alone_after_hours", Integer),
    Column("status_code", String(32)),
    Column("status_message", String(500)),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("team_id", "version_id"),
)


@dataclass(frozen=True, slots=True)
class ApprovalTeamRow:
    """One team of an account. `team_id` is what its ARN ends in, such as `RootQuorum-0123456789abcdef`."""

    team_id: str
    account_id: str
    name: str
    version_id: str
    """The version in force; before the team was ever active, the one that its approvers are invited to."""
    pending_version_id: str | None
    """An update that waits for the team's approval, or for new approvers to accept."""
    status: str
    """`PENDING`, `ACTIVE`, `INACTIVE` or `DELETING`."""
    status_code: str | None
    status_message: str | None
    policies: str
    """ARNs of policies of the service, one a line."""
    client_token: bytes | None
    """A digest of the caller's token and of the whole request that made the team."""
    update_session_id: str | None
    """The session in which the team decides on its own update or deletion."""
    deletes_at: datetime | None
    """When the team goes, once it has approved its deletion."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TeamVersionRow:
    """What a team is in one version: how many must approve. Its approvers are in `approvers`."""

    team_id: str
    version_id: str
    account_id: str
    description: str
    min_approvals: int
    groups: str | None
    """Beyond AWS: a JSON text of groups each of which needs approvals of its own; None where the number alone counts."""
    alone_after_hours: int | None
    """Beyond AWS: after how many hours without a veto the requester may go on alone; None for never."""
    status_code: str | None
    status_message: str | None
    created_at: datetime


_by_id = RowQuery(ApprovalTeamRow, select(table).where(table.c.team_id == bindparam("team_id")))
_named = RowQuery(
    ApprovalTeamRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.name == bindparam("name"))
)
_with_ids = RowQuery(ApprovalTeamRow, select(table).where(table.c.team_id.in_(bindparam("team_ids", expanding=True))))
_versions_with_ids = RowQuery(
    TeamVersionRow,
    select(versions).where(
        versions.c.team_id.in_(bindparam("team_ids", expanding=True)),
        versions.c.version_id.in_(bindparam("version_ids", expanding=True)),
    ),
)
_page = RowQuery(
    ApprovalTeamRow,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.team_id > bindparam("after"))
    .order_by(table.c.team_id)
    .limit(bindparam("limit")),
)
_version = RowQuery(
    TeamVersionRow,
    select(versions).where(versions.c.team_id == bindparam("team_id"), versions.c.version_id == bindparam("version_id")),
)
_insert = RowInsert(ApprovalTeamRow, table)
_insert_version = RowInsert(TeamVersionRow, versions)
_remove = delete(table).where(table.c.team_id == bindparam("of_team"))
_remove_version = delete(versions).where(
    versions.c.team_id == bindparam("of_team"), versions.c.version_id == bindparam("of_version")
)
_remove_versions = delete(versions).where(versions.c.team_id == bindparam("of_team"))


def with_id(db: Transaction, team_id: str) -> ApprovalTeamRow | None:
    """Return the team with this id, whichever account's it is."""
    return _by_id.first(db, {"team_id": team_id})


def with_ids(db: Transaction, team_ids: Sequence[str]) -> list[ApprovalTeamRow]:
    """Return the teams with these ids."""
    return _with_ids.all(db, {"team_ids": list(team_ids)}) if team_ids else []


def versions_with_ids(db: Transaction, team_ids: Sequence[str], version_ids: Sequence[str]) -> list[TeamVersionRow]:
    """Return the versions of some teams with these ids."""
    if not version_ids:
        return []
    return _versions_with_ids.all(db, {"team_ids": list(team_ids), "version_ids": list(version_ids)})


def named(db: Transaction, account_id: str, name: str) -> ApprovalTeamRow | None:
    """Return an account's team with this name."""
    return _named.first(db, {"account_id": account_id, "name": name})


def page(db: Transaction, account_id: str, *, after: str, limit: int) -> list[ApprovalTeamRow]:
    """Return up to `limit` teams of an account in the order of their ids, from the one after `after`."""
    return _page.all(db, {"account_id": account_id, "after": after, "limit": limit})


def version(db: Transaction, team_id: str, version_id: str) -> TeamVersionRow | None:
    """Return one version of a team."""
    return _version.first(db, {"team_id": team_id, "version_id": version_id})


def add(db: Transaction, row: ApprovalTeamRow) -> None:
    """Keep a new team."""
    _insert.run(db, row)


def add_version(db: Transaction, row: TeamVersionRow) -> None:
    """Keep a new version of a team."""
    _insert_version.run(db, row)


def change(db: Transaction, team_id: str, **values: object) -> None:
    """Set some columns of a team."""
    db.execute(update(table).where(table.c.team_id == team_id).values(**values))


def change_version(db: Transaction, team_id: str, version_id: str, **values: object) -> None:
    """Set some columns of a version."""
    where = (versions.c.team_id == team_id, versions.c.version_id == version_id)
    db.execute(update(versions).where(*where).values(**values))


def remove_version(db: Transaction, team_id: str, version_id: str) -> None:
    """Forget a version's own row."""
    db.execute(_remove_version, {"of_team": team_id, "of_version": version_id})


def remove(db: Transaction, team_id: str) -> None:
    """Forget a team's own row and those of its versions."""
    db.execute(_remove_versions, {"of_team": team_id})
    db.execute(_remove, {"of_team": team_id})
