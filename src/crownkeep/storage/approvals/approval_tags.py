"""Tags of approval teams and identity sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata

_Key = String(128).with_variant(String(128, collation="C"), "postgresql")

table = Table(
    "approval_tags",
    metadata,
    Column("resource_id", String(96), nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("key", _Key, nullable=False),
    Column("value", String(256), nullable=False),
    PrimaryKeyConstraint("resource_id", "key"),
)

_of = select(table.c.key, table.c.value).where(table.c.resource_id == bindparam("resource_id")).order_by(table.c.key)
_this = table.c.resource_id == bindparam("of_resource")
_remove = delete(table).where(_this, table.c.key.in_(bindparam("keys", expanding=True)))
_remove_all = delete(table).where(_this)


def of_resource(db: Transaction, resource_id: str) -> dict[str, str]:
    """Return the tags of a team or an identity source by key."""
    return {str(row.key): str(row.value) for row in db.execute(_of, {"resource_id": resource_id})}


def put(db: Transaction, account_id: str, resource_id: str, wanted: Mapping[str, str]) -> None:
    """Add tags to a resource of an account, or change them."""
    if not wanted:
        return
    remove(db, resource_id, list(wanted))
    rows = [{"resource_id": resource_id, "account_id": account_id, "key": key, "value": value} for key, value in wanted.items()]
    db.execute(insert(table), rows)


def remove(db: Transaction, resource_id: str, keys: Sequence[str]) -> None:
    """Take tags from a resource."""
    if keys:
        db.execute(_remove, {"of_resource": resource_id, "keys": list(keys)})


def remove_all(db: Transaction, resource_id: str) -> None:
    """Take every tag from a resource that goes."""
    db.execute(_remove_all, {"of_resource": resource_id})
