"""Instance profiles: containers that hand a role to an EC2 instance; each holds one role at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, Table, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.metadata import AccountId, Moment, Name, Path, UniqueId, begins_with, metadata
from crownkeep.storage.rows import Cells, RowInsert, RowQuery, optional_part, part

table = Table(
    "instance_profiles",
    metadata,
    Column("profile_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("path", Path, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("role_id", UniqueId),
    UniqueConstraint("account_id", "name_key"),
    Index(None, "account_id", "role_id"),
)


@dataclass(frozen=True, slots=True)
class InstanceProfileRow:
    """One instance profile. `name_key` is the name in lower case; `role_id` names the role in it, if there is one."""

    profile_id: str
    account_id: str
    name: str
    name_key: str
    path: str
    created_at: datetime
    role_id: str | None = None


@dataclass(frozen=True, slots=True)
class FilledProfile:
    """An instance profile and the role in it."""

    profile: InstanceProfileRow
    role: RoleRow | None


_in_account = table.c.account_id == bindparam("account_id")
_this = (table.c.account_id == bindparam("of_account"), table.c.profile_id == bindparam("of_profile"))
_filled = select(*table.columns, *roles.table.columns).select_from(
    table.outerjoin(roles.table, roles.table.c.role_id == table.c.role_id)
)
_profile = part(InstanceProfileRow, _filled, table)
_role = optional_part(RoleRow, _filled, roles.table)
_named = _filled.where(_in_account, table.c.name_key == bindparam("name_key"))
_listed = _filled.where(_in_account, table.c.name_key > bindparam("after")).order_by(table.c.name_key).limit(bindparam("limit"))
_page = _listed.where(begins_with(table.c.path, "prefix"))
_of_role = _listed.where(table.c.role_id == bindparam("role_id"))
_of_roles = RowQuery(
    InstanceProfileRow,
    select(table).where(_in_account, table.c.role_id.in_(bindparam("role_ids", expanding=True))).order_by(table.c.name_key),
)
_count = select(func.count()).select_from(table).where(_in_account)
_any_of_role = select(table.c.profile_id).where(_in_account, table.c.role_id == bindparam("role_id")).limit(1)
_set_role = update(table).where(*_this).values(role_id=bindparam("new_role_id"))
_remove = delete(table).where(*_this)
_insert = RowInsert(InstanceProfileRow, table)


def named(db: Transaction, account_id: str, name: str) -> FilledProfile | None:
    """Return the instance profile with this name, whatever its letters' case, and the role in it."""
    row = db.execute(_named, {"account_id": account_id, "name_key": name.lower()}).first()
    return _row(row) if row else None


def page(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> list[FilledProfile]:
    """Return up to `limit` instance profiles in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "prefix": path_prefix, "after": after, "limit": limit}
    return [_row(row) for row in db.execute(_page, values)]


def page_of_role(db: Transaction, account_id: str, role_id: str, *, after: str, limit: int) -> list[FilledProfile]:
    """Return up to `limit` instance profiles that hold a role, from the one after the key `after`."""
    values = {"account_id": account_id, "role_id": role_id, "after": after, "limit": limit}
    return [_row(row) for row in db.execute(_of_role, values)]


def of_roles(db: Transaction, account_id: str, role_ids: Sequence[str]) -> dict[str, list[InstanceProfileRow]]:
    """Return the instance profiles that hold each of these roles, by the role's unique id, in one query."""
    found: dict[str, list[InstanceProfileRow]] = {role_id: [] for role_id in role_ids}
    if role_ids:
        for profile in _of_roles.all(db, {"account_id": account_id, "role_ids": list(role_ids)}):
            found[str(profile.role_id)].append(profile)
    return found


def holds(db: Transaction, account_id: str, role_id: str) -> bool:
    """Tell whether any instance profile holds the role."""
    return db.execute(_any_of_role, {"account_id": account_id, "role_id": role_id}).first() is not None


def count(db: Transaction, account_id: str) -> int:
    """Return how many instance profiles the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: InstanceProfileRow) -> None:
    """Keep a new instance profile."""
    _insert.run(db, row)


def set_role(db: Transaction, account_id: str, profile_id: str, role_id: str | None) -> None:
    """Put a role into an instance profile, or take out the one in it."""
    db.execute(_set_role, {"of_account": account_id, "of_profile": profile_id, "new_role_id": role_id})


def remove(db: Transaction, account_id: str, profile_id: str) -> None:
    """Forget an instance profile."""
    db.execute(_remove, {"of_account": account_id, "of_profile": profile_id})


def _row(cells: Cells) -> FilledProfile:
    return FilledProfile(_profile(cells), _role(cells))
