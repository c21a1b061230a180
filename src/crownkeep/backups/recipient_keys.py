"""The key that a backup made for a recipient has of its own: wrapped for the recipient, and sealed once more."""

from __future__ import annotations

from datetime import datetime

from crownkeep import clock
from crownkeep.backups.faults import BackupFault
from crownkeep.credentials import recipients, sealing
from crownkeep.credentials.recipients import Wrapped
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.credentials.secret import Secret


def make(keyring: Keyring, recipient: str, *, backup_id: str, now: datetime) -> tuple[Keyring, bytes]:
    """Return what seals a backup, and the wrapped key that its manifest keeps; without a recipient, the sealing key and nothing.

    Raises UnusableRecipient.
    """
    if not recipient:
        return keyring, b""
    key = clock.token_bytes(sealing.KEY_SIZE)
    wrapped = recipients.wrap(recipient, key, kind=Wrapped.BACKUP_KEY, bound_to=backup_id)
    # Sealed once more: anybody can wrap a key for a recipient, and only the installation can make a backup of it.
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    blob = sealing.seal(keyring, wrapped, purpose=Purpose.BACKUP, context=_context(backup_id), nonce=nonce)
    return Keyring([sealing.mint_key(key, made=now.date())]), blob


def open_(keyring: Keyring, wrapped: bytes, identity: Secret | None, *, backup_id: str, made: datetime) -> Keyring:
    """Return what opens a backup; raises BackupFault, and UnusableRecipient for another's identity."""
    if not wrapped:
        return keyring
    if identity is None:
        raise BackupFault("the backup was sealed for a recipient: give the identity's file, or enough of its shares")
    try:
        blob = sealing.unseal(keyring, wrapped, purpose=Purpose.BACKUP, context=_context(backup_id))
    except Unsealable as error:
        raise BackupFault("the sealing key does not open the backup: it was sealed with another, or changed since") from error
    own = recipients.unwrap(identity, blob, kind=Wrapped.BACKUP_KEY, bound_to=backup_id)
    return Keyring([sealing.mint_key(own, made=made.date())])


def _context(backup_id: str) -> bytes:
    return sealing.context_of("backup-key", backup_id)
