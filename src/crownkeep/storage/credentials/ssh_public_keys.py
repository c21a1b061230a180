"""SSH public keys of users: at most five for each, none twice for one user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, Text, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "ssh_public_keys",
    metadata,
    Column("key_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("user_id", UniqueId, nullable=False),
    Column("ssh", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    Column("uploaded_at", Moment, nullable=False),
    UniqueConstraint("account_id", "user_id", "fingerprint"),
)


@dataclass(frozen=True, slots=True)
class SshPublicKeyRow:
    """One key. `ssh` is its OpenSSH line, `fingerprint` the MD5 that AWS shows."""

    key_id: str
    account_id: str
    user_id: str
    ssh: str
    fingerprint: str
    status: str
    uploaded_at: datetime


_of_user_in_account = (table.c.account_id == bindparam("account_id"), table.c.user_id == bindparam("user_id"))
_this = (table.c.account_id == bindparam("of_account"), table.c.key_id == bindparam("of_key"))
_with_id = RowQuery(SshPublicKeyRow, select(table).where(*_of_user_in_account, table.c.key_id == bindparam("key_id")))
_page = RowQuery(
    SshPublicKeyRow,
    select(table)
    .where(*_of_user_in_account, table.c.key_id > bindparam("after"))
    .order_by(table.c.key_id)
    .limit(bindparam("limit")),
)
_fingerprints = select(table.c.fingerprint).where(*_of_user_in_account)
_count = select(func.count()).select_from(table).where(*_of_user_in_account)
_set_status = update(table).where(*_this).values(status=bindparam("new_status"))
_remove = delete(table).where(*_this)
_insert = RowInsert(SshPublicKeyRow, table)


def with_id(db: Transaction, account_id: str, user_id: str, key_id: str) -> SshPublicKeyRow | None:
    """Return a user's key by its id."""
    return _with_id.first(db, {"account_id": account_id, "user_id": user_id, "key_id": key_id})


def page(db: Transaction, account_id: str, user_id: str, *, after: str, limit: int) -> list[SshPublicKeyRow]:
    """Return up to `limit` keys of a user in the order of their ids, from the one after the id `after`."""
    values = {"account_id": account_id, "user_id": user_id, "after": after, "limit": limit}
    return _page.all(db, values)


def fingerprints(db: Transaction, account_id: str, user_id: str) -> set[str]:
    """Return the fingerprints of a user's keys."""
    return set(db.execute(_fingerprints, {"account_id": account_id, "user_id": user_id}).scalars())


def count(db: Transaction, account_id: str, user_id: str) -> int:
    """Return how many keys a user has."""
    return int(db.execute(_count, {"account_id": account_id, "user_id": user_id}).scalar_one())


def add(db: Transaction, row: SshPublicKeyRow) -> None:
    """Keep a new key."""
    _insert.run(db, row)


def set_status(db: Transaction, account_id: str, key_id: str, status: str) -> None:
    """Make a key `Active` or `Inactive`."""
    db.execute(_set_status, {"of_account": account_id, "of_key": key_id, "new_status": status})


def remove(db: Transaction, account_id: str, key_id: str) -> None:
    """Forget a key."""
    db.execute(_remove, {"of_account": account_id, "of_key": key_id})
