"""Digests: log files that the next one will list, where each chain stands, and the keys that sign them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.trail.buckets import BucketName

_ObjectKey = String(1024).with_variant(String(1024, collation="C"), "postgresql")

files = Table(
    "delivered_files",
    metadata,
    Column("trail_id", UniqueId, nullable=False),
    Column("object_key", _ObjectKey, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("owner_account_id", AccountId, nullable=False, index=True),
    Column("region", String(32), nullable=False),
    Column("bucket_name", BucketName, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("oldest_at", Moment, nullable=False),
    Column("newest_at", Moment, nullable=False),
    PrimaryKeyConstraint("trail_id", "account_id", "region", "object_key"),
)
chains = Table(
    "digest_chains",
    metadata,
    Column("trail_id", UniqueId, nullable=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("owner_account_id", AccountId, nullable=False, index=True),
    Column("region", String(32), nullable=False),
    Column("ended_at", Moment, nullable=False),
    # A digest that is on its way has its end settled, so that a second attempt makes the same one.
    Column("planned_end", Moment),
    Column("bucket_name", BucketName),
    Column("object_key", _ObjectKey),
    Column("sha256", String(64)),
    Column("signature", Text),
    PrimaryKeyConstraint("trail_id", "account_id", "region"),
)
keys = Table(
    "digest_keys",
    metadata,
    Column("fingerprint", String(32), primary_key=True),
    Column("region", String(32), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sealed_private_key", LargeBinary, nullable=False),
    Column("valid_from", Moment, nullable=False),
    Column("valid_until", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A log file that is delivered and in no digest yet. `account_id` is the account whose events are in it."""

    trail_id: str
    object_key: str
    account_id: str
    owner_account_id: str
    region: str
    bucket_name: str
    sha256: str
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class ChainRow:
    """Where the digests of a trail stand for one account and Region; the last five say which digest was the last."""

    trail_id: str
    account_id: str
    owner_account_id: str
    region: str
    ended_at: datetime
    planned_end: datetime | None = None
    bucket_name: str | None = None
    object_key: str | None = None
    sha256: str | None = None
    signature: str | None = None

    def is_same(self, other: ChainRow) -> bool:
        """Tell whether this is the same chain, wherever it stands."""
        return (self.account_id, self.region) == (other.account_id, other.region)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key that signs the digests of one Region. The fingerprint names it."""

    fingerprint: str
    region: str
    public_key: bytes
    """RSAPublicKey of PKCS #1 in DER, as `aws cloudtrail validate-logs` reads it."""
    sealed_private_key: bytes
    valid_from: datetime
    valid_until: datetime


_of_chain = ("of_trail", "of_account", "of_region")
_this_chain = tuple(
    column == bindparam(name)
    for column, name in zip((chains.c.trail_id, chains.c.account_id, chains.c.region), _of_chain, strict=True)
)
_this_file = tuple(
    column == bindparam(name)
    for column, name in zip((files.c.trail_id, files.c.account_id, files.c.region), _of_chain, strict=True)
)
_chain = RowQuery(ChainRow, select(chains).where(*_this_chain))
_chains = RowQuery(
    ChainRow, select(chains).where(chains.c.trail_id == bindparam("of_trail")).order_by(chains.c.account_id, chains.c.region)
)
_files = RowQuery(FileRow, select(files).where(*_this_file).order_by(files.c.object_key).limit(bindparam("limit")))
_insert_file = RowInsert(FileRow, files)
_insert_chain = RowInsert(ChainRow, chains)
_insert_key = RowInsert(KeyRow, keys)
_any_file = select(files.c.object_key).where(files.c.trail_id == bindparam("of_trail")).limit(1)
_remove_files = delete(files).where(*_this_file, files.c.object_key.in_(bindparam("object_keys", expanding=True)))
_forget_files = delete(files).where(files.c.trail_id == bindparam("of_trail"))
_forget_chains = delete(chains).where(chains.c.trail_id == bindparam("of_trail"))
_keys = RowQuery(KeyRow, select(keys).where(keys.c.region == bindparam("region")).order_by(keys.c.valid_from))


def add_file(db: Transaction, row: FileRow) -> None:
    """Keep that a log file is delivered; one of the same name was delivered by an attempt that was not told so."""
    place = (files.c.trail_id == row.trail_id, files.c.account_id == row.account_id, files.c.region == row.region)
    db.execute(delete(files).where(*place, files.c.object_key == row.object_key))
    _insert_file.run(db, row)


def files_of(db: Transaction, chain: ChainRow, *, limit: int) -> list[FileRow]:
    """Return log files that the next digest of a chain lists, by their keys."""
    return _files.all(db, _place(chain) | {"limit": limit})


def has_files(db: Transaction, trail_id: str) -> bool:
    """Tell whether a trail has delivered log files that are in no digest."""
    return db.execute(_any_file, {"of_trail": trail_id}).first() is not None


def remove_files(db: Transaction, chain: ChainRow, object_keys: Sequence[str]) -> None:
    """Forget log files that a digest lists."""
    if object_keys:
        db.execute(_remove_files, _place(chain) | {"object_keys": list(object_keys)})


def chains_of(db: Transaction, trail_id: str) -> list[ChainRow]:
    """Return every chain of a trail."""
    return _chains.all(db, {"of_trail": trail_id})


def begin_chain(db: Transaction, row: ChainRow) -> None:
    """Begin a chain, unless it has begun."""
    if _chain.first(db, _place(row)) is None:
        _insert_chain.run(db, row)


def change_chain(db: Transaction, row: ChainRow, **values: object) -> None:
    """Set some columns of a chain."""
    place = (chains.c.trail_id == row.trail_id, chains.c.account_id == row.account_id, chains.c.region == row.region)
    db.execute(update(chains).where(*place).values(**values))


def forget(db: Transaction, trail_id: str) -> None:
    """Forget a trail's chains and what they would list next: digests begin anew, or not at all."""
    db.execute(_forget_files, {"of_trail": trail_id})
    db.execute(_forget_chains, {"of_trail": trail_id})


def keys_of(db: Transaction, region: str) -> list[KeyRow]:
    """Return the keys of a Region, the oldest first."""
    return _keys.all(db, {"region": region})


def add_key(db: Transaction, row: KeyRow) -> None:
    """Keep a new key."""
    _insert_key.run(db, row)


def _place(chain: ChainRow) -> dict[str, object]:
    return {"of_trail": chain.trail_id, "of_account": chain.account_id, "of_region": chain.region}
