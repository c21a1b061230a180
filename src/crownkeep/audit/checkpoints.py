"""Checkpoints (C2SP tlog-checkpoint): how large the tree is and what its root is, signed by the log and by its witnesses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from crownkeep.audit import merkle, notes
from crownkeep.audit.notes import BadSignature, MalformedNote, Note, SignatureLine, SignatureType, VerifierKey

SEED_SIZE = 32
_LARGEST_SIZE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself at one moment."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "\n".join([self.origin, str(self.size), notes.encode(self.root), *self.extensions]) + "\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """A known key that has signed a checkpoint, and when it says it did; None where it says nothing of that."""

    key: VerifierKey
    at: int | None


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key, given by its 32-byte seed, and the name it signs under."""

    name: str
    type: SignatureType
    seed: bytes

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        private = _private(self)
        return VerifierKey(self.name, self.type, private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint, *, at: int) -> SignatureLine:
        """Return a signature of a checkpoint; `at` is in seconds since 1970, and no part of a plain signature."""
        signature = _private(self).sign(_message(self.name, self.type, checkpoint, at))
        stamp = b"" if self.type is SignatureType.ED25519 else at.to_bytes(8, "big")
        return SignatureLine(self.name, self.key.id, stamp + signature)


def read(note: Note) -> Checkpoint:
    """Read the checkpoint that a note holds; raises MalformedNote."""
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
        raise MalformedNote("a checkpoint has an origin, a size and a root")
    root, size = notes.decode(lines[2]), int(lines[1])
    if len(root) != merkle.HASH_SIZE or size > _LARGEST_SIZE:
        raise MalformedNote("the checkpoint's root or size is not what either may be")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def signed_by(note: Note, keys: Sequence[VerifierKey]) -> list[Signed]:
    """Return which of these keys have signed a note's checkpoint.

    Raises BadSignature where a signature that one of them is said to have made is wrong, and MalformedNote.
    """
    checkpoint = read(note)
    found = []
    for line in note.signatures:
        key = notes.key_of(line, keys)
        if key is not None:
            found.append(Signed(key, verify(key, checkpoint, line)))
    return found


def verify(key: VerifierKey, checkpoint: Checkpoint, line: SignatureLine) -> int | None:
    """Return when a key says that it has signed, None where its kind doesn't say; raises BadSignature."""
    at = None
    signature = line.signature
    if key.type is not SignatureType.ED25519:
        at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
    try:
        message = _message(key.name, key.type, checkpoint, at or 0)
        if key.type is SignatureType.MLDSA44_COSIGNATURE:
            MLDSA44PublicKey.from_public_bytes(key.public).verify(signature, message)
        else:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError, OverflowError) as error:
        raise BadSignature(f"the signature of `{key.name}` is wrong") from error
    return at


def signed(checkpoint: Checkpoint, signers: Iterable[Signer], *, at: int) -> Note:
    """Return a checkpoint with the signatures of these keys."""
    return Note(checkpoint.text, tuple(signer.sign(checkpoint, at=at) for signer in signers))


def _private(signer: Signer) -> Ed25519PrivateKey | MLDSA44PrivateKey:
    if signer.type is SignatureType.MLDSA44_COSIGNATURE:
        return MLDSA44PrivateKey.from_seed_bytes(signer.seed)
    return Ed25519PrivateKey.from_private_bytes(signer.seed)


def _message(name: str, kind: SignatureType, checkpoint: Checkpoint, at: int) -> bytes:
    match kind:
        case SignatureType.ED25519:
            return checkpoint.text.encode()
        case SignatureType.ED25519_COSIGNATURE:
            return f"cosignature/v1\ntime {at}\n{checkpoint.text}".encode()
        case SignatureType.MLDSA44_COSIGNATURE:
            return b"".join(
                (
                    b"subtree/v1\n\0",
                    _short(name),
                    at.to_bytes(8, "big"),
                    _short(checkpoint.origin),
                    bytes(8),
                    checkpoint.size.to_bytes(8, "big"),
                    checkpoint.root,
                )
            )


def _short(text: str) -> bytes:
    content = text.encode()
    return bytes([len(content)]) + content
