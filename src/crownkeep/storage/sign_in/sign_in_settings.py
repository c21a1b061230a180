"""Sign-in settings of an account: whether its users need a second factor, and when root first came without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Table, bindparam, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "sign_in_settings",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("users_need_mfa", Boolean, nullable=False),
    Column("root_without_mfa_since", Moment),
)


@dataclass(frozen=True, slots=True)
class SignInSettingsRow:
    """One account's settings; an account without a row has these defaults."""

    account_id: str
    users_need_mfa: bool = False
    root_without_mfa_since: datetime | None = None
    """When root first signed in without a second factor: the grace period counts from here."""


_this = table.c.account_id == bindparam("of_account")
_of_account = RowQuery(SignInSettingsRow, select(table).where(_this))
_change = (
    update(table)
    .where(_this)
    .values(users_need_mfa=bindparam("new_users_need_mfa"), root_without_mfa_since=bindparam("new_root_without_mfa_since"))
)
_insert = RowInsert(SignInSettingsRow, table)


def of_account(db: Transaction, account_id: str) -> SignInSettingsRow:
    """Return an account's settings, the defaults where it has none."""
    return _of_account.first(db, {"of_account": account_id}) or SignInSettingsRow(account_id)


def put(db: Transaction, row: SignInSettingsRow) -> None:
    """Keep an account's settings."""
    values = {"new_users_need_mfa": row.users_need_mfa, "new_root_without_mfa_since": row.root_without_mfa_since}
    if db.execute(_change, {"of_account": row.account_id, **values}).rowcount:
        return
    _insert.run(db, row)
