"""IAM groups: named within an account without regard to case; who belongs to them is in `memberships`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.columns import Columns
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, Path, UniqueId, begins_with, metadata
from crownkeep.storage.rows import ColumnQuery, RowInsert, RowQuery

table = Table(
    "groups",
    metadata,
    Column("group_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("path", Path, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name_key"),
)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group. `name_key` is the name in lower case."""

    group_id: str
    account_id: str
    name: str
    name_key: str
    path: str
    created_at: datetime


_this = (table.c.account_id == bindparam("of_account"), table.c.group_id == bindparam("of_group"))
_named = RowQuery(
    GroupRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.name_key == bindparam("name_key"))
)
_by_id = RowQuery(
    GroupRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.group_id == bindparam("group_id"))
)
_by_ids = RowQuery(
    GroupRow,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.group_id.in_(bindparam("group_ids", expanding=True)))
    .order_by(table.c.name_key),
)
_page = RowQuery(
    GroupRow,
    select(table)
    .where(
        table.c.account_id == bindparam("account_id"),
        table.c.name_key > bindparam("after"),
        begins_with(table.c.path, "prefix"),
    )
    .order_by(table.c.name_key)
    .limit(bindparam("limit")),
)
_listed = (
    select(table.c.path, table.c.name, table.c.group_id, table.c.created_at)
    .where(table.c.account_id == bindparam("account_id"), table.c.name_key > bindparam("after"))
    .order_by(table.c.name_key)
    .limit(bindparam("limit"))
)
_listed_any_path = ColumnQuery(_listed)
_listed_under_path = ColumnQuery(_listed.where(begins_with(table.c.path, "prefix")))
_count = select(func.count()).select_from(table).where(table.c.account_id == bindparam("account_id"))
_rename = (
    update(table).where(*_this).values(name=bindparam("new_name"), name_key=bindparam("new_name_key"), path=bindparam("new_path"))
)
_remove = delete(table).where(*_this)
_insert = RowInsert(GroupRow, table)


def named(db: Transaction, account_id: str, name: str) -> GroupRow | None:
    """Return the group with this name, whatever its letters' case."""
    return _named.first(db, {"account_id": account_id, "name_key": name.lower()})


def with_id(db: Transaction, account_id: str, group_id: str) -> GroupRow | None:
    """Return the group with this unique id."""
    return _by_id.first(db, {"account_id": account_id, "group_id": group_id})


def with_ids(db: Transaction, account_id: str, group_ids: Sequence[str]) -> list[GroupRow]:
    """Return the groups with these unique ids, by name, in one query."""
    if not group_ids:
        return []
    return _by_ids.all(db, {"account_id": account_id, "group_ids": list(group_ids)})


def page(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> list[GroupRow]:
    """Return up to `limit` groups in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "after": after, "limit": limit, "prefix": path_prefix}
    return _page.all(db, values)


def listed(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> Columns:
    """Return of the same groups what a list shows: `path`, `name`, `group_id` and `created_at`."""
    values = {"account_id": account_id, "after": after, "limit": limit}
    if path_prefix == "/":
        return _listed_any_path.all(db, values)
    return _listed_under_path.all(db, {**values, "prefix": path_prefix})


def count(db: Transaction, account_id: str) -> int:
    """Return how many groups the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: GroupRow) -> None:
    """Keep a new group."""
    _insert.run(db, row)


def rename(db: Transaction, account_id: str, group_id: str, *, name: str, path: str) -> None:
    """Give a group this name and path; the unique id stays, and with it members and policies."""
    values = {"new_name": name, "new_name_key": name.lower(), "new_path": path}
    db.execute(_rename, {"of_account": account_id, "of_group": group_id, **values})


def remove(db: Transaction, account_id: str, group_id: str) -> None:
    """Forget a group's own row."""
    db.execute(_remove, {"of_account": account_id, "of_group": group_id})
