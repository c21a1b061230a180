"""Account assignments: which person or group may take which permission set in which account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, bindparam, delete, select, tuple_

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.directory_users import EntityId
from crownkeep.storage.single_sign_on.instances import InstanceId
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetId

TargetId = String(12).with_variant(String(12, collation="C"), "postgresql")

table = Table(
    "account_assignments",
    metadata,
    Column("instance_id", InstanceId, nullable=False),
    Column("target_id", TargetId, nullable=False),
    Column("permission_set_id", PermissionSetId, nullable=False),
    Column("principal_type", String(5), nullable=False),
    Column("principal_id", EntityId, nullable=False),
    # The account that owns the instance.
    Column("account_id", AccountId, nullable=False, index=True),
    # The account that is assigned: whoever purges it purges these.
    Column("owner_account_id", AccountId, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("instance_id", "target_id", "permission_set_id", "principal_id"),
    # What a person may take is asked for by whose it is. All columns: otherwise SQLite would rather read the primary key's.
    Index("ix_account_assignments_principal", "instance_id", "principal_id", "target_id", "permission_set_id"),
)


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """One assignment. `target_id` is the account it is for, once more `owner_account_id`; `account_id` owns the instance."""

    instance_id: str
    target_id: str
    permission_set_id: str
    principal_type: str
    """`USER` or `GROUP`."""
    principal_id: str
    account_id: str
    owner_account_id: str
    created_at: datetime


_in_instance = table.c.instance_id == bindparam("instance_id")
_at = (table.c.target_id == bindparam("target_id"), table.c.permission_set_id == bindparam("permission_set_id"))
_one = RowQuery(AssignmentRow, select(table).where(_in_instance, *_at, table.c.principal_id == bindparam("principal_id")))
_any_at = select(table.c.principal_id).where(_in_instance, *_at).limit(1)
_any_in = (
    select(table.c.principal_id)
    .where(
        _in_instance,
        table.c.target_id == bindparam("target_id"),
        table.c.principal_id.in_(bindparam("principal_ids", expanding=True)),
    )
    .limit(1)
)
_any_of_set = select(table.c.target_id).where(_in_instance, table.c.permission_set_id == bindparam("permission_set_id")).limit(1)
_page_at = RowQuery(
    AssignmentRow,
    select(table)
    .where(_in_instance, *_at, table.c.principal_id > bindparam("after"))
    .order_by(table.c.principal_id)
    .limit(bindparam("limit")),
)
_place = tuple_(table.c.target_id, table.c.permission_set_id, table.c.principal_id)
_page_of = RowQuery(
    AssignmentRow,
    select(table)
    .where(
        _in_instance,
        table.c.principal_id.in_(bindparam("principal_ids", expanding=True)),
        _place > tuple_(bindparam("after_target"), bindparam("after_set"), bindparam("after_principal")),
    )
    .order_by(table.c.target_id, table.c.permission_set_id, table.c.principal_id)
    .limit(bindparam("limit")),
)
_this_instance = table.c.instance_id == bindparam("of_instance")
_insert = RowInsert(AssignmentRow, table)
_remove = delete(table).where(
    _this_instance,
    table.c.target_id == bindparam("of_target"),
    table.c.permission_set_id == bindparam("of_permission_set"),
    table.c.principal_id == bindparam("of_principal"),
)
_remove_target = delete(table).where(_this_instance, table.c.target_id == bindparam("of_target"))
_remove_permission_set = delete(table).where(_this_instance, table.c.permission_set_id == bindparam("of_permission_set"))
_of_principal = RowQuery(AssignmentRow, select(table).where(_in_instance, table.c.principal_id == bindparam("principal_id")))
_remove_principal = delete(table).where(_this_instance, table.c.principal_id == bindparam("of_principal"))


def find(db: Transaction, instance_id: str, *, target_id: str, permission_set_id: str, principal_id: str) -> AssignmentRow | None:
    """Return one assignment."""
    values = {"instance_id": instance_id, "target_id": target_id, "permission_set_id": permission_set_id}
    return _one.first(db, {**values, "principal_id": principal_id})


def is_assigned(db: Transaction, instance_id: str, *, target_id: str, permission_set_id: str) -> bool:
    """Tell whether anybody may take the permission set in the account."""
    values = {"instance_id": instance_id, "target_id": target_id, "permission_set_id": permission_set_id}
    return db.execute(_any_at, values).first() is not None


def reaches(db: Transaction, instance_id: str, target_id: str, principal_ids: Sequence[str]) -> bool:
    """Tell whether any of these people and groups may take anything in the account."""
    values = {"instance_id": instance_id, "target_id": target_id, "principal_ids": list(principal_ids)}
    return db.execute(_any_in, values).first() is not None


def is_used(db: Transaction, instance_id: str, permission_set_id: str) -> bool:
    """Tell whether anybody may take the permission set anywhere."""
    return db.execute(_any_of_set, {"instance_id": instance_id, "permission_set_id": permission_set_id}).first() is not None


def page_at(
    db: Transaction, instance_id: str, *, target_id: str, permission_set_id: str, after: str, limit: int
) -> list[AssignmentRow]:
    """Return up to `limit` assignments of a permission set in an account, by principal, from the one after `after`."""
    values = {"instance_id": instance_id, "target_id": target_id, "permission_set_id": permission_set_id}
    return _page_at.all(db, {**values, "after": after, "limit": limit})


def page_of(
    db: Transaction, instance_id: str, principal_ids: Sequence[str], *, after: tuple[str, str, str], limit: int
) -> list[AssignmentRow]:
    """Return up to `limit` assignments of these principals by account, permission set and principal, after the place `after`."""
    target, permission_set, principal = after
    place = {"after_target": target, "after_set": permission_set, "after_principal": principal}
    return _page_of.all(db, {"instance_id": instance_id, "principal_ids": list(principal_ids), **place, "limit": limit})


def of_principal(db: Transaction, instance_id: str, principal_id: str) -> list[AssignmentRow]:
    """Return every assignment of one person or group."""
    return _of_principal.all(db, {"instance_id": instance_id, "principal_id": principal_id})


def add(db: Transaction, row: AssignmentRow) -> None:
    """Keep a new assignment."""
    _insert.run(db, row)


def remove(db: Transaction, instance_id: str, *, target_id: str, permission_set_id: str, principal_id: str) -> bool:
    """Forget an assignment, and tell whether there was one."""
    values = {"of_instance": instance_id, "of_target": target_id, "of_permission_set": permission_set_id}
    return bool(db.execute(_remove, {**values, "of_principal": principal_id}).rowcount)


def remove_principal(db: Transaction, instance_id: str, principal_id: str) -> None:
    """Forget every assignment of a person or group that goes."""
    db.execute(_remove_principal, {"of_instance": instance_id, "of_principal": principal_id})


def remove_target(db: Transaction, instance_id: str, target_id: str) -> None:
    """Forget every assignment in an account."""
    db.execute(_remove_target, {"of_instance": instance_id, "of_target": target_id})


def remove_permission_set(db: Transaction, instance_id: str, permission_set_id: str) -> None:
    """Forget every assignment of a permission set."""
    db.execute(_remove_permission_set, {"of_instance": instance_id, "of_permission_set": permission_set_id})
