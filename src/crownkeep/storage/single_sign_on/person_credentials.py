"""The passwords of people in identity stores, hashed; somebody without a row has none yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, bindparam, delete, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.single_sign_on.directory_users import NameKey

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
    Column("verified_email", NameKey),
    Column("history", Text, nullable=False, server_default=""),
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
    verified_email: str | None = None
    """The e-mail address in lower case by which a link came that was used: whoever has the mailbox is the person."""
    history: tuple[str, ...] = ()
    """Hashes of the passwords before, the latest first; all of one salt."""


def _row(
    owner_id: str,
    account_id: str,
    password_hash: str,
    changed_at: datetime,
    reset_required: bool,
    credential_version: int,
    verified_email: str | None,
    history: str,
) -> PersonCredentialsRow:
    return PersonCredentialsRow(
        owner_id=owner_id,
        account_id=account_id,
        password_hash=password_hash,
        changed_at=changed_at,
        reset_required=reset_required,
        credential_version=credential_version,
        verified_email=verified_email,
        history=tuple(history.split()),
    )


_of_owner = RowQuery(
    _row,
    select(table).where(table.c.account_id == bindparam("account_id"), table.c.owner_id == bindparam("owner_id")),
)
_this = (table.c.account_id == bindparam("of_account"), table.c.owner_id == bindparam("of_owner"))
_remove = delete(table).where(*_this)
_remove_all = delete(table).where(table.c.account_id == bindparam("of_account"))
# With the hash that was verified: a password that was changed while this one was hashed anew must not come back.
_renew = update(table).where(*_this, table.c.password_hash == bindparam("old_hash")).values(password_hash=bindparam("new_hash"))
_require_reset = update(table).where(*_this).values(reset_required=True)
_like = (
    select(table.c.owner_id)
    .where(
        table.c.account_id == bindparam("account_id"), table.c.password_hash.startswith(bindparam("beginning"), autoescape=False)
    )
    .limit(1)
)


def of_owner(db: Transaction, account_id: str, owner_id: str) -> PersonCredentialsRow | None:
    """Return a person's password."""
    return _of_owner.first(db, {"account_id": account_id, "owner_id": owner_id})


def put(db: Transaction, row: PersonCredentialsRow) -> None:
    """Keep a person's new password, in the place of the one before."""
    remove(db, row.account_id, row.owner_id)
    values = {
        "owner_id": row.owner_id,
        "account_id": row.account_id,
        "password_hash": row.password_hash,
        "changed_at": row.changed_at,
        "reset_required": row.reset_required,
        "credential_version": row.credential_version,
        "verified_email": row.verified_email,
        "history": " ".join(row.history),
    }
    db.execute(insert(table), values)


def renew_hash(db: Transaction, account_id: str, owner_id: str, *, old: str, new: str) -> None:
    """Keep another hash of the same password; nothing where the password has changed."""
    db.execute(_renew, {"of_account": account_id, "of_owner": owner_id, "old_hash": old, "new_hash": new})


def has_hash_like(db: Transaction, account_id: str, beginning: str) -> bool:
    """Tell whether a hash of anybody in a store begins so."""
    return db.execute(_like, {"account_id": account_id, "beginning": beginning}).first() is not None


def require_reset(db: Transaction, account_id: str, owner_id: str) -> None:
    """Have a person choose another password before anything else."""
    db.execute(_require_reset, {"of_account": account_id, "of_owner": owner_id})


def remove(db: Transaction, account_id: str, owner_id: str) -> None:
    """Forget a person's password."""
    db.execute(_remove, {"of_account": account_id, "of_owner": owner_id})


def remove_all(db: Transaction, account_id: str) -> None:
    """Forget the passwords of everybody in a store that goes."""
    db.execute(_remove_all, {"of_account": account_id})
