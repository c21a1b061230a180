"""Managed policies of permission sets: AWS's by ARN, and customers' by a name that each account resolves for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.instances import InstanceId
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetId

Reference = String(700).with_variant(String(700, collation="C"), "postgresql")

table = Table(
    "permission_set_policies",
    metadata,
    Column("instance_id", InstanceId, nullable=False),
    Column("permission_set_id", PermissionSetId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("reference", Reference, nullable=False),
    Column("attached_at", Moment, nullable=False),
    PrimaryKeyConstraint("instance_id", "permission_set_id", "reference"),
)


@dataclass(frozen=True, slots=True)
class PermissionSetPolicyRow:
    """One policy of a permission set. `account_id` owns the instance."""

    instance_id: str
    permission_set_id: str
    account_id: str
    reference: str
    """The ARN of one of AWS's policies, or the path and name of a customer's, such as `/teams/Billing`."""
    attached_at: datetime


_in_set = (table.c.instance_id == bindparam("instance_id"), table.c.permission_set_id == bindparam("permission_set_id"))
_of_set = RowQuery(PermissionSetPolicyRow, select(table).where(*_in_set).order_by(table.c.reference))
_of_instance = RowQuery(PermissionSetPolicyRow, select(table).where(table.c.instance_id == bindparam("instance_id")))
_this = (table.c.instance_id == bindparam("of_instance"), table.c.permission_set_id == bindparam("of_permission_set"))
_insert = RowInsert(PermissionSetPolicyRow, table)
_remove = delete(table).where(*_this, table.c.reference == bindparam("of_reference"))
_remove_all = delete(table).where(*_this)


def of_permission_set(db: Transaction, instance_id: str, permission_set_id: str) -> list[PermissionSetPolicyRow]:
    """Return the policies of a permission set by reference; a quota keeps them few."""
    return _of_set.all(db, {"instance_id": instance_id, "permission_set_id": permission_set_id})


def of_instance(db: Transaction, instance_id: str) -> list[PermissionSetPolicyRow]:
    """Return the policies of all permission sets of an instance; quotas keep them few."""
    return _of_instance.all(db, {"instance_id": instance_id})


def add(db: Transaction, row: PermissionSetPolicyRow) -> None:
    """Attach a policy."""
    _insert.run(db, row)


def remove(db: Transaction, instance_id: str, permission_set_id: str, reference: str) -> bool:
    """Detach a policy, and tell whether it was attached."""
    values = {"of_instance": instance_id, "of_permission_set": permission_set_id, "of_reference": reference}
    return bool(db.execute(_remove, values).rowcount)


def remove_all(db: Transaction, instance_id: str, permission_set_id: str) -> None:
    """Detach every policy of a permission set that goes."""
    db.execute(_remove_all, {"of_instance": instance_id, "of_permission_set": permission_set_id})
