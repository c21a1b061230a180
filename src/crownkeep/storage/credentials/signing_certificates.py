"""Signing certificates of users and of root: at most two for each, none twice in an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, Text, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "signing_certificates",
    metadata,
    Column("certificate_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("uploaded_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=True, index=True),
    # A certificate says who signs: two users with one could not be told apart (API_UploadSigningCertificate,
    # DuplicateCertificate).
    UniqueConstraint("account_id", "fingerprint"),
)


@dataclass(frozen=True, slots=True)
class SigningCertificateRow:
    """One certificate. `owner_id` is a user's unique id, or the account id for one of root; `body` is PEM, as it came."""

    certificate_id: str
    account_id: str
    owner_id: str
    fingerprint: str
    body: str
    status: str
    uploaded_at: datetime
    expires_at: datetime | None
    """When the certificate's validity ends; None for one that was kept by an earlier version and can't be read any more."""


_in_account = table.c.account_id == bindparam("account_id")
_this = (table.c.account_id == bindparam("of_account"), table.c.certificate_id == bindparam("of_certificate"))
_with_id = RowQuery(
    SigningCertificateRow, select(table).where(_in_account, table.c.certificate_id == bindparam("certificate_id"))
)
_of_owner = RowQuery(
    SigningCertificateRow,
    select(table)
    .where(_in_account, table.c.owner_id == bindparam("owner_id"))
    .order_by(table.c.uploaded_at, table.c.certificate_id),
)
_of_account = RowQuery(
    SigningCertificateRow, select(table).where(_in_account).order_by(table.c.uploaded_at, table.c.certificate_id)
)
_with_fingerprint = select(func.count()).select_from(table).where(_in_account, table.c.fingerprint == bindparam("fingerprint"))
_set_status = update(table).where(*_this).values(status=bindparam("new_status"))
_remove = delete(table).where(*_this)
_insert = RowInsert(SigningCertificateRow, table)


def with_id(db: Transaction, account_id: str, certificate_id: str) -> SigningCertificateRow | None:
    """Return the account's certificate with this id."""
    return _with_id.first(db, {"account_id": account_id, "certificate_id": certificate_id})


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[SigningCertificateRow]:
    """Return the certificates of a user or of root, the oldest first."""
    return _of_owner.all(db, {"account_id": account_id, "owner_id": owner_id})


def of_account(db: Transaction, account_id: str) -> list[SigningCertificateRow]:
    """Return every certificate of the account, the oldest first; for reports."""
    return _of_account.all(db, {"account_id": account_id})


def is_known(db: Transaction, account_id: str, fingerprint: str) -> bool:
    """Tell whether somebody in the account has this very certificate."""
    return bool(db.execute(_with_fingerprint, {"account_id": account_id, "fingerprint": fingerprint}).scalar_one())


def add(db: Transaction, row: SigningCertificateRow) -> None:
    """Keep a new certificate."""
    _insert.run(db, row)


def set_status(db: Transaction, account_id: str, certificate_id: str, status: str) -> None:
    """Make a certificate `Active` or `Inactive`."""
    db.execute(_set_status, {"of_account": account_id, "of_certificate": certificate_id, "new_status": status})


def remove(db: Transaction, account_id: str, certificate_id: str) -> None:
    """Forget a certificate."""
    db.execute(_remove, {"of_account": account_id, "of_certificate": certificate_id})
