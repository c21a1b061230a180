"""IAM groups: named within an account without regard to case; who belongs to them is in `memberships`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, UniqueConstraint, bindparam, delete, func, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, Path, UniqueId, begins_with, metadata

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
_named = select(table).where(table.c.account_id == bindparam("account_id"), table.c.name_key == bindparam("name_key"))
_by_id = select(table).where(table.c.account_id == bindparam("account_id"), table.c.group_id == bindparam("group_id"))
_page = (
    select(table)
    .where(
        table.c.account_id == bindparam("account_id"),
        table.c.name_key > bindparam("after"),
        begins_with(table.c.path, "prefix"),
    )
    .order_by(table.c.name_key)
    .limit(bindparam("limit"))
)
_count = select(func.count()).select_from(table).where(table.c.account_id == bindparam("account_id"))
_rename = (
    update(table).where(*_this).values(name=bindparam("new_name"), name_key=bindparam("new_name_key"), path=bindparam("new_path"))
)
_remove = delete(table).where(*_this)


def named(db: Transaction, account_id: str, name: str) -> GroupRow | None:
    """Return the group with this name, whatever its letters' case."""
    row = db.execute(_named, {"account_id": account_id, "name_key": name.lower()}).first()
    return GroupRow(*row) if row else None


def with_id(db: Transaction, account_id: str, group_id: str) -> GroupRow | None:
    """Return the group with this unique id."""
    row = db.execute(_by_id, {"account_id": account_id, "group_id": group_id}).first()
    return GroupRow(*row) if row else None


def page(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> list[GroupRow]:
    """Return up to `limit` groups in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "after": after, "limit": limit, "prefix": path_prefix}
    return [GroupRow(*row) for row in db.execute(_page, values)]


def count(db: Transaction, account_id: str) -> int:
    """Return how many groups the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: GroupRow) -> None:
    """Keep a new group."""
    db.execute(insert(table), {column.name: getattr(row, column.name) for column in table.columns})


def rename(db: Transaction, account_id: str, group_id: str, *, name: str, path: str) -> None:
    """Give a group this name and path; the unique id stays, and with it members and policies."""
    values = {"new_name": name, "new_name_key": name.lower(), "new_path": path}
    db.execute(_rename, {"of_account": account_id, "of_group": group_id, **values})


def remove(db: Transaction, account_id: str, group_id: str) -> None:
    """Forget a group's own row."""
    db.execute(_remove, {"of_account": account_id, "of_group": group_id})
