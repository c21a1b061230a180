"""Settings of accounts that IAM keeps: the version of session tokens and the issuer of outbound web identities."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, bindparam, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "account_settings",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("token_version", Integer, nullable=False),
    Column("issuer_id", String(36)),
    Column("issues_web_identities", Boolean, nullable=False),
    Index(None, "issuer_id"),
)


@dataclass(frozen=True, slots=True)
class AccountSettingsRow:
    """One account's settings; an account that never set any has the defaults."""

    account_id: str
    token_version: int = 2
    """Of session tokens from the global endpoint: 1, or 2 for tokens that are valid in every Region, as ours are."""
    issuer_id: str | None = None
    """What tells the account's web identities from others'; it stays when they are disabled and enabled again."""
    issues_web_identities: bool = False


_of_account = RowQuery(AccountSettingsRow, select(table).where(table.c.account_id == bindparam("account_id")))
_with_issuer = select(table.c.account_id).where(table.c.issuer_id == bindparam("issuer_id"))
_set = (
    update(table)
    .where(table.c.account_id == bindparam("of_account"))
    .values(
        token_version=bindparam("new_token_version"),
        issuer_id=bindparam("new_issuer_id"),
        issues_web_identities=bindparam("new_issues"),
    )
)
_insert = RowInsert(AccountSettingsRow, table)


def of_account(db: Transaction, account_id: str) -> AccountSettingsRow:
    """Return an account's settings, the defaults where it never set any."""
    return _of_account.first(db, {"account_id": account_id}) or AccountSettingsRow(account_id)


def with_issuer(db: Transaction, issuer_id: str) -> str | None:
    """Return the id of the account whose web identities come from this issuer, whether it still issues any or not."""
    return db.execute(_with_issuer, {"issuer_id": issuer_id}).scalar()


def put(db: Transaction, row: AccountSettingsRow) -> None:
    """Keep an account's settings in the place of those before."""
    values = {
        "of_account": row.account_id,
        "new_token_version": row.token_version,
        "new_issuer_id": row.issuer_id,
        "new_issues": row.issues_web_identities,
    }
    if not db.execute(_set, values).rowcount:
        _insert.run(db, row)
