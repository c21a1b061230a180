"""Password policies: at most one for each account; without one AWS's default rules hold."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Boolean, Column, Integer, Table, bindparam, delete, insert, select

from crownkeep.credentials.password_policy import PasswordPolicy
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "password_policies",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("minimum_password_length", Integer, nullable=False),
    Column("require_symbols", Boolean, nullable=False),
    Column("require_numbers", Boolean, nullable=False),
    Column("require_uppercase_characters", Boolean, nullable=False),
    Column("require_lowercase_characters", Boolean, nullable=False),
    Column("allow_users_to_change_password", Boolean, nullable=False),
    Column("max_password_age", Integer, nullable=False),
    Column("password_reuse_prevention", Integer, nullable=False),
    Column("hard_expiry", Boolean, nullable=False),
)

_of_account = RowQuery(PasswordPolicy, select(*table.columns[1:]).where(table.c.account_id == bindparam("account_id")))
_remove = delete(table).where(table.c.account_id == bindparam("account_id"))


def of_account(db: Transaction, account_id: str) -> PasswordPolicy | None:
    """Return the account's own password policy, or None where the default holds."""
    return _of_account.first(db, {"account_id": account_id})


def put(db: Transaction, account_id: str, policy: PasswordPolicy) -> None:
    """Give an account its password policy, in the place of the one before."""
    remove(db, account_id)
    db.execute(insert(table), {"account_id": account_id, **asdict(policy)})


def remove(db: Transaction, account_id: str) -> bool:
    """Take the account's password policy away; returns whether there was one."""
    return db.execute(_remove, {"account_id": account_id}).rowcount > 0
