"""Lookups of the trail that people have kept under a name, each for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "trail_filters",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("attribute", String(32), nullable=False),
    Column("value", String(2000), nullable=False),
    Column("has_reads", Boolean, nullable=False),
    Column("has_failures_alone", Boolean, nullable=False),
    Column("kept_at", Moment, nullable=False),
    PrimaryKeyConstraint("account_id", "owner_id", "name_key"),
)


@dataclass(frozen=True, slots=True)
class TrailFilterRow:
    """One lookup. `owner_id` is the unique id of a person, or the account id for root; `name_key` the name in lower case."""

    account_id: str
    owner_id: str
    name_key: str
    name: str
    attribute: str
    """The attribute of LookupEvents; it says nothing where the value is empty."""
    value: str
    has_reads: bool
    has_failures_alone: bool
    kept_at: datetime


_of_owner = (table.c.account_id == bindparam("of_account"), table.c.owner_id == bindparam("of_owner"))
_all = RowQuery(TrailFilterRow, select(table).where(*_of_owner).order_by(table.c.name_key))
_remove = delete(table).where(*_of_owner, table.c.name_key == bindparam("of_name"))
_remove_all = delete(table).where(*_of_owner)
_insert = RowInsert(TrailFilterRow, table)


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[TrailFilterRow]:
    """Return what a person has kept, by name."""
    return _all.all(db, {"of_account": account_id, "of_owner": owner_id})


def put(db: Transaction, row: TrailFilterRow) -> None:
    """Keep a lookup, in the place of another of this name."""
    # By the lower-case key: `Root` takes the place of `root`, and both would look like one on a page.
    remove(db, row.account_id, row.owner_id, row.name)
    _insert.run(db, row)


def remove(db: Transaction, account_id: str, owner_id: str, name: str) -> bool:
    """Forget a lookup, and tell whether there was one."""
    values = {"of_account": account_id, "of_owner": owner_id, "of_name": name.lower()}
    return db.execute(_remove, values).rowcount > 0


def remove_all(db: Transaction, account_id: str, owner_id: str) -> None:
    """Forget all that a person has kept who goes."""
    db.execute(_remove_all, {"of_account": account_id, "of_owner": owner_id})
