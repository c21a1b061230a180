"""Recipients: keys are wrapped for a public file whose private half, the identity, is on no machine that wraps.

They are wrapped by HPKE (RFC 9180) with ML-KEM-768 and X25519 together: whoever copies what was wrapped today and has a quantum
computer one day opens nothing. The library makes both; only the files' form is ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crownkeep.credentials.secret import Secret

ENTROPY = 96
"""Random bytes of an identity."""

_SEED = 64
_FROM_SECRET = b"crownkeep recipient from shares v1"
_PUBLIC = 1184
_IDENTITY, _RECIPIENT = "crownkeep-backup-identity/1", "crownkeep-backup-recipient/1"
_FILE = re.compile(r"(\S+) ([A-Za-z0-9+/]+=*)")
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class UnusableRecipient(ValueError):
    """A recipient's or an identity's file can't be used, or opens what was wrapped for somebody else; the message says which."""


class Wrapped(Enum):
    """What is wrapped: what was made for one use never opens as another."""

    BACKUP_KEY = "backup"
    """The key of a backup's frames."""
    KEY_IN_BACKUP = "sealing key in backup"
    """The file of sealing keys, inside a backup."""
    KEY_AT_REST = "sealing key at rest"
    """The file of sealing keys, in a data directory that opens it only once enough shares were handed in."""


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


def from_secret(secret: bytes) -> Identity:
    """Return the identity that belongs to a short secret, such as one that is split into shares (HKDF, RFC 5869)."""
    return mint(HKDF(SHA256(), length=ENTROPY, salt=None, info=_FROM_SECRET).derive(secret))


def wrap(recipient: str, key: bytes, *, kind: Wrapped, bound_to: str) -> bytes:
    """Wrap a key for the recipient that a public file names, for one use; raises UnusableRecipient where it is no such file."""
    return _SUITE.encrypt(key, _public(recipient), info=_bound(kind, bound_to))


def unwrap(identity: Secret, wrapped: bytes, *, kind: Wrapped, bound_to: str) -> bytes:
    """Return what was wrapped, with the recipient's private file; raises UnusableRecipient where that is another's."""
    mlkem, x25519 = _private(_read(_IDENTITY, identity.reveal(), ENTROPY))
    try:
        return _SUITE.decrypt(wrapped, MLKEM768X25519PrivateKey(mlkem, x25519), info=_bound(kind, bound_to))
    except (InvalidTag, ValueError) as error:
        raise UnusableRecipient(
            "the identity does not open this: it was wrapped for another recipient, or changed since"
        ) from error


def _private(random: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(random) != ENTROPY:
        raise ValueError(f"an identity takes {ENTROPY} random bytes, and not {len(random)}")
    return MLKEM768PrivateKey.from_seed_bytes(random[:_SEED]), X25519PrivateKey.from_private_bytes(random[_SEED:])


def _public(recipient: str) -> MLKEM768X25519PublicKey:
    content = _read(_RECIPIENT, recipient, _PUBLIC + 32)
    mlkem, x25519 = content[:_PUBLIC], content[_PUBLIC:]
    return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(mlkem), X25519PublicKey.from_public_bytes(x25519))


def _bound(kind: Wrapped, bound_to: str) -> bytes:
    return f"crownkeep {kind.value} v1 {bound_to}".encode()


def _written(kind: str, content: bytes) -> str:
    return f"{kind} {base64.b64encode(content).decode()}\n"


def _read(kind: str, text: str, size: int) -> bytes:
    found = _FILE.fullmatch(text.strip())
    try:
        content = base64.b64decode(found[2], validate=True) if found is not None and found[1] == kind else b""
    except binascii.Error:
        content = b""
    if len(content) != size:
        raise UnusableRecipient(f"this is no file of the kind `{kind}`: `crownkeep backup new-recipient` makes them")
    return content
