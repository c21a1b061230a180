"""Accounts: the tenants, their root user's e-mail and password, and the revision that keeps caches true."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, String, Table, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction, run_plainly
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.values import value_type

table = Table(
    "accounts",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("name", String(50), nullable=False),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("revision", BigInteger, nullable=False),
    Column("root_password_hash", String(256)),
    Column("root_password_changed_at", Moment),
    Column("root_password_used_at", Moment),
    Column("root_credential_version", Integer, nullable=False, server_default="0"),
)


@value_type(frozen=True, slots=True)
class AccountRow:
    """One account. `email_key` is the e-mail in lower case: two accounts never share one."""

    account_id: str
    name: str
    email: str
    email_key: str
    state: str
    created_at: datetime
    closed_at: datetime | None
    revision: int
    root_password_hash: str | None
    root_password_changed_at: datetime | None
    root_password_used_at: datetime | None
    root_credential_version: int


_revision = "SELECT revision FROM accounts WHERE account_id = ?"
_by_id = RowQuery(AccountRow, select(table).where(table.c.account_id == bindparam("account_id")))
_by_email = RowQuery(AccountRow, select(table).where(table.c.email_key == bindparam("email_key")))
_page = RowQuery(
    AccountRow,
    select(table).where(table.c.account_id > bindparam("after")).order_by(table.c.account_id).limit(bindparam("limit")),
)
_touch = update(table).where(table.c.account_id == bindparam("of_account")).values(revision=bindparam("fresh_revision"))
_renew_root_hash = (
    update(table)
    .where(table.c.account_id == bindparam("of_account"), table.c.root_password_hash == bindparam("old_hash"))
    .values(root_password_hash=bindparam("new_hash"))
)
_at_domain = select(func.count()).select_from(table).where(table.c.email_key.endswith(bindparam("at_domain"), autoescape=False))
_insert = RowInsert(AccountRow, table)


def revision(db: Transaction, account_id: str) -> int | None:
    """Return the account's revision, or None where there is no such account: the one read of every request."""
    return _only(run_plainly(db, _revision, (account_id,)).fetchone())


def hold(db: Transaction, account_id: str) -> int | None:
    """Return the account's revision and hold its row to the transaction's end: changes to one account come one by one."""
    # SQLite's writing transactions exclude one another from their beginning.
    held = _revision if db.dialect.name == "sqlite" else f"{_revision} FOR UPDATE"
    return _only(run_plainly(db, held, (account_id,)).fetchone())


def with_id(db: Transaction, account_id: str) -> AccountRow | None:
    """Return the account with this id."""
    return _by_id.first(db, {"account_id": account_id})


def with_email(db: Transaction, email: str) -> AccountRow | None:
    """Return the account whose root user has this e-mail, whatever its letters' case."""
    return _by_email.first(db, {"email_key": email.lower()})


def count_at_domain(db: Transaction, domain: str) -> int:
    """Return how many accounts' root users have their address at this mail domain; reads all accounts, for the operator."""
    # An underscore is the only wildcard of LIKE that a domain may hold, and it fits itself.
    return db.execute(_at_domain, {"at_domain": f"@{domain.lower()}"}).scalar_one()


def page(db: Transaction, *, after: str, limit: int) -> list[AccountRow]:
    """Return up to `limit` accounts in the order of their ids, from the one after `after`; for the operator."""
    return _page.all(db, {"after": after, "limit": limit})


def add(db: Transaction, row: AccountRow) -> None:
    """Keep a new account."""
    _insert.run(db, row)


def touch(db: Transaction, account_id: str, revision: int) -> None:
    """Give the account a fresh revision: every cache of it is void when this commits."""
    db.execute(_touch, {"of_account": account_id, "fresh_revision": revision})


def change(db: Transaction, account_id: str, **values: object) -> None:
    """Set some columns of an account."""
    db.execute(update(table).where(table.c.account_id == account_id).values(**values))


def renew_root_hash(db: Transaction, account_id: str, *, old: str, new: str) -> None:
    """Keep another hash of root's same password; nothing where the password is another one by now."""
    db.execute(_renew_root_hash, {"of_account": account_id, "old_hash": old, "new_hash": new})


def remove(db: Transaction, account_id: str) -> None:
    """Forget the account's own row; `purge` removes what belongs to it."""
    db.execute(delete(table).where(table.c.account_id == account_id))


def _only(row: tuple[int] | None) -> int | None:
    return row[0] if row else None
