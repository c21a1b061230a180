"""Tags of everything in IAM that can be tagged: keys keep their case, and are unique for a resource without regard to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, func, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, UniqueId, metadata
from crownkeep.storage.prepared import Prepared

# Keys are listed by their code points on every database (ListUserTags answers `TEAM` before `env`).
_Key = String(128).with_variant(String(128, collation="C"), "postgresql")

table = Table(
    "tags",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("resource_id", UniqueId, nullable=False),
    # What must be unique: the key in lower case, in which a letter can be longer. Conditions know no case of keys either.
    Column("tag_key_folded", String(384), nullable=False),
    Column("tag_key", _Key, nullable=False),
    Column("tag_value", String(256), nullable=False),
    PrimaryKeyConstraint("account_id", "resource_id", "tag_key_folded"),
)

_of_resource = (table.c.account_id == bindparam("account_id"), table.c.resource_id == bindparam("resource_id"))
_all = Prepared(select(table.c.tag_key, table.c.tag_value).where(*_of_resource).order_by(table.c.tag_key))
_page = (
    select(table.c.tag_key, table.c.tag_value)
    .where(*_of_resource, table.c.tag_key > bindparam("after"))
    .order_by(table.c.tag_key)
    .limit(bindparam("limit"))
)
_of_resources = (
    select(table.c.resource_id, table.c.tag_key, table.c.tag_value)
    .where(table.c.account_id == bindparam("account_id"), table.c.resource_id.in_(bindparam("resource_ids", expanding=True)))
    .order_by(table.c.tag_key)
)
_count = select(func.count()).select_from(table).where(*_of_resource)
_remove = delete(table).where(*_of_resource, table.c.tag_key_folded.in_(bindparam("folded", expanding=True)))
_remove_all = delete(table).where(*_of_resource)


def of_resource(db: Transaction, account_id: str, resource_id: str) -> dict[str, str]:
    """Return a resource's tags in the order of their keys; `resource_id` is a unique id."""
    return dict(_all.all(db, {"account_id": account_id, "resource_id": resource_id}))


def of_resources(db: Transaction, account_id: str, resource_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of each of these resources, by unique id, in one query."""
    found: dict[str, dict[str, str]] = {resource_id: {} for resource_id in resource_ids}
    if not resource_ids:
        return found
    for resource_id, key, value in db.execute(_of_resources, {"account_id": account_id, "resource_ids": list(resource_ids)}):
        found[resource_id][key] = value
    return found


def page(db: Transaction, account_id: str, resource_id: str, *, after: str, limit: int) -> list[tuple[str, str]]:
    """Return up to `limit` tags of a resource in the order of their keys, from the one after the key `after`."""
    values = {"account_id": account_id, "resource_id": resource_id, "after": after, "limit": limit}
    return [(key, value) for key, value in db.execute(_page, values)]


def count(db: Transaction, account_id: str, resource_id: str) -> int:
    """Return how many tags a resource has."""
    return int(db.execute(_count, {"account_id": account_id, "resource_id": resource_id}).scalar_one())


def put(db: Transaction, account_id: str, resource_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of a resource, in the place of those whose keys differ at most in case."""
    if not tags:
        return
    # Removed first, and not updated: the key itself may come with other letters' case.
    remove(db, account_id, resource_id, list(tags))
    db.execute(
        insert(table),
        [
            {
                "account_id": account_id,
                "resource_id": resource_id,
                "tag_key_folded": key.lower(),
                "tag_key": key,
                "tag_value": value,
            }
            for key, value in tags.items()
        ],
    )


def remove(db: Transaction, account_id: str, resource_id: str, keys: Sequence[str]) -> None:
    """Take the tags whose keys are one of these, in whatever case, from a resource."""
    if keys:
        folded = [key.lower() for key in keys]
        db.execute(_remove, {"account_id": account_id, "resource_id": resource_id, "folded": folded})


def remove_all(db: Transaction, account_id: str, resource_id: str) -> None:
    """Forget all tags of a resource that goes."""
    db.execute(_remove_all, {"account_id": account_id, "resource_id": resource_id})
