"""Buckets: where an account's trails may deliver log files; the operator gives them, and nobody else can."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, Text, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

BucketName = String(63).with_variant(String(63, collation="C"), "postgresql")

table = Table(
    "trail_buckets",
    metadata,
    Column("name", BucketName, primary_key=True),
    Column("bucket_id", UniqueId, nullable=False, unique=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("directory", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("endpoint_region", String(32), nullable=False),
    Column("endpoint_bucket", String(63), nullable=False),
    Column("access_key_id", String(128), nullable=False),
    Column("sealed_secret", LargeBinary),
    Column("created_at", Moment, nullable=False),
)
discarded = Table(
    "discarded_buckets",
    metadata,
    # Of a purged account: what a node keeps in its data directory under this id is removed.
    Column("bucket_id", UniqueId, primary_key=True),
)


@dataclass(frozen=True, slots=True)
class BucketRow:
    """One bucket. A name belongs to one account; the id is never used again, so that nobody inherits a directory."""

    name: str
    bucket_id: str
    account_id: str
    directory: str
    """The operator's own directory; empty where files are kept in the data directory, or at an endpoint."""
    endpoint: str
    """The URL of an S3-compatible server; empty where files are kept in a directory."""
    endpoint_region: str
    endpoint_bucket: str
    """What the bucket is called at the endpoint."""
    access_key_id: str
    sealed_secret: bytes | None
    created_at: datetime


_named = RowQuery(BucketRow, select(table).where(table.c.name == bindparam("name")))
_of_account = RowQuery(BucketRow, select(table).where(table.c.account_id == bindparam("account_id")).order_by(table.c.name))
_page = RowQuery(
    BucketRow,
    select(table).where(table.c.name > bindparam("after")).order_by(table.c.name).limit(bindparam("limit")),
)
_insert = RowInsert(BucketRow, table)
_remove = delete(table).where(table.c.name == bindparam("of_name"))
_discarded = select(discarded.c.bucket_id)


def named(db: Transaction, name: str) -> BucketRow | None:
    """Return the bucket with this name, whoever has it; for the operator."""
    return _named.first(db, {"name": name})


def of(db: Transaction, account_id: str, name: str) -> BucketRow | None:
    """Return the account's bucket with this name; other accounts' are as if there were none."""
    row = named(db, name)
    return row if row is not None and row.account_id == account_id else None


def of_account(db: Transaction, account_id: str) -> list[BucketRow]:
    """Return the account's buckets by name."""
    return _of_account.all(db, {"account_id": account_id})


def page(db: Transaction, *, after: str, limit: int) -> list[BucketRow]:
    """Return up to `limit` buckets of all accounts in the order of their names, from the one after `after`."""
    return _page.all(db, {"after": after, "limit": limit})


def add(db: Transaction, row: BucketRow) -> None:
    """Keep a bucket."""
    _insert.run(db, row)


def remove(db: Transaction, name: str) -> None:
    """Forget a bucket; what is in it stays where it is."""
    db.execute(_remove, {"of_name": name})


def discard(db: Transaction, account_id: str) -> None:
    """Let every node remove what it keeps in its data directory of the account's buckets; for an account that is purged."""
    for row in of_account(db, account_id):
        if not row.directory and not row.endpoint:
            db.execute(insert(discarded), {"bucket_id": row.bucket_id})


def all_discarded(db: Transaction) -> set[str]:
    """Return the ids of buckets whose files nobody may keep."""
    return set(db.execute(_discarded).scalars())
