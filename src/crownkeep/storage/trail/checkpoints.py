"""Checkpoints: what the log has said of itself, each kept for ever before anybody hears of it, and who else has signed it.

The log's own Ed25519 signatures stand with each checkpoint. The larger ones, and those of witnesses, are kept for the newest and
for the first of every hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text, bindparam, delete, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment, metadata
from crownkeep.storage.prepared import Prepared, PreparedChange
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "trail_checkpoints",
    metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("origin", String(255), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("signed_at", Moment, nullable=False),
    Column("signatures", Text, nullable=False),
)

cosignatures = Table(
    "trail_cosignatures",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(255), primary_key=True),
    Column("key_id", String(8), primary_key=True),
    Column("line", Text, nullable=False),
    Column("signed_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """One checkpoint; `signatures` are the lines of the log's own Ed25519 keys."""

    size: int
    origin: str
    root: bytes
    signed_at: datetime
    signatures: str


@dataclass(frozen=True, slots=True)
class CosignatureRow:
    """One signature of a checkpoint that is kept beside it."""

    size: int
    name: str
    key_id: str
    line: str
    signed_at: datetime


_insert = RowInsert(CheckpointRow, table)
_insert_cosignature = RowInsert(CosignatureRow, cosignatures)
_newest = RowQuery(CheckpointRow, select(table).order_by(table.c.size.desc()).limit(bindparam("limit")))
_page = RowQuery(
    CheckpointRow, select(table).where(table.c.size > bindparam("after")).order_by(table.c.size).limit(bindparam("limit"))
)
_at = RowQuery(
    CheckpointRow, select(table).where(table.c.size >= bindparam("size")).order_by(table.c.size).limit(bindparam("limit"))
)
_cosigned = Prepared(
    select(cosignatures.c.line)
    .where(cosignatures.c.size == bindparam("size"))
    .order_by(cosignatures.c.name, cosignatures.c.key_id)
)
_sizes = (
    select(cosignatures.c.name, cosignatures.c.key_id, func.max(cosignatures.c.size).label("size"))
    .where(cosignatures.c.name != bindparam("name"))
    .group_by(cosignatures.c.name, cosignatures.c.key_id)
    .subquery()
)
_of_others = RowQuery(
    CosignatureRow,
    select(cosignatures)
    .join(
        _sizes,
        (cosignatures.c.name == _sizes.c.name)
        & (cosignatures.c.key_id == _sizes.c.key_id)
        & (cosignatures.c.size == _sizes.c.size),
    )
    .order_by(cosignatures.c.name, cosignatures.c.key_id),
)
_remove_same = PreparedChange(
    delete(cosignatures).where(
        cosignatures.c.size == bindparam("size"),
        cosignatures.c.name == bindparam("name"),
        cosignatures.c.key_id == bindparam("key_id"),
    )
)
_remove_of = PreparedChange(
    delete(cosignatures).where(cosignatures.c.size == bindparam("size"), cosignatures.c.name == bindparam("name"))
)
_earlier = Prepared(
    select(table.c.size)
    .where(table.c.size < bindparam("size"), table.c.signed_at >= bindparam("since", type_=Moment))
    .limit(bindparam("limit"))
)


def newest(db: Transaction) -> CheckpointRow | None:
    """Return the checkpoint of the largest tree, None before there is one."""
    return _newest.first(db, {"limit": 1})


def page(db: Transaction, *, after: int, limit: int) -> list[CheckpointRow]:
    """Return checkpoints in the order of their sizes, from just above a size."""
    return _page.all(db, {"after": after, "limit": limit})


def covering(db: Transaction, size: int) -> CheckpointRow | None:
    """Return the first checkpoint of a tree of at least this size."""
    return _at.first(db, {"size": size, "limit": 1})


def add(db: Transaction, row: CheckpointRow, signatures: Sequence[CosignatureRow]) -> None:
    """Keep a checkpoint; the one before keeps what it needs no longer only where it is the first of its hour."""
    # Read before the new one is added: afterwards it would be its own predecessor.
    previous = newest(db)
    _insert.run(db, row)
    cosign(db, signatures)
    if previous is None:
        return
    hour = previous.signed_at.replace(minute=0, second=0, microsecond=0)
    # Another checkpoint of the same hour came before it, so its large signatures are no hour's first, and go.
    if _earlier.first(db, {"size": previous.size, "since": hour, "limit": 1}) is not None:
        _remove_of.run(db, {"size": previous.size, "name": previous.origin})


def cosign(db: Transaction, signatures: Sequence[CosignatureRow]) -> None:
    """Keep signatures of a checkpoint, each in the place of an older one by the same key."""
    for each in signatures:
        _remove_same.run(db, {"size": each.size, "name": each.name, "key_id": each.key_id})
        _insert_cosignature.run(db, each)


def cosign_as_newest(db: Transaction, row: CosignatureRow) -> None:
    """Keep a witness's signature, and of its older ones the last of each hour that has passed."""
    hour = row.signed_at.replace(minute=0, second=0, microsecond=0)
    older = (cosignatures.c.name == row.name, cosignatures.c.key_id == row.key_id, cosignatures.c.signed_at >= hour)
    db.execute(delete(cosignatures).where(*older, cosignatures.c.size < row.size))
    cosign(db, [row])


def largest_cosigned(db: Transaction, name: str, key_id: str) -> int:
    """Return the size of the largest tree that a witness has cosigned, zero where it has none."""
    of_it = (cosignatures.c.name == name, cosignatures.c.key_id == key_id)
    return int(db.execute(select(func.max(cosignatures.c.size)).where(*of_it)).scalar() or 0)


def witnessed(db: Transaction, *, at_least: int, limit: int) -> list[CheckpointRow]:
    """Return the newest checkpoints of trees of at least a size that others than the log have signed, the newest first."""
    others = select(cosignatures.c.size).where(cosignatures.c.name != table.c.origin)
    statement = select(table).where(table.c.size >= at_least, table.c.size.in_(others)).order_by(table.c.size.desc())
    return RowQuery(CheckpointRow, statement.limit(limit)).all(db, {})


def cosigned(db: Transaction, size: int) -> list[str]:
    """Return the lines of those who have signed the checkpoint of a size, beside the log's Ed25519 keys."""
    return [row[0] for row in _cosigned.all(db, {"size": size})]


def newest_of_witnesses(db: Transaction, *, other_than: str) -> list[CosignatureRow]:
    """Return each witness's newest signature; those of the log itself, by its name, are left out."""
    return _of_others.all(db, {"name": other_than})
