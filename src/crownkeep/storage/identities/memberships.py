"""Who belongs to which group, asked from both sides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, bindparam, delete, func, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import groups, users
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowQuery, part

table = Table(
    "memberships",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("group_id", UniqueId, nullable=False),
    Column("user_id", UniqueId, nullable=False),
    Column("joined_at", Moment, nullable=False),
    PrimaryKeyConstraint("account_id", "group_id", "user_id"),
    # With the group, so that SQLite reads no other index for the groups of a user: that one would pass all of the account.
    Index(None, "account_id", "user_id", "group_id"),
)

_in_account = table.c.account_id == bindparam("account_id")
_of_group = _in_account & (table.c.group_id == bindparam("group_id"))
_of_user = _in_account & (table.c.user_id == bindparam("user_id"))
_with_group = table.join(groups.table, groups.table.c.group_id == table.c.group_id)
_with_user = table.join(users.table, users.table.c.user_id == table.c.user_id)
_is_member = select(table.c.user_id).where(_of_group, table.c.user_id == bindparam("user_id"))
_any_member = select(table.c.user_id).where(_of_group).limit(1)
_group_ids = Prepared(select(table.c.group_id).where(_of_user).order_by(table.c.group_id))
_count_of_user = select(func.count()).select_from(table).where(_of_user)
_groups_page = RowQuery(
    GroupRow,
    select(groups.table)
    .select_from(_with_group)
    .where(_of_user, groups.table.c.name_key > bindparam("after"))
    .order_by(groups.table.c.name_key)
    .limit(bindparam("limit")),
)
_users_page = RowQuery(
    UserRow,
    select(users.table)
    .select_from(_with_user)
    .where(_of_group, users.table.c.name_key > bindparam("after"))
    .order_by(users.table.c.name_key)
    .limit(bindparam("limit")),
)
_groups_of_users = (
    select(table.c.user_id, groups.table)
    .select_from(_with_group)
    .where(_in_account, table.c.user_id.in_(bindparam("user_ids", expanding=True)))
    .order_by(groups.table.c.name_key)
)
_group = part(GroupRow, _groups_of_users, groups.table)
_user_ids = select(table.c.user_id).where(_in_account, table.c.group_id.in_(bindparam("group_ids", expanding=True))).distinct()
_remove = delete(table).where(
    table.c.account_id == bindparam("of_account"),
    table.c.group_id == bindparam("of_group"),
    table.c.user_id == bindparam("of_user"),
)


def is_member(db: Transaction, account_id: str, group_id: str, user_id: str) -> bool:
    """Tell whether the user belongs to the group."""
    values = {"account_id": account_id, "group_id": group_id, "user_id": user_id}
    return db.execute(_is_member, values).first() is not None


def has_members(db: Transaction, account_id: str, group_id: str) -> bool:
    """Tell whether anybody belongs to the group."""
    return db.execute(_any_member, {"account_id": account_id, "group_id": group_id}).first() is not None


def group_ids_of_user(db: Transaction, account_id: str, user_id: str) -> list[str]:
    """Return the unique ids of the groups a user belongs to."""
    return [str(group_id) for (group_id,) in _group_ids.all(db, {"account_id": account_id, "user_id": user_id})]


def count_of_user(db: Transaction, account_id: str, user_id: str) -> int:
    """Return how many groups a user belongs to."""
    return int(db.execute(_count_of_user, {"account_id": account_id, "user_id": user_id}).scalar_one())


def groups_page(db: Transaction, account_id: str, user_id: str, *, after: str, limit: int) -> list[GroupRow]:
    """Return up to `limit` groups of a user in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "user_id": user_id, "after": after, "limit": limit}
    return _groups_page.all(db, values)


def users_page(db: Transaction, account_id: str, group_id: str, *, after: str, limit: int) -> list[UserRow]:
    """Return up to `limit` users of a group in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "group_id": group_id, "after": after, "limit": limit}
    return _users_page.all(db, values)


def groups_of_users(db: Transaction, account_id: str, user_ids: Sequence[str]) -> dict[str, list[GroupRow]]:
    """Return the groups of each of these users, by user id and in the order of their names, in one query."""
    found: dict[str, list[GroupRow]] = {user_id: [] for user_id in user_ids}
    if not user_ids:
        return found
    for row in db.execute(_groups_of_users, {"account_id": account_id, "user_ids": list(user_ids)}):
        found[row.user_id].append(_group(row))
    return found


def user_ids_of_groups(db: Transaction, account_id: str, group_ids: Sequence[str]) -> list[str]:
    """Return the unique ids of the users that belong to at least one of these groups, in one query."""
    if not group_ids:
        return []
    return list(db.execute(_user_ids, {"account_id": account_id, "group_ids": list(group_ids)}).scalars())


def add(db: Transaction, account_id: str, group_id: str, user_id: str, *, at: datetime) -> None:
    """Make a user a member of a group."""
    db.execute(insert(table), {"account_id": account_id, "group_id": group_id, "user_id": user_id, "joined_at": at})


def remove(db: Transaction, account_id: str, group_id: str, user_id: str) -> bool:
    """End a user's membership in a group; returns whether there was one."""
    values = {"of_account": account_id, "of_group": group_id, "of_user": user_id}
    return db.execute(_remove, values).rowcount > 0
