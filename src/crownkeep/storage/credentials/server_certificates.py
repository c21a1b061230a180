"""Server certificates of an account, named without regard to case; without their private keys, which nothing here uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, Text, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, Path, UniqueId, begins_with, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "server_certificates",
    metadata,
    Column("certificate_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("path", Path, nullable=False),
    Column("body", Text, nullable=False),
    Column("chain", Text),
    Column("uploaded_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name_key"),
)

# A chain has up to 2 MiB: lists don't read what they don't show.
_listed = [column for column in table.columns if column.name not in ("body", "chain")]


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """A server certificate without its text: what lists say of it."""

    certificate_id: str
    account_id: str
    name: str
    name_key: str
    path: str
    uploaded_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ServerCertificateRow:
    """One server certificate; body and chain are PEM, as they came."""

    certificate_id: str
    account_id: str
    name: str
    name_key: str
    path: str
    body: str
    chain: str | None
    uploaded_at: datetime
    expires_at: datetime


_in_account = table.c.account_id == bindparam("account_id")
_this = (table.c.account_id == bindparam("of_account"), table.c.certificate_id == bindparam("of_certificate"))
_named = RowQuery(ServerCertificateRow, select(table).where(_in_account, table.c.name_key == bindparam("name_key")))
_page = RowQuery(
    ListedCertificate,
    select(*_listed)
    .where(_in_account, table.c.name_key > bindparam("after"), begins_with(table.c.path, "prefix"))
    .order_by(table.c.name_key)
    .limit(bindparam("limit")),
)
_count = select(func.count()).select_from(table).where(_in_account)
_rename = (
    update(table).where(*_this).values(name=bindparam("new_name"), name_key=bindparam("new_name_key"), path=bindparam("new_path"))
)
_remove = delete(table).where(*_this)
_insert = RowInsert(ServerCertificateRow, table)


def named(db: Transaction, account_id: str, name: str) -> ServerCertificateRow | None:
    """Return the certificate with this name, whatever its letters' case."""
    return _named.first(db, {"account_id": account_id, "name_key": name.lower()})


def page(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> list[ListedCertificate]:
    """Return up to `limit` certificates in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "prefix": path_prefix, "after": after, "limit": limit}
    return _page.all(db, values)


def count(db: Transaction, account_id: str) -> int:
    """Return how many certificates the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: ServerCertificateRow) -> None:
    """Keep a new certificate."""
    _insert.run(db, row)


def rename(db: Transaction, account_id: str, certificate_id: str, *, name: str, path: str) -> None:
    """Give a certificate this name and path."""
    values = {"new_name": name, "new_name_key": name.lower(), "new_path": path}
    db.execute(_rename, {"of_account": account_id, "of_certificate": certificate_id, **values})


def remove(db: Transaction, account_id: str, certificate_id: str) -> None:
    """Forget a certificate."""
    db.execute(_remove, {"of_account": account_id, "of_certificate": certificate_id})
