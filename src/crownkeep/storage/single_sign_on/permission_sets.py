"""Permission sets of an instance: what a role is to be allowed that people take on, in whichever account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.instances import InstanceId

PermissionSetId = String(19).with_variant(String(19, collation="C"), "postgresql")

table = Table(
    "permission_sets",
    metadata,
    Column("instance_id", InstanceId, nullable=False),
    Column("permission_set_id", PermissionSetId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("description", String(700)),
    Column("session_duration", String(100), nullable=False),
    Column("relay_state", String(240)),
    Column("inline_policy", Text),
    Column("boundary", Text),
    Column("revision", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("instance_id", "permission_set_id"),
    UniqueConstraint("instance_id", "name_key"),
)


@dataclass(frozen=True, slots=True)
class PermissionSetRow:
    """One permission set. `account_id` owns the instance."""

    instance_id: str
    permission_set_id: str
    """Such as `ps-0123456789abcdef`."""
    account_id: str
    name: str
    name_key: str
    description: str | None
    session_duration: str
    """As ISO 8601 writes it, from `PT1H` to `PT12H`."""
    relay_state: str | None
    inline_policy: str | None
    boundary: str | None
    """The API's `PermissionsBoundary` as JSON text."""
    revision: int
    """Counts the changes that its roles have to follow."""
    created_at: datetime


_in_instance = table.c.instance_id == bindparam("instance_id")
_by_id = RowQuery(
    PermissionSetRow, select(table).where(_in_instance, table.c.permission_set_id == bindparam("permission_set_id"))
)
_by_ids = RowQuery(
    PermissionSetRow,
    select(table).where(_in_instance, table.c.permission_set_id.in_(bindparam("permission_set_ids", expanding=True))),
)
_named = RowQuery(PermissionSetRow, select(table).where(_in_instance, table.c.name_key == bindparam("name_key")))
_page = RowQuery(
    PermissionSetRow,
    select(table)
    .where(_in_instance, table.c.permission_set_id > bindparam("after"))
    .order_by(table.c.permission_set_id)
    .limit(bindparam("limit")),
)
_count = select(func.count()).select_from(table).where(_in_instance)
_this = (table.c.instance_id == bindparam("of_instance"), table.c.permission_set_id == bindparam("of_permission_set"))
_insert = RowInsert(PermissionSetRow, table)
_change = (
    update(table)
    .where(*_this)
    .values(
        description=bindparam("new_description"),
        session_duration=bindparam("new_duration"),
        relay_state=bindparam("new_relay_state"),
        inline_policy=bindparam("new_inline_policy"),
        boundary=bindparam("new_boundary"),
        # Counted by the database: two changes at once must not become one revision, which roles would follow only once.
        revision=table.c.revision + 1,
    )
)
_advance = update(table).where(*_this).values(revision=table.c.revision + 1)
_remove = delete(table).where(*_this)


def with_id(db: Transaction, instance_id: str, permission_set_id: str) -> PermissionSetRow | None:
    """Return the permission set with this id."""
    return _by_id.first(db, {"instance_id": instance_id, "permission_set_id": permission_set_id})


def with_ids(db: Transaction, instance_id: str, permission_set_ids: Sequence[str]) -> dict[str, PermissionSetRow]:
    """Return permission sets by id."""
    if not permission_set_ids:
        return {}
    found = _by_ids.all(db, {"instance_id": instance_id, "permission_set_ids": list(permission_set_ids)})
    return {row.permission_set_id: row for row in found}


def named(db: Transaction, instance_id: str, name: str) -> PermissionSetRow | None:
    """Return the permission set with this name, whatever its letters' case: its roles' names must differ."""
    return _named.first(db, {"instance_id": instance_id, "name_key": name.lower()})


def page(db: Transaction, instance_id: str, *, after: str, limit: int) -> list[PermissionSetRow]:
    """Return up to `limit` permission sets in the order of their ids, from the one after `after`."""
    return _page.all(db, {"instance_id": instance_id, "after": after, "limit": limit})


def count(db: Transaction, instance_id: str) -> int:
    """Return how many permission sets an instance has."""
    return int(db.execute(_count, {"instance_id": instance_id}).scalar_one())


def add(db: Transaction, row: PermissionSetRow) -> None:
    """Keep a new permission set."""
    _insert.run(db, row)


def change(db: Transaction, row: PermissionSetRow) -> None:
    """Keep what a permission set has become, as its next revision."""
    values = {
        "of_instance": row.instance_id,
        "of_permission_set": row.permission_set_id,
        "new_description": row.description,
        "new_duration": row.session_duration,
        "new_relay_state": row.relay_state,
        "new_inline_policy": row.inline_policy,
        "new_boundary": row.boundary,
    }
    db.execute(_change, values)


def advance(db: Transaction, instance_id: str, permission_set_id: str) -> None:
    """Count a change that is kept beside the permission set: in its policies."""
    db.execute(_advance, {"of_instance": instance_id, "of_permission_set": permission_set_id})


def remove(db: Transaction, instance_id: str, permission_set_id: str) -> None:
    """Forget a permission set's own row."""
    db.execute(_remove, {"of_instance": instance_id, "of_permission_set": permission_set_id})
