"""IAM roles: named within an account without regard to case, found by name or by unique id, each with its trust policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.columns import Columns
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, Name, Path, UniqueId, begins_with, metadata
from crownkeep.storage.rows import ColumnQuery, RowInsert, RowQuery
from crownkeep.values import value_type

table = Table(
    "roles",
    metadata,
    Column("role_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("path", Path, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("trust_policy", Text, nullable=False),
    Column("trusted_accounts", Text, nullable=False),
    Column("description", String(1000)),
    Column("max_session_seconds", Integer, nullable=False),
    Column("boundary_arn", AnyArn),
    Column("owner_service", String(128)),
    Column("used_at", Moment),
    Column("used_region", String(64)),
    Column("max_sign_in_seconds", Integer),
    UniqueConstraint("account_id", "name_key"),
)


@value_type(frozen=True, slots=True)
class RoleRow:
    """One role. `name_key` is the name in lower case.

    `trust_policy` names users and roles by unique id; `trusted_accounts` says whose they are, as `id=account` pairs with spaces
    between them. `owner_service` is the service principal of whoever alone may change it, for a service-linked role.
    """

    role_id: str
    account_id: str
    name: str
    name_key: str
    path: str
    created_at: datetime
    trust_policy: str
    trusted_accounts: str
    description: str | None
    max_session_seconds: int
    boundary_arn: str | None = None
    owner_service: str | None = None
    used_at: datetime | None = None
    used_region: str | None = None
    max_sign_in_seconds: int | None = None
    """How long a console session of the role may last at most; None where that isn't set."""


_in_account = table.c.account_id == bindparam("account_id")
_this = (table.c.account_id == bindparam("of_account"), table.c.role_id == bindparam("of_role"))
_named = RowQuery(RoleRow, select(table).where(_in_account, table.c.name_key == bindparam("name_key")))
_by_id = RowQuery(RoleRow, select(table).where(_in_account, table.c.role_id == bindparam("role_id")))
_by_ids = RowQuery(
    RoleRow,
    select(table).where(_in_account, table.c.role_id.in_(bindparam("role_ids", expanding=True))).order_by(table.c.name_key),
)
_after = (_in_account, table.c.name_key > bindparam("after"))
_listed = select(table).where(*_after).order_by(table.c.name_key).limit(bindparam("limit"))
_page_any_path = RowQuery(RoleRow, _listed)
_page = RowQuery(RoleRow, _listed.where(begins_with(table.c.path, "prefix")))
_shown = select(
    table.c.path,
    table.c.name,
    table.c.role_id,
    table.c.created_at,
    table.c.trust_policy,
    table.c.trusted_accounts,
    table.c.description,
    table.c.max_session_seconds,
    table.c.max_sign_in_seconds,
)
_shown = _shown.where(*_after).order_by(table.c.name_key).limit(bindparam("limit"))
_listed_any_path = ColumnQuery(_shown)
_listed_under_path = ColumnQuery(_shown.where(begins_with(table.c.path, "prefix")))
_count = select(func.count()).select_from(table).where(_in_account)
_set_trust = (
    update(table).where(*_this).values(trust_policy=bindparam("new_trust_policy"), trusted_accounts=bindparam("new_accounts"))
)
_set_description = update(table).where(*_this).values(description=bindparam("new_description"))
_set_duration = update(table).where(*_this).values(max_session_seconds=bindparam("new_seconds"))
_set_sign_in = update(table).where(*_this).values(max_sign_in_seconds=bindparam("new_seconds"))
_set_boundary = update(table).where(*_this).values(boundary_arn=bindparam("new_boundary_arn"))
_set_used = update(table).where(*_this).values(used_at=bindparam("at"), used_region=bindparam("region"))
_remove = delete(table).where(*_this)
_insert = RowInsert(RoleRow, table)


def named(db: Transaction, account_id: str, name: str) -> RoleRow | None:
    """Return the role with this name, whatever its letters' case."""
    return _named.first(db, {"account_id": account_id, "name_key": name.lower()})


def with_id(db: Transaction, account_id: str, role_id: str) -> RoleRow | None:
    """Return the role with this unique id."""
    return _by_id.first(db, {"account_id": account_id, "role_id": role_id})


def with_ids(db: Transaction, account_id: str, role_ids: Sequence[str]) -> list[RoleRow]:
    """Return those of the account's roles that these unique ids name, by name."""
    if not role_ids:
        return []
    return _by_ids.all(db, {"account_id": account_id, "role_ids": list(role_ids)})


def page(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> list[RoleRow]:
    """Return up to `limit` roles in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "after": after, "limit": limit}
    if path_prefix == "/":
        return _page_any_path.all(db, values)
    return _page.all(db, {**values, "prefix": path_prefix})


def listed(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> Columns:
    """Return of the same roles what a list shows: all that is kept of them but boundary, last use and whose they are."""
    values = {"account_id": account_id, "after": after, "limit": limit}
    if path_prefix == "/":
        return _listed_any_path.all(db, values)
    return _listed_under_path.all(db, {**values, "prefix": path_prefix})


def count(db: Transaction, account_id: str) -> int:
    """Return how many roles the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: RoleRow) -> None:
    """Keep a new role."""
    _insert.run(db, row)


def set_trust(db: Transaction, account_id: str, role_id: str, *, policy: str, accounts: str) -> None:
    """Set a role's trust policy and whose the unique ids in it are."""
    values = {"of_account": account_id, "of_role": role_id, "new_trust_policy": policy, "new_accounts": accounts}
    db.execute(_set_trust, values)


def set_description(db: Transaction, account_id: str, role_id: str, description: str | None) -> None:
    """Set a role's description, or none."""
    db.execute(_set_description, {"of_account": account_id, "of_role": role_id, "new_description": description})


def set_longest_session(db: Transaction, account_id: str, role_id: str, *, seconds: int) -> None:
    """Set how long a session of the role may last at most."""
    db.execute(_set_duration, {"of_account": account_id, "of_role": role_id, "new_seconds": seconds})


def set_longest_sign_in(db: Transaction, account_id: str, role_id: str, *, seconds: int | None) -> None:
    """Set how long a console session of the role may last at most, or nothing of it."""
    db.execute(_set_sign_in, {"of_account": account_id, "of_role": role_id, "new_seconds": seconds})


def set_boundary(db: Transaction, account_id: str, role_id: str, policy_arn: str | None) -> None:
    """Set the policy that bounds a role's permissions, or none."""
    db.execute(_set_boundary, {"of_account": account_id, "of_role": role_id, "new_boundary_arn": policy_arn})


def set_used(db: Transaction, account_id: str, role_id: str, *, at: datetime, region: str) -> None:
    """Remember when and where a session of the role was last used."""
    db.execute(_set_used, {"of_account": account_id, "of_role": role_id, "at": at, "region": region})


def remove(db: Transaction, account_id: str, role_id: str) -> None:
    """Forget a role's own row."""
    db.execute(_remove, {"of_account": account_id, "of_role": role_id})
