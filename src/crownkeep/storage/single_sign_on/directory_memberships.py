"""Who is in which group of an identity store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.directory_users import EntityId
from crownkeep.storage.single_sign_on.instances import StoreId

table = Table(
    "directory_memberships",
    metadata,
    Column("identity_store_id", StoreId, nullable=False),
    Column("membership_id", EntityId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("group_id", EntityId, nullable=False),
    Column("user_id", EntityId, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", AnyArn, nullable=False),
    PrimaryKeyConstraint("identity_store_id", "membership_id"),
    # The same rule twice, for the two indexes that it makes: a group is listed by person, and a person by group.
    UniqueConstraint("identity_store_id", "group_id", "user_id"),
    UniqueConstraint("identity_store_id", "user_id", "group_id"),
)


@dataclass(frozen=True, slots=True)
class DirectoryMembershipRow:
    """One person in one group. `account_id` owns the identity store."""

    identity_store_id: str
    membership_id: str
    account_id: str
    group_id: str
    user_id: str
    created_at: datetime
    created_by: str


_in_store = table.c.identity_store_id == bindparam("store_id")
_by_id = RowQuery(DirectoryMembershipRow, select(table).where(_in_store, table.c.membership_id == bindparam("membership_id")))
_between = RowQuery(
    DirectoryMembershipRow,
    select(table).where(_in_store, table.c.group_id == bindparam("group_id"), table.c.user_id == bindparam("user_id")),
)
_page_of_group = RowQuery(
    DirectoryMembershipRow,
    select(table)
    .where(_in_store, table.c.group_id == bindparam("group_id"), table.c.user_id > bindparam("after"))
    .order_by(table.c.user_id)
    .limit(bindparam("limit")),
)
_page_of_user = RowQuery(
    DirectoryMembershipRow,
    select(table)
    .where(_in_store, table.c.user_id == bindparam("user_id"), table.c.group_id > bindparam("after"))
    .order_by(table.c.group_id)
    .limit(bindparam("limit")),
)
_groups_of = select(table.c.group_id).where(_in_store, table.c.user_id == bindparam("user_id"))
_groups_among = _groups_of.where(table.c.group_id.in_(bindparam("group_ids", expanding=True)))
_of_store = table.c.identity_store_id == bindparam("of_store")
_insert = RowInsert(DirectoryMembershipRow, table)
_remove = delete(table).where(_of_store, table.c.membership_id == bindparam("of_membership"))
_remove_group = delete(table).where(_of_store, table.c.group_id == bindparam("of_group"))
_remove_user = delete(table).where(_of_store, table.c.user_id == bindparam("of_user"))
_remove_all = delete(table).where(_of_store)


def with_id(db: Transaction, store_id: str, membership_id: str) -> DirectoryMembershipRow | None:
    """Return the membership with this id."""
    return _by_id.first(db, {"store_id": store_id, "membership_id": membership_id})


def between(db: Transaction, store_id: str, *, group_id: str, user_id: str) -> DirectoryMembershipRow | None:
    """Return the membership of a person in a group."""
    return _between.first(db, {"store_id": store_id, "group_id": group_id, "user_id": user_id})


def page_of_group(db: Transaction, store_id: str, group_id: str, *, after: str, limit: int) -> list[DirectoryMembershipRow]:
    """Return up to `limit` memberships of a group in the order of the people's ids, from the one after `after`."""
    return _page_of_group.all(db, {"store_id": store_id, "group_id": group_id, "after": after, "limit": limit})


def page_of_user(db: Transaction, store_id: str, user_id: str, *, after: str, limit: int) -> list[DirectoryMembershipRow]:
    """Return up to `limit` memberships of a person in the order of the groups' ids, from the one after `after`."""
    return _page_of_user.all(db, {"store_id": store_id, "user_id": user_id, "after": after, "limit": limit})


def groups_of(db: Transaction, store_id: str, user_id: str) -> list[str]:
    """Return the ids of the groups that a person is in."""
    return list(db.execute(_groups_of, {"store_id": store_id, "user_id": user_id}).scalars())


def groups_among(db: Transaction, store_id: str, user_id: str, group_ids: Sequence[str]) -> set[str]:
    """Return in which of these groups a person is."""
    if not group_ids:
        return set()
    return set(db.execute(_groups_among, {"store_id": store_id, "user_id": user_id, "group_ids": list(group_ids)}).scalars())


def add(db: Transaction, row: DirectoryMembershipRow) -> None:
    """Keep a new membership."""
    _insert.run(db, row)


def remove(db: Transaction, store_id: str, membership_id: str) -> None:
    """End a membership."""
    db.execute(_remove, {"of_store": store_id, "of_membership": membership_id})


def remove_group(db: Transaction, store_id: str, group_id: str) -> None:
    """End every membership of a group that goes."""
    db.execute(_remove_group, {"of_store": store_id, "of_group": group_id})


def remove_user(db: Transaction, store_id: str, user_id: str) -> None:
    """End every membership of a person who goes."""
    db.execute(_remove_user, {"of_store": store_id, "of_user": user_id})


def remove_all(db: Transaction, store_id: str) -> None:
    """End every membership in a store that goes."""
    db.execute(_remove_all, {"of_store": store_id})
