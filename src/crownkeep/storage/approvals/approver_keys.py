"""Security keys and passkeys of approvers, whatever source they come from, each held by one person alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.approvals.approvers import IdentityKey
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "approver_keys",
    metadata,
    Column("key_id", UniqueId, primary_key=True),
    Column("identity", IdentityKey, nullable=False, index=True),
    # The account that owns the identity store; none for a custodian, whom no account's end takes along.
    Column("account_id", AccountId, index=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("signature_count", Integer, nullable=False),
    Column("aaguid", String(36), nullable=False),
    Column("is_synced", Boolean, nullable=False),
    Column("transports", String(128), nullable=False),
    Column("attestation_format", String(32), nullable=False),
    Column("attestation", LargeBinary, nullable=False),
    Column("certifications", Text, nullable=False),
    Column("nickname", String(64), nullable=False),
    Column("enrolled_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("last_rehearsed_at", Moment),
)


@dataclass(frozen=True, slots=True)
class ApproverKeyRow:
    """One key of one approver."""

    key_id: str
    identity: str
    """Whose it is: `custodian:ID`, or `person:STORE/ID`."""
    account_id: str | None
    credential_id: bytes
    public_key: bytes
    """COSE key, as CBOR."""
    signature_count: int
    aaguid: str
    is_synced: bool
    """Whether it may be copied to other devices of its owner (backup eligible)."""
    transports: str
    """Divided by spaces."""
    attestation_format: str
    attestation: bytes
    certifications: str
    """A line for each, such as `FIDO L2`."""
    nickname: str
    enrolled_at: datetime
    last_used_at: datetime | None = None
    last_rehearsed_at: datetime | None = None


_of_identity = RowQuery(ApproverKeyRow, select(table).where(table.c.identity == bindparam("identity")).order_by(table.c.key_id))
_of_identity_for_update = RowQuery(
    ApproverKeyRow,
    select(table).where(table.c.identity == bindparam("identity")).order_by(table.c.key_id).with_for_update(),
)
_of_identities = RowQuery(
    ApproverKeyRow,
    select(table).where(table.c.identity.in_(bindparam("identities", expanding=True))).order_by(table.c.identity, table.c.key_id),
)
_with_credential = RowQuery(ApproverKeyRow, select(table).where(table.c.credential_id == bindparam("credential_id")))
_insert = RowInsert(ApproverKeyRow, table)
_remove = delete(table).where(table.c.identity == bindparam("of_identity"), table.c.key_id == bindparam("of_key"))
_remove_all = delete(table).where(table.c.identity == bindparam("of_identity"))


def of_identity(db: Transaction, identity: str) -> list[ApproverKeyRow]:
    """Return the keys of an approver."""
    return _of_identity.all(db, {"identity": identity})


def held(db: Transaction, identity: str) -> list[ApproverKeyRow]:
    """Return the keys of an approver, and hold them to the transaction's end: they are changed one at a time."""
    # SQLite has one writer at a time, so that whoever writes holds every row; it knows no FOR UPDATE.
    return (_of_identity if db.dialect.name == "sqlite" else _of_identity_for_update).all(db, {"identity": identity})


def of_identities(db: Transaction, identities: Sequence[str]) -> list[ApproverKeyRow]:
    """Return the keys of several approvers."""
    return _of_identities.all(db, {"identities": list(identities)}) if identities else []


def with_credential(db: Transaction, credential_id: bytes) -> ApproverKeyRow | None:
    """Return the key that a device knows by this id, whoever's it is."""
    return _with_credential.first(db, {"credential_id": credential_id})


def add(db: Transaction, row: ApproverKeyRow) -> None:
    """Keep a new key; the database refuses one that anybody has enrolled."""
    _insert.run(db, row)


def change(db: Transaction, key_id: str, **values: object) -> None:
    """Set some columns of a key, such as its counter and when it was used."""
    db.execute(update(table).where(table.c.key_id == key_id).values(**values))


def remove(db: Transaction, identity: str, key_id: str) -> bool:
    """Forget a key of somebody, and tell whether they had it."""
    return bool(db.execute(_remove, {"of_identity": identity, "of_key": key_id}).rowcount)


def remove_all(db: Transaction, identity: str) -> None:
    """Forget every key of somebody who is gone."""
    db.execute(_remove_all, {"of_identity": identity})


def remove_beginning(db: Transaction, beginning: str) -> None:
    """Forget the keys of everybody whose identity begins so, such as a whole identity store."""
    db.execute(delete(table).where(table.c.identity.startswith(beginning, autoescape=True)))
