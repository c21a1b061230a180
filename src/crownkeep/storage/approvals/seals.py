"""Seals: which acts on an account take the approval of which team, and what is due after root was used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, Table, Text, bindparam, delete, literal, select, update

from crownkeep.storage.approvals.teams import TeamId
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "seals",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("team_id", TeamId, nullable=False, index=True),
    Column("team_account_id", AccountId, nullable=False, index=True),
    Column("acts", Text, nullable=False),
    Column("session_minutes", Integer, nullable=False),
    Column("cooldown_minutes", Integer, nullable=False),
    Column("unseal_delay_hours", Integer, nullable=False),
    Column("sealed_at", Moment, nullable=False),
    Column("last_session_id", UniqueId),
    Column("last_used_at", Moment),
    Column("session_ends_at", Moment),
    Column("review_is_due", Boolean, nullable=False),
    Column("unseals_at", Moment),
    Column("renews_mfa", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class SealRow:
    """The seal of one account."""

    account_id: str
    team_id: str
    team_account_id: str
    """The account that the team belongs to."""
    acts: str
    """What is sealed, one name a line."""
    session_minutes: int
    """How long a session of root lasts at most."""
    cooldown_minutes: int
    """How long after the end of root's session the next may begin."""
    unseal_delay_hours: int
    """How long the operator waits who unseals without the team."""
    sealed_at: datetime
    last_session_id: str | None = None
    """The request by which root was used last."""
    last_used_at: datetime | None = None
    session_ends_at: datetime | None = None
    review_is_due: bool = False
    """Whether the last use waits for a custodian's sign-off."""
    unseals_at: datetime | None = None
    """From when the operator may unseal without the team; None where that was not asked for."""
    renews_mfa: bool = False
    """Whether root's MFA devices must be new after each use."""


_of_account = RowQuery(SealRow, select(table).where(table.c.account_id == bindparam("of_account")))
_acts = select(table.c.acts).where(table.c.account_id == bindparam("of_account"))
_resting_on = RowQuery(
    SealRow,
    select(table)
    .where(table.c.team_account_id == bindparam("team_account_id"), table.c.account_id != bindparam("team_account_id"))
    .order_by(table.c.account_id)
    .limit(1),
)
_of_team = RowQuery(SealRow, select(table).where(table.c.team_id == bindparam("team_id")).order_by(table.c.account_id))
# A line end before and behind, so that only a whole line matches: `trail` must not be found in an act whose name only begins so.
_covers = literal("\n").concat(table.c.acts).concat("\n").like(bindparam("line"))
_accounts_over = select(table.c.account_id).where(_covers)
_oldest_over = RowQuery(
    SealRow,
    select(table).where(_covers).order_by(table.c.sealed_at, table.c.account_id).limit(1),
)
_insert = RowInsert(SealRow, table)
_remove = delete(table).where(table.c.account_id == bindparam("of_account"))


def of_account(db: Transaction, account_id: str) -> SealRow | None:
    """Return an account's seal."""
    return _of_account.first(db, {"of_account": account_id})


def acts(db: Transaction, account_id: str) -> frozenset[str]:
    """Return the names of the acts that are sealed in an account; none where it has no seal."""
    found = db.execute(_acts, {"of_account": account_id}).scalar()
    return frozenset(str(found).split("\n")) if found is not None else frozenset()


def resting_on(db: Transaction, team_account_id: str) -> SealRow | None:
    """Return a seal of another account that rests on a team of this account."""
    return _resting_on.first(db, {"team_account_id": team_account_id})


def of_team(db: Transaction, team_id: str) -> list[SealRow]:
    """Return the seals that rest on a team."""
    return _of_team.all(db, {"team_id": team_id})


def oldest_over(db: Transaction, act: str) -> SealRow | None:
    """Return the seal that is the oldest of those that cover an act."""
    return _oldest_over.first(db, {"line": f"%\n{act}\n%"})


def accounts_over(db: Transaction, act: str) -> frozenset[str]:
    """Return the accounts whose seals cover an act."""
    return frozenset(db.execute(_accounts_over, {"line": f"%\n{act}\n%"}).scalars())


def put(db: Transaction, row: SealRow) -> None:
    """Keep an account's seal, in the place of the one before."""
    remove(db, row.account_id)
    _insert.run(db, row)


def change(db: Transaction, account_id: str, **values: object) -> None:
    """Set some columns of a seal."""
    db.execute(update(table).where(table.c.account_id == account_id).values(**values))


def remove(db: Transaction, account_id: str) -> bool:
    """Forget an account's seal, and tell whether there was one."""
    return bool(db.execute(_remove, {"of_account": account_id}).rowcount)
