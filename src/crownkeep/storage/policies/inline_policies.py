"""Inline policies of users, groups and roles: documents that live and die with their entity, byte for byte as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table, Text, bindparam, delete, func, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities.owners import Kind, OwnerKind
from crownkeep.storage.metadata import AccountId, Moment, Name, UniqueId, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "inline_policies",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("owner_kind", Kind, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("document", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("put_at", Moment, nullable=False),
    PrimaryKeyConstraint("account_id", "owner_id", "name_key"),
)


@dataclass(frozen=True, slots=True)
class InlinePolicyRow:
    """One inline policy. `size` counts the document's characters without white space, as the quota does."""

    account_id: str
    owner_id: str
    owner_kind: OwnerKind
    name: str
    name_key: str
    document: str
    size: int
    put_at: datetime


def _row(
    account_id: str,
    owner_id: str,
    owner_kind: str,
    name: str,
    name_key: str,
    document: str,
    size: int,
    put_at: datetime,
) -> InlinePolicyRow:
    return InlinePolicyRow(
        account_id=account_id,
        owner_id=owner_id,
        owner_kind=OwnerKind(owner_kind),
        name=name,
        name_key=name_key,
        document=document,
        size=size,
        put_at=put_at,
    )


_in_account = table.c.account_id == bindparam("account_id")
_of_owner = _in_account & (table.c.owner_id == bindparam("owner_id"))
_named = RowQuery(_row, select(table).where(_of_owner, table.c.name_key == bindparam("name_key")))
_names_page = (
    select(table.c.name)
    .where(_of_owner, table.c.name_key > bindparam("after"))
    .order_by(table.c.name_key)
    .limit(bindparam("limit"))
)
_of_owners = RowQuery(
    _row,
    select(table)
    .where(_in_account, table.c.owner_id.in_(bindparam("owner_ids", expanding=True)))
    .order_by(table.c.owner_id, table.c.name_key),
)
_count = select(func.count()).select_from(table).where(_of_owner)
_size_beside = select(func.coalesce(func.sum(table.c.size), 0)).where(_of_owner, table.c.name_key != bindparam("name_key"))
_remove = delete(table).where(_of_owner, table.c.name_key == bindparam("name_key"))


def named(db: Transaction, account_id: str, owner_id: str, name: str) -> InlinePolicyRow | None:
    """Return the entity's inline policy with this name, whatever its letters' case."""
    values = {"account_id": account_id, "owner_id": owner_id, "name_key": name.lower()}
    return _named.first(db, values)


def names_page(db: Transaction, account_id: str, owner_id: str, *, after: str, limit: int) -> list[str]:
    """Return up to `limit` names of an entity's inline policies in their order, from the one after the key `after`."""
    values = {"account_id": account_id, "owner_id": owner_id, "after": after, "limit": limit}
    return list(db.execute(_names_page, values).scalars())


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[InlinePolicyRow]:
    """Return the inline policies of an entity, by name."""
    return of_owners(db, account_id, [owner_id])


def of_owners(db: Transaction, account_id: str, owner_ids: Sequence[str]) -> list[InlinePolicyRow]:
    """Return the inline policies of all these entities, by owner and name, in one query."""
    if not owner_ids:
        return []
    return _of_owners.all(db, {"account_id": account_id, "owner_ids": list(owner_ids)})


def count(db: Transaction, account_id: str, owner_id: str) -> int:
    """Return how many inline policies an entity has."""
    return int(db.execute(_count, {"account_id": account_id, "owner_id": owner_id}).scalar_one())


def size_beside(db: Transaction, account_id: str, owner_id: str, name: str) -> int:
    """Return the size of all inline policies of an entity but the one with this name."""
    values = {"account_id": account_id, "owner_id": owner_id, "name_key": name.lower()}
    return int(db.execute(_size_beside, values).scalar_one())


def put(db: Transaction, row: InlinePolicyRow) -> None:
    """Keep an inline policy, in the place of one with the same name."""
    # Removed first, and not updated: the name itself may come with other letters' case.
    values = {"account_id": row.account_id, "owner_id": row.owner_id, "name_key": row.name_key}
    db.execute(_remove, values)
    db.execute(
        insert(table),
        {
            **values,
            "owner_kind": row.owner_kind.value,
            "name": row.name,
            "document": row.document,
            "size": row.size,
            "put_at": row.put_at,
        },
    )


def remove(db: Transaction, account_id: str, owner_id: str, name: str) -> bool:
    """Forget an inline policy; returns whether there was one."""
    values = {"account_id": account_id, "owner_id": owner_id, "name_key": name.lower()}
    return db.execute(_remove, values).rowcount > 0
