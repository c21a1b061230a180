"""Passkeys and security keys: what WebAuthn registered beyond the MFA device itself, attestation included."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, Text, bindparam, insert, select, update

from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, UniqueId, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "passkeys",
    metadata,
    # A FIDO device that is deactivated is gone, and this goes with it.
    Column("device_id", UniqueId, ForeignKey("mfa_devices.device_id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("transports", String(128), nullable=False),
    Column("is_synced", Boolean, nullable=False),
    Column("attestation_format", String(32), nullable=False),
    Column("attestation", LargeBinary, nullable=False),
    Column("certifications", Text, nullable=False),
    # None for what earlier versions let in although it was registered before, or is longer than may be.
    Column("credential_id", LargeBinary),
    # Unique in the house: a sign-in finds the key by this id alone (WebAuthn 3, section 7.1, asks for it at registration).
    Index(None, "credential_id", unique=True),
)


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """One key, beside its row among the MFA devices."""

    device_id: str
    account_id: str
    transports: tuple[str, ...]
    is_synced: bool
    attestation_format: str
    attestation: bytes
    certifications: tuple[tuple[str, str], ...]
    """Pairs such as ("FIDO", "L2")."""
    credential_id: bytes | None
    """What the device calls the key: no two keys of this house have the same, whoever's they are."""


def _row(
    device_id: str,
    account_id: str,
    transports: str,
    is_synced: bool,
    attestation_format: str,
    attestation: bytes,
    certifications: str,
    credential_id: bytes | None,
) -> PasskeyRow:
    pairs = (line.split(" ", 1) for line in certifications.splitlines())
    return PasskeyRow(
        device_id=device_id,
        account_id=account_id,
        transports=tuple(transports.split()),
        is_synced=is_synced,
        attestation_format=attestation_format,
        attestation=attestation,
        certifications=tuple((name, level) for name, level in pairs),
        credential_id=credential_id,
    )


_of_device = RowQuery(
    _row, select(table).where(table.c.account_id == bindparam("of_account"), table.c.device_id == bindparam("of_device"))
)
_with_credential = select(table.c.device_id).where(table.c.credential_id == bindparam("of_credential"))
_set_signature_count = (
    update(mfa_devices.table)
    .where(mfa_devices.table.c.account_id == bindparam("of_account"), mfa_devices.table.c.device_id == bindparam("of_device"))
    .values(signature_count=bindparam("new_count"))
)


def of_device(db: Transaction, account_id: str, device_id: str) -> PasskeyRow | None:
    """Return what is known of a key."""
    return _of_device.first(db, {"of_account": account_id, "of_device": device_id})


def is_registered(db: Transaction, credential_id: bytes) -> bool:
    """Return whether somebody in this house has a key with this id."""
    return db.execute(_with_credential, {"of_credential": credential_id}).first() is not None


def add(db: Transaction, row: PasskeyRow) -> None:
    """Keep a new key's particulars."""
    db.execute(
        insert(table),
        {
            "device_id": row.device_id,
            "account_id": row.account_id,
            "transports": " ".join(row.transports),
            "is_synced": row.is_synced,
            "attestation_format": row.attestation_format,
            "attestation": row.attestation,
            "certifications": "\n".join(f"{name} {level}" for name, level in row.certifications),
            "credential_id": row.credential_id,
        },
    )


def set_signature_count(db: Transaction, account_id: str, device_id: str, count: int) -> None:
    """Remember a key's signature counter."""
    db.execute(_set_signature_count, {"of_account": account_id, "of_device": device_id, "new_count": count})
