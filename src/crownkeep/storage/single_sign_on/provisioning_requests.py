"""What was asked of provisioning and what came of it: assignments made and ended, and permission sets provisioned anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, Text, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on.directory_users import EntityId
from crownkeep.storage.single_sign_on.instances import InstanceId
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetId

_RequestId = String(36).with_variant(String(36, collation="C"), "postgresql")

table = Table(
    "provisioning_requests",
    metadata,
    Column("instance_id", InstanceId, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("request_id", _RequestId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("failure_reason", Text),
    Column("target_id", String(12)),
    Column("permission_set_id", PermissionSetId, nullable=False),
    Column("principal_type", String(5)),
    Column("principal_id", EntityId),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("instance_id", "kind", "request_id"),
)


@dataclass(frozen=True, slots=True)
class ProvisioningRequestRow:
    """One request. `account_id` owns the instance."""

    instance_id: str
    kind: str
    """`creation`, `deletion` or `provisioning`."""
    request_id: str
    account_id: str
    status: str
    """`SUCCEEDED` or `FAILED`: everything is done, or found impossible, at once."""
    failure_reason: str | None
    target_id: str | None
    permission_set_id: str
    principal_type: str | None
    principal_id: str | None
    created_at: datetime


_in_kind = (table.c.instance_id == bindparam("instance_id"), table.c.kind == bindparam("kind"))
_by_id = RowQuery(ProvisioningRequestRow, select(table).where(*_in_kind, table.c.request_id == bindparam("request_id")))
_page = RowQuery(
    ProvisioningRequestRow,
    select(table)
    .where(
        *_in_kind,
        table.c.status.in_(bindparam("statuses", expanding=True)),
        table.c.request_id > bindparam("after"),
    )
    .order_by(table.c.request_id)
    .limit(bindparam("limit")),
)
_insert = RowInsert(ProvisioningRequestRow, table)
_remove_before = delete(table).where(table.c.instance_id == bindparam("of_instance"), table.c.created_at < bindparam("before"))
_remove_all = delete(table).where(table.c.instance_id == bindparam("of_instance"))
STATUSES = ("SUCCEEDED", "FAILED")


def with_id(db: Transaction, instance_id: str, kind: str, request_id: str) -> ProvisioningRequestRow | None:
    """Return the request of this kind with this id."""
    return _by_id.first(db, {"instance_id": instance_id, "kind": kind, "request_id": request_id})


def page(
    db: Transaction, instance_id: str, kind: str, *, status: str | None, after: str, limit: int
) -> list[ProvisioningRequestRow]:
    """Return up to `limit` requests of a kind in the order of their ids, from the one after `after`."""
    statuses = STATUSES if status is None else (status,)
    values = {"instance_id": instance_id, "kind": kind, "statuses": statuses, "after": after, "limit": limit}
    return _page.all(db, values)


def add(db: Transaction, row: ProvisioningRequestRow) -> None:
    """Keep what came of a request."""
    _insert.run(db, row)


def remove_before(db: Transaction, instance_id: str, before: datetime) -> None:
    """Forget requests of long ago."""
    db.execute(_remove_before, {"of_instance": instance_id, "before": before})


def remove_all(db: Transaction, instance_id: str) -> None:
    """Forget every request of an instance that goes."""
    db.execute(_remove_all, {"of_instance": instance_id})
