"""The passwords of people in identity stores, hashed; somebody without a row has none yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "person_credentials",
    metadata,
    Column("owner_id", UniqueId, primary_key=True),
    # The account that owns the identity store.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("password_hash", String(256), nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("reset_required", Boolean, nullable=False),
    Column("credential_version", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PersonCredentialsRow:
    """One person's password. `owner_id` is the person's id without hyphens."""

    owner_id: str
    account_id: str
    password_hash: str
    changed_at: datetime
    reset_required: bool
    credential_version: int
    """Another one for each password, random; the same when a password is hashed anew at another cost."""


_of_owner = RowQuery(
    PersonCredentialsRow,
    select(table).where(table.c.account_id == bindparam("account_id"), table.c.owner_id == bindparam("owner_id")),
)
_this = (table.c.account_id == bindparam("of_account"), table.c.owner_id == bindparam("of_owner"))
_insert = RowInsert(PersonCredentialsRow, table)
_remove = delete(table).where(*_this)
_remove_all = delete(table).where(table.c.account_id == bindparam("of_account"))
_renew = update(table).where(*_this, table.c.password_hash == bindparam("old_hash")).values(password_hash=bindparam("new_hash"))


def of_owner(db: Transaction, account_id: str, owner_id: str) -> PersonCredentialsRow | None:
    """Return a person's password."""
    return _of_owner.first(db, {"account_id": account_id, "owner_id": owner_id})


def put(db: Transaction, row: PersonCredentialsRow) -> None:
    """Keep a person's new password, in the place of the one before."""
    remove(db, row.account_id, row.owner_id)
    _insert.run(db, row)


def renew_hash(db: Transaction, account_id: str, owner_id: str, *, old: str, new: str) -> None:
    """Keep another hash of the same password; nothing where the password has changed."""
    db.execute(_renew, {"of_account": account_id, "of_owner": owner_id, "old_hash": old, "new_hash": new})


def remove(db: Transaction, account_id: str, owner_id: str) -> None:
    """Forget a person's password."""
    db.execute(_remove, {"of_account": account_id, "of_owner": owner_id})


def remove_all(db: Transaction, account_id: str) -> None:
    """Forget the passwords of everybody in a store that goes."""
    db.execute(_remove_all, {"of_account": account_id})
