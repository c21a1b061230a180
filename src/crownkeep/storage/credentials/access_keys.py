"""Access keys of users and of root: at most two for each, their secrets sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "access_keys",
    metadata,
    # Alone, and not with the account: the id names the account, and is unique in the whole installation.
    Column("access_key_id", String(32), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("used_service", String(64)),
    Column("used_region", String(64)),
    Index(None, "account_id", "owner_id"),
)


@dataclass(frozen=True, slots=True)
class AccessKeyRow:
    """One access key. `owner_id` is a user's unique id, or the account id for a key of root."""

    access_key_id: str
    account_id: str
    owner_id: str
    sealed_secret: bytes
    status: str
    created_at: datetime
    used_at: datetime | None
    used_service: str | None
    used_region: str | None


_by_id = RowQuery(AccessKeyRow, select(table).where(table.c.access_key_id == bindparam("access_key_id")))
_by_ids = RowQuery(
    AccessKeyRow,
    select(table)
    .where(table.c.access_key_id.in_(bindparam("access_key_ids", expanding=True)))
    .order_by(table.c.account_id, table.c.access_key_id),
)
_of_owner = RowQuery(
    AccessKeyRow,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.owner_id == bindparam("owner_id"))
    .order_by(table.c.created_at, table.c.access_key_id),
)
_of_account = RowQuery(
    AccessKeyRow, select(table).where(table.c.account_id == bindparam("account_id")).order_by(table.c.created_at)
)
_active_counts = Prepared(
    select(table.c.owner_id, func.count())
    .where(table.c.account_id == bindparam("account_id"), table.c.status == "Active")
    .group_by(table.c.owner_id)
    .order_by(func.min(table.c.created_at), table.c.owner_id)
)
_this = (table.c.account_id == bindparam("of_account"), table.c.access_key_id == bindparam("of_key"))
_set_status = update(table).where(*_this).values(status=bindparam("new_status"))
_remove = delete(table).where(*_this)
_used = (
    update(table)
    # Without the account: what is told here is the use of a key that has just been verified.
    .where(table.c.access_key_id == bindparam("of_key"))
    .values(used_at=bindparam("at"), used_service=bindparam("service"), used_region=bindparam("region"))
)
_insert = RowInsert(AccessKeyRow, table)


def with_id(db: Transaction, access_key_id: str) -> AccessKeyRow | None:
    """Return the key with this id, whosever it is."""
    return _by_id.first(db, {"access_key_id": access_key_id})


def with_ids(db: Transaction, access_key_ids: Sequence[str]) -> list[AccessKeyRow]:
    """Return the keys with these ids, whosever they are, in one query; for the operator."""
    if not access_key_ids:
        return []
    return _by_ids.all(db, {"access_key_ids": list(access_key_ids)})


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[AccessKeyRow]:
    """Return the keys of a user or of root, the oldest first."""
    return _of_owner.all(db, {"account_id": account_id, "owner_id": owner_id})


def of_account(db: Transaction, account_id: str) -> list[AccessKeyRow]:
    """Return every key of the account, the oldest first; for reports."""
    return _of_account.all(db, {"account_id": account_id})


def active_counts(db: Transaction, account_id: str) -> dict[str, int]:
    """Return how many active keys each owner in the account has, whoever has the oldest first; those without are left out."""
    return {str(owner): int(count) for owner, count in _active_counts.all(db, {"account_id": account_id})}


def add(db: Transaction, row: AccessKeyRow) -> None:
    """Keep a new key."""
    _insert.run(db, row)


def set_status(db: Transaction, account_id: str, access_key_id: str, status: str) -> None:
    """Make a key of the account `Active` or `Inactive`."""
    db.execute(_set_status, {"of_account": account_id, "of_key": access_key_id, "new_status": status})


def set_used(db: Transaction, access_key_id: str, *, at: datetime, service: str, region: str) -> None:
    """Remember when, where and for which service a key was last used."""
    db.execute(_used, {"of_key": access_key_id, "at": at, "service": service, "region": region})


def remove(db: Transaction, account_id: str, access_key_id: str) -> None:
    """Forget a key of the account."""
    db.execute(_remove, {"of_account": account_id, "of_key": access_key_id})
