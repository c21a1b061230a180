"""Groups of an identity store, each display name once without regard to case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on import directory_memberships
from crownkeep.storage.single_sign_on.directory_users import EntityId, NameKey
from crownkeep.storage.single_sign_on.instances import StoreId

table = Table(
    "directory_groups",
    metadata,
    Column("identity_store_id", StoreId, nullable=False),
    Column("group_id", EntityId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("display_name", String(1024), nullable=False),
    Column("display_name_key", NameKey, nullable=False),
    Column("description", String(1024)),
    Column("external_id", String(256)),
    Column("revision", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", AnyArn, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("updated_by", AnyArn, nullable=False),
    PrimaryKeyConstraint("identity_store_id", "group_id"),
    UniqueConstraint("identity_store_id", "display_name_key"),
    Index("ix_directory_groups_external_id", "identity_store_id", "external_id", unique=True),
)


@dataclass(frozen=True, slots=True)
class DirectoryGroupRow:
    """One group. `account_id` owns the identity store."""

    identity_store_id: str
    group_id: str
    account_id: str
    display_name: str
    display_name_key: str
    description: str | None
    external_id: str | None
    """What the directory that groups are provisioned from calls it; no other group in the store has it."""
    revision: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


_in_store = table.c.identity_store_id == bindparam("store_id")
_by_id = RowQuery(DirectoryGroupRow, select(table).where(_in_store, table.c.group_id == bindparam("group_id")))
_named = RowQuery(DirectoryGroupRow, select(table).where(_in_store, table.c.display_name_key == bindparam("name_key")))
_with_external_id = RowQuery(DirectoryGroupRow, select(table).where(_in_store, table.c.external_id == bindparam("external_id")))
_page = RowQuery(
    DirectoryGroupRow,
    select(table).where(_in_store, table.c.group_id > bindparam("after")).order_by(table.c.group_id).limit(bindparam("limit")),
)
_memberships = directory_memberships.table.c
_of_member = RowQuery(
    DirectoryGroupRow,
    select(table)
    .where(
        _in_store,
        table.c.group_id.in_(
            select(_memberships.group_id).where(
                _memberships.identity_store_id == bindparam("store_id"), _memberships.user_id == bindparam("user_id")
            )
        ),
    )
    .order_by(table.c.group_id)
    .limit(bindparam("limit")),
)
_with_ids = select(table.c.group_id).where(_in_store, table.c.group_id.in_(bindparam("group_ids", expanding=True)))
_this = (table.c.identity_store_id == bindparam("of_store"), table.c.group_id == bindparam("of_group"))
_insert = RowInsert(DirectoryGroupRow, table)
# With the revision that was read: whoever has changed the group in the meantime is not overwritten, on any node.
_change = (
    update(table)
    .where(*_this, table.c.revision == bindparam("of_revision"))
    .values(
        display_name=bindparam("new_name"),
        display_name_key=bindparam("new_name_key"),
        description=bindparam("new_description"),
        external_id=bindparam("new_external_id"),
        revision=table.c.revision + 1,
        updated_at=bindparam("at"),
        updated_by=bindparam("by"),
    )
)
_remove = delete(table).where(*_this)
_remove_all = delete(table).where(table.c.identity_store_id == bindparam("of_store"))


def with_id(db: Transaction, store_id: str, group_id: str) -> DirectoryGroupRow | None:
    """Return the group with this id."""
    return _by_id.first(db, {"store_id": store_id, "group_id": group_id})


def named(db: Transaction, store_id: str, display_name: str) -> DirectoryGroupRow | None:
    """Return the group with this display name, whatever its letters' case."""
    return _named.first(db, {"store_id": store_id, "name_key": display_name.lower()})


def with_external_id(db: Transaction, store_id: str, external_id: str) -> DirectoryGroupRow | None:
    """Return the group that another directory knows by this id."""
    return _with_external_id.first(db, {"store_id": store_id, "external_id": external_id})


def page(db: Transaction, store_id: str, *, after: str, limit: int) -> list[DirectoryGroupRow]:
    """Return up to `limit` groups in the order of their ids, from the one after `after`."""
    return _page.all(db, {"store_id": store_id, "after": after, "limit": limit})


def of_member(db: Transaction, store_id: str, user_id: str, *, limit: int) -> list[DirectoryGroupRow]:
    """Return up to `limit` groups that a person is in."""
    return _of_member.all(db, {"store_id": store_id, "user_id": user_id, "limit": limit})


def existing(db: Transaction, store_id: str, group_ids: Sequence[str]) -> set[str]:
    """Return which of these ids are groups'."""
    if not group_ids:
        return set()
    return set(db.execute(_with_ids, {"store_id": store_id, "group_ids": list(group_ids)}).scalars())


def add(db: Transaction, row: DirectoryGroupRow) -> None:
    """Keep a new group."""
    _insert.run(db, row)


def change(db: Transaction, before: DirectoryGroupRow, after: DirectoryGroupRow) -> bool:
    """Change a group, unless somebody else has since `before` was read: then nothing is changed and False returned."""
    values = {
        "of_store": before.identity_store_id,
        "of_group": before.group_id,
        "of_revision": before.revision,
        "new_name": after.display_name,
        "new_name_key": after.display_name_key,
        "new_description": after.description,
        "new_external_id": after.external_id,
        "at": after.updated_at,
        "by": after.updated_by,
    }
    return bool(db.execute(_change, values).rowcount)


def remove(db: Transaction, store_id: str, group_id: str) -> None:
    """Forget a group's own row."""
    db.execute(_remove, {"of_store": store_id, "of_group": group_id})


def remove_all(db: Transaction, store_id: str) -> None:
    """Forget every group of a store that goes."""
    db.execute(_remove_all, {"of_store": store_id})
