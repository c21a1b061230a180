"""People of an identity store: found by id, by user name without regard to case, or by e-mail address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    select,
    true,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.instances import StoreId

EntityId = String(47).with_variant(String(47, collation="C"), "postgresql")
NameKey = String(3072).with_variant(String(3072, collation="C"), "postgresql")

table = Table(
    "directory_users",
    metadata,
    Column("identity_store_id", StoreId, nullable=False),
    Column("user_id", EntityId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("user_name", String(128), nullable=False),
    Column("user_name_key", NameKey, nullable=False),
    Column("email_key", NameKey),
    Column("external_id", String(256)),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("attributes", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", AnyArn, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("updated_by", AnyArn, nullable=False),
    PrimaryKeyConstraint("identity_store_id", "user_id"),
    UniqueConstraint("identity_store_id", "user_name_key"),
    UniqueConstraint("identity_store_id", "email_key"),
    Index("ix_directory_users_external_id", "identity_store_id", "external_id", unique=True),
)


@dataclass(frozen=True, slots=True)
class DirectoryUserRow:
    """One person. `account_id` owns the identity store; `attributes` are the API's members as JSON text."""

    identity_store_id: str
    user_id: str
    account_id: str
    user_name: str
    user_name_key: str
    """The user name in lower case."""
    email_key: str | None
    """The e-mail address in lower case, which nobody else in the store has."""
    external_id: str | None
    """What the directory that people are provisioned from calls them; nobody else in the store has it."""
    is_active: bool
    """Whether they may sign in, and use what they have taken."""
    attributes: str
    revision: int
    """Counts the changes, for callers who change only what they have seen."""
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str


_in_store = table.c.identity_store_id == bindparam("store_id")
_by_id = RowQuery(DirectoryUserRow, select(table).where(_in_store, table.c.user_id == bindparam("user_id")))
_named = RowQuery(DirectoryUserRow, select(table).where(_in_store, table.c.user_name_key == bindparam("name_key")))
_with_email = RowQuery(DirectoryUserRow, select(table).where(_in_store, table.c.email_key == bindparam("email_key")))
_with_external_id = RowQuery(DirectoryUserRow, select(table).where(_in_store, table.c.external_id == bindparam("external_id")))
_page = RowQuery(
    DirectoryUserRow,
    select(table).where(_in_store, table.c.user_id > bindparam("after")).order_by(table.c.user_id).limit(bindparam("limit")),
)
_with_ids = select(table.c.user_id).where(_in_store, table.c.user_id.in_(bindparam("user_ids", expanding=True)))
_disabled = select(table.c.identity_store_id, table.c.user_id).where(
    table.c.user_id.in_(bindparam("user_ids", expanding=True)), table.c.is_active.is_(False)
)
_this = (table.c.identity_store_id == bindparam("of_store"), table.c.user_id == bindparam("of_user"))
_insert = RowInsert(DirectoryUserRow, table)
_change = (
    update(table)
    .where(*_this, table.c.revision == bindparam("of_revision"))
    .values(
        user_name=bindparam("new_name"),
        user_name_key=bindparam("new_name_key"),
        email_key=bindparam("new_email_key"),
        external_id=bindparam("new_external_id"),
        is_active=bindparam("new_is_active"),
        attributes=bindparam("new_attributes"),
        revision=table.c.revision + 1,
        updated_at=bindparam("at"),
        updated_by=bindparam("by"),
    )
)
_remove = delete(table).where(*_this)
_remove_all = delete(table).where(table.c.identity_store_id == bindparam("of_store"))


def with_id(db: Transaction, store_id: str, user_id: str) -> DirectoryUserRow | None:
    """Return the person with this id."""
    return _by_id.first(db, {"store_id": store_id, "user_id": user_id})


def named(db: Transaction, store_id: str, user_name: str) -> DirectoryUserRow | None:
    """Return the person with this user name, whatever its letters' case."""
    return _named.first(db, {"store_id": store_id, "name_key": user_name.lower()})


def with_email(db: Transaction, store_id: str, email: str) -> DirectoryUserRow | None:
    """Return the person with this e-mail address, whatever its letters' case."""
    return _with_email.first(db, {"store_id": store_id, "email_key": email.lower()})


def with_external_id(db: Transaction, store_id: str, external_id: str) -> DirectoryUserRow | None:
    """Return the person whom another directory knows by this id."""
    return _with_external_id.first(db, {"store_id": store_id, "external_id": external_id})


def page(db: Transaction, store_id: str, *, after: str, limit: int) -> list[DirectoryUserRow]:
    """Return up to `limit` people in the order of their ids, from the one after `after`."""
    return _page.all(db, {"store_id": store_id, "after": after, "limit": limit})


def existing(db: Transaction, store_id: str, user_ids: Sequence[str]) -> set[str]:
    """Return which of these ids are people's."""
    if not user_ids:
        return set()
    return set(db.execute(_with_ids, {"store_id": store_id, "user_ids": list(user_ids)}).scalars())


def disabled(db: Transaction, user_ids: Sequence[str]) -> set[tuple[str, str]]:
    """Return which people with these ids are disabled, each by store and id."""
    return (
        {(store_id, user_id) for store_id, user_id in db.execute(_disabled, {"user_ids": list(user_ids)})} if user_ids else set()
    )


def add(db: Transaction, row: DirectoryUserRow) -> None:
    """Keep a new person."""
    _insert.run(db, row)


def change(db: Transaction, before: DirectoryUserRow, after: DirectoryUserRow) -> bool:
    """Change a person, unless somebody else has since `before` was read: then nothing is changed and False returned."""
    values = {
        "of_store": before.identity_store_id,
        "of_user": before.user_id,
        "of_revision": before.revision,
        "new_name": after.user_name,
        "new_name_key": after.user_name_key,
        "new_email_key": after.email_key,
        "new_external_id": after.external_id,
        "new_is_active": after.is_active,
        "new_attributes": after.attributes,
        "at": after.updated_at,
        "by": after.updated_by,
    }
    return bool(db.execute(_change, values).rowcount)


def remove(db: Transaction, store_id: str, user_id: str) -> None:
    """Forget a person's own row."""
    db.execute(_remove, {"of_store": store_id, "of_user": user_id})


def remove_all(db: Transaction, store_id: str) -> None:
    """Forget everybody in a store that goes."""
    db.execute(_remove_all, {"of_store": store_id})
