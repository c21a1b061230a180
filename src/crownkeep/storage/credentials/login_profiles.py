"""Login profiles: the passwords of IAM users, hashed, with the ones before them for as long as a policy may ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, bindparam, delete, insert, select, text, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowQuery

LONGEST_HISTORY = 24
"""Passwords that are remembered, the present one included: what PasswordReusePrevention can ask for at most."""

table = Table(
    "login_profiles",
    metadata,
    Column("user_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("password_hash", String(256), nullable=False),
    Column("history", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("reset_required", Boolean, nullable=False),
    Column("needs_mfa", Boolean, nullable=False, server_default=text("false")),
    Column("max_sign_in_seconds", Integer),
    Column("credential_version", Integer, nullable=False, server_default="0"),
)


@dataclass(frozen=True, slots=True)
class LoginProfileRow:
    """One user's password. `history` holds the hashes of its latest passwords, the present one first."""

    user_id: str
    account_id: str
    password_hash: str
    history: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    reset_required: bool
    needs_mfa: bool = False
    """Whether this user signs in with a second factor only, whatever the account asks of everybody."""
    max_sign_in_seconds: int | None = None
    """How long the user's console sessions last; None where that isn't set."""
    credential_version: int = 0
    """Another one for each password, random at first; the same when a password is hashed anew at another cost."""


def _row(
    user_id: str,
    account_id: str,
    password_hash: str,
    history: str,
    created_at: datetime,
    changed_at: datetime,
    reset_required: bool,
    needs_mfa: bool,
    max_sign_in_seconds: int | None,
    credential_version: int,
) -> LoginProfileRow:
    return LoginProfileRow(
        user_id=user_id,
        account_id=account_id,
        password_hash=password_hash,
        history=tuple(history.split("\n")),
        created_at=created_at,
        changed_at=changed_at,
        reset_required=reset_required,
        needs_mfa=needs_mfa,
        max_sign_in_seconds=max_sign_in_seconds,
        credential_version=credential_version,
    )


_this = (table.c.account_id == bindparam("of_account"), table.c.user_id == bindparam("of_user"))
_of_user = RowQuery(_row, select(table).where(*_this))
_of_account = RowQuery(_row, select(table).where(table.c.account_id == bindparam("of_account")))
_set_password = (
    update(table)
    .where(*_this)
    .values(
        password_hash=bindparam("new_hash"),
        history=bindparam("new_history"),
        changed_at=bindparam("at"),
        credential_version=bindparam("new_version"),
    )
)
_renew_hash = (
    update(table)
    # Hashed outside the transaction: a password that was changed in the meantime must not be undone by it.
    .where(*_this, table.c.password_hash == bindparam("old_hash"))
    .values(password_hash=bindparam("new_hash"), history=bindparam("new_history"))
)
_user_ids = Prepared(select(table.c.user_id).where(table.c.account_id == bindparam("of_account")).order_by(table.c.user_id))
_set_reset_required = update(table).where(*_this).values(reset_required=bindparam("is_required"))
_set_needs_mfa = update(table).where(*_this).values(needs_mfa=bindparam("is_needed"))
_set_sign_in = update(table).where(*_this).values(max_sign_in_seconds=bindparam("new_seconds"))
_remove = delete(table).where(*_this)


def of_user(db: Transaction, account_id: str, user_id: str) -> LoginProfileRow | None:
    """Return a user's login profile, or None for a user without a password."""
    return _of_user.first(db, {"of_account": account_id, "of_user": user_id})


def of_account(db: Transaction, account_id: str) -> list[LoginProfileRow]:
    """Return every login profile of the account; for reports."""
    return _of_account.all(db, {"of_account": account_id})


def user_ids_of_account(db: Transaction, account_id: str) -> list[str]:
    """Return the unique ids of every user of the account that has a password."""
    return [str(user_id) for (user_id,) in _user_ids.all(db, {"of_account": account_id})]


def add(db: Transaction, row: LoginProfileRow) -> None:
    """Keep a new login profile."""
    db.execute(
        insert(table),
        {
            "user_id": row.user_id,
            "account_id": row.account_id,
            "password_hash": row.password_hash,
            "history": "\n".join(row.history),
            "created_at": row.created_at,
            "changed_at": row.changed_at,
            "reset_required": row.reset_required,
            "needs_mfa": row.needs_mfa,
            "max_sign_in_seconds": row.max_sign_in_seconds,
            "credential_version": row.credential_version,
        },
    )


def set_password(db: Transaction, row: LoginProfileRow, password_hash: str, *, at: datetime) -> None:
    """Put a new password in the place of the profile's present one, which goes into its history."""
    history = (password_hash, *row.history)[:LONGEST_HISTORY]
    # PostgreSQL's INTEGER has 31 bits and a sign. Only that it differs from the one before matters.
    version = (row.credential_version + 1) % (1 << 31)
    values = {"new_hash": password_hash, "new_history": "\n".join(history), "at": at, "new_version": version}
    db.execute(_set_password, {"of_account": row.account_id, "of_user": row.user_id, **values})


def renew_hash(db: Transaction, account_id: str, user_id: str, *, old: str, new: str) -> None:
    """Keep another hash of the same password; nothing where the password is another one by now."""
    row = of_user(db, account_id, user_id)
    if row is None or row.password_hash != old:
        return
    values = {"old_hash": old, "new_hash": new, "new_history": "\n".join((new, *row.history[1:]))}
    db.execute(_renew_hash, {"of_account": account_id, "of_user": user_id, **values})


def require_reset(db: Transaction, account_id: str, user_id: str) -> None:
    """Let the user choose a new password at the next sign-in."""
    db.execute(_set_reset_required, {"of_account": account_id, "of_user": user_id, "is_required": True})


def require_no_reset(db: Transaction, account_id: str, user_id: str) -> None:
    """Let the user keep the present password."""
    db.execute(_set_reset_required, {"of_account": account_id, "of_user": user_id, "is_required": False})


def require_mfa(db: Transaction, account_id: str, user_id: str) -> None:
    """Let the user sign in with a second factor only."""
    db.execute(_set_needs_mfa, {"of_account": account_id, "of_user": user_id, "is_needed": True})


def require_no_mfa(db: Transaction, account_id: str, user_id: str) -> None:
    """Leave it to the account whether the user needs a second factor."""
    db.execute(_set_needs_mfa, {"of_account": account_id, "of_user": user_id, "is_needed": False})


def set_longest_sign_in(db: Transaction, account_id: str, user_id: str, *, seconds: int | None) -> None:
    """Set how long the user's console sessions last, or nothing of it."""
    db.execute(_set_sign_in, {"of_account": account_id, "of_user": user_id, "new_seconds": seconds})


def remove(db: Transaction, account_id: str, user_id: str) -> bool:
    """Forget a user's password and the ones before it; returns whether there was one."""
    return db.execute(_remove, {"of_account": account_id, "of_user": user_id}).rowcount > 0
