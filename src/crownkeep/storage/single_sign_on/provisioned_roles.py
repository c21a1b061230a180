"""Provisioned roles: in which accounts a permission set has become a role, and as which of its revisions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.account_assignments import TargetId
from crownkeep.storage.single_sign_on.instances import InstanceId
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetId

table = Table(
    "provisioned_roles",
    metadata,
    Column("instance_id", InstanceId, nullable=False),
    Column("permission_set_id", PermissionSetId, nullable=False),
    Column("target_id", TargetId, nullable=False),
    Column("role_id", UniqueId, nullable=False),
    Column("revision", Integer, nullable=False),
    # The account that owns the instance.
    Column("account_id", AccountId, nullable=False, index=True),
    # The account that has the role: whoever purges it purges these.
    Column("owner_account_id", AccountId, nullable=False, index=True),
    PrimaryKeyConstraint("instance_id", "permission_set_id", "target_id"),
)


@dataclass(frozen=True, slots=True)
class ProvisionedRoleRow:
    """One role. `target_id` is its account, once more `owner_account_id`; `account_id` owns the instance."""

    instance_id: str
    permission_set_id: str
    target_id: str
    role_id: str
    revision: int
    account_id: str
    owner_account_id: str


_in_instance = table.c.instance_id == bindparam("instance_id")
_of_set = (_in_instance, table.c.permission_set_id == bindparam("permission_set_id"))
_one = RowQuery(ProvisionedRoleRow, select(table).where(*_of_set, table.c.target_id == bindparam("target_id")))
_page_of_set = RowQuery(
    ProvisionedRoleRow,
    select(table).where(*_of_set, table.c.target_id > bindparam("after")).order_by(table.c.target_id).limit(bindparam("limit")),
)
_page_in = RowQuery(
    ProvisionedRoleRow,
    select(table)
    .where(_in_instance, table.c.target_id == bindparam("target_id"), table.c.permission_set_id > bindparam("after"))
    .order_by(table.c.permission_set_id)
    .limit(bindparam("limit")),
)
_followed = select(table.c.permission_set_id, table.c.revision, func.count()).where(_in_instance)
_followed = _followed.group_by(table.c.permission_set_id, table.c.revision)
_this = (
    table.c.instance_id == bindparam("of_instance"),
    table.c.permission_set_id == bindparam("of_permission_set"),
    table.c.target_id == bindparam("of_target"),
)
_insert = RowInsert(ProvisionedRoleRow, table)
_set_revision = update(table).where(*_this).values(revision=bindparam("new_revision"))
_remove = delete(table).where(*_this)


def find(db: Transaction, instance_id: str, permission_set_id: str, target_id: str) -> ProvisionedRoleRow | None:
    """Return what a permission set has become in an account."""
    return _one.first(db, {"instance_id": instance_id, "permission_set_id": permission_set_id, "target_id": target_id})


def page_of_set(db: Transaction, instance_id: str, permission_set_id: str, *, after: str, limit: int) -> list[ProvisionedRoleRow]:
    """Return up to `limit` roles of a permission set in the order of their accounts, from the one after `after`."""
    values = {"instance_id": instance_id, "permission_set_id": permission_set_id, "after": after, "limit": limit}
    return _page_of_set.all(db, values)


def page_in(db: Transaction, instance_id: str, target_id: str, *, after: str, limit: int) -> list[ProvisionedRoleRow]:
    """Return up to `limit` roles in an account in the order of their permission sets' ids, from the one after `after`."""
    return _page_in.all(db, {"instance_id": instance_id, "target_id": target_id, "after": after, "limit": limit})


def followed(db: Transaction, instance_id: str) -> dict[str, dict[int, int]]:
    """Return for each permission set of an instance how many accounts follow which revision of it."""
    found: dict[str, dict[int, int]] = {}
    for permission_set_id, revision, count in db.execute(_followed, {"instance_id": instance_id}):
        found.setdefault(permission_set_id, {})[revision] = count
    return found


def add(db: Transaction, row: ProvisionedRoleRow) -> None:
    """Keep that a role was made."""
    _insert.run(db, row)


def set_revision(db: Transaction, row: ProvisionedRoleRow, revision: int) -> None:
    """Keep which revision of the permission set a role follows."""
    db.execute(_set_revision, {**_key(row), "new_revision": revision})


def remove(db: Transaction, row: ProvisionedRoleRow) -> None:
    """Forget a role that is gone."""
    db.execute(_remove, _key(row))


def _key(row: ProvisionedRoleRow) -> dict[str, str]:
    return {"of_instance": row.instance_id, "of_permission_set": row.permission_set_id, "of_target": row.target_id}
