"""The sealing key wrapped by a passphrase, for whoever has nowhere else to keep it: only on demand, and slow to guess at."""

from __future__ import annotations

from datetime import date

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crownkeep import clock
from crownkeep.backups.faults import BackupFault
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.credentials.secret import Secret

SHORTEST = 20
"""Characters of a passphrase: whoever has the backup guesses as often as they like."""

_SALT = 16
_MEMORY_KIB, _PASSES, _LANES = 256 << 10, 4, 4


def wrap(passphrase: Secret, key_file: bytes, *, backup_id: str) -> bytes:
    """Wrap a file of sealing keys; raises BackupFault where the passphrase is too short."""
    if len(passphrase.reveal()) < SHORTEST:
        raise BackupFault(f"a passphrase has {SHORTEST} characters or more: whoever has the backup guesses as often as they like")
    salt = clock.token_bytes(_SALT)
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    context = sealing.context_of("sealing-key", backup_id)
    return salt + sealing.seal(_keyring(passphrase, salt), key_file, purpose=Purpose.BACKUP, context=context, nonce=nonce)


def unwrap(passphrase: Secret, wrapped: bytes, *, backup_id: str) -> bytes:
    """Return the file of sealing keys; raises BackupFault for another passphrase."""
    salt, blob = wrapped[:_SALT], wrapped[_SALT:]
    context = sealing.context_of("sealing-key", backup_id)
    try:
        return sealing.unseal(_keyring(passphrase, salt), blob, purpose=Purpose.BACKUP, context=context)
    except (Unsealable, ValueError) as error:
        raise BackupFault("the passphrase does not open the sealing key of the backup") from error


def _keyring(passphrase: Secret, salt: bytes) -> Keyring:
    hashed = Argon2id(salt=salt, length=sealing.KEY_SIZE, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return Keyring([sealing.mint_key(hashed.derive(passphrase.reveal().encode()), made=date.min)])
