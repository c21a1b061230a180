"""Recipients: backups sealed for a key whose private half is on no machine that makes them.

Each backup then has a key of its own, wrapped for the recipient by HPKE (RFC 9180) with ML-KEM-768 and X25519 together: whoever
copies backups today and has a quantum computer one day opens none. The library makes both; only the files' form is ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from crownkeep.backups.faults import BackupFault
from crownkeep.credentials import sealing
from crownkeep.credentials.secret import Secret

ENTROPY = 96
"""Random bytes of an identity."""

_SEED = 64
_PUBLIC = 1184
_IDENTITY, _RECIPIENT = "crownkeep-backup-identity/1", "crownkeep-backup-recipient/1"
_FILE = re.compile(r"(\S+) ([A-Za-z0-9+/]+=*)")
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class Identity:
    """A recipient's two halves, as files hold them."""

    private: Secret
    public: str


def mint(random: bytes) -> Identity:
    """Make an identity from ENTROPY random bytes."""
    private = _private(random)
    halves = private[0].public_key(), private[1].public_key()
    public = b"".join(each.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw) for each in halves)
    return Identity(Secret(_written(_IDENTITY, random)), _written(_RECIPIENT, public))


def wrap(recipient: str, key: bytes, *, backup_id: str) -> bytes:
    """Wrap a backup's key for the recipient that a public file names; raises BackupFault where it is no such file."""
    return _SUITE.encrypt(key, _public(recipient), info=_bound_to(backup_id))


def unwrap(identity: Secret, wrapped: bytes, *, backup_id: str) -> bytes:
    """Return a backup's key with the recipient's private file; raises BackupFault where that is another's."""
    mlkem, x25519 = _private(_read(_IDENTITY, identity.reveal(), ENTROPY))
    try:
        return _SUITE.decrypt(wrapped, MLKEM768X25519PrivateKey(mlkem, x25519), info=_bound_to(backup_id))
    except (InvalidTag, ValueError) as error:
        raise BackupFault("the identity does not open the backup: it was sealed for another recipient") from error


def context(backup_id: str) -> bytes:
    """Return what the wrapped key is bound to where it is sealed."""
    return sealing.context_of("backup-key", backup_id)


def _private(random: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(random) != ENTROPY:
        raise ValueError(f"an identity takes {ENTROPY} random bytes, and not {len(random)}")
    return MLKEM768PrivateKey.from_seed_bytes(random[:_SEED]), X25519PrivateKey.from_private_bytes(random[_SEED:])


def _public(recipient: str) -> MLKEM768X25519PublicKey:
    content = _read(_RECIPIENT, recipient, _PUBLIC + 32)
    mlkem, x25519 = content[:_PUBLIC], content[_PUBLIC:]
    return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(mlkem), X25519PublicKey.from_public_bytes(x25519))


def _bound_to(backup_id: str) -> bytes:
    return b"crownkeep backup v1 " + backup_id.encode()


def _written(kind: str, content: bytes) -> str:
    return f"{kind} {base64.b64encode(content).decode()}\n"


def _read(kind: str, text: str, size: int) -> bytes:
    found = _FILE.fullmatch(text.strip())
    try:
        content = base64.b64decode(found[2], validate=True) if found is not None and found[1] == kind else b""
    except binascii.Error:
        content = b""
    if len(content) != size:
        raise BackupFault(f"this is no file of the kind `{kind}`: `crownkeep backup new-recipient` makes them")
    return content
