"""Texts of our own that are signed as notes, such as a backup's manifest; a key that signs checkpoints never signs one."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crownkeep.audit import notes
from crownkeep.audit.checkpoints import Signer
from crownkeep.audit.notes import BadSignature, Note, SignatureLine, SignatureType, VerifierKey


def sign(text: str, signer: Signer) -> Note:
    """Return a text with an Ed25519 signature."""
    if signer.type is not SignatureType.ED25519:
        raise ValueError("texts are signed by Ed25519")
    signature = Ed25519PrivateKey.from_private_bytes(signer.seed).sign(text.encode())
    return Note(text, (SignatureLine(signer.name, signer.key.id, signature),))


def verify(note: Note, keys: Sequence[VerifierKey]) -> VerifierKey:
    """Return which of these keys has signed a note; raises BadSignature where none has, or a signature is wrong."""
    for line in note.signatures:
        key = notes.key_of(line, keys)
        if key is None or key.type is not SignatureType.ED25519:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(line.signature, note.text.encode())
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(f"the signature of `{key.name}` is wrong") from error
        return key
    raise BadSignature("it is signed by no key that is trusted")
