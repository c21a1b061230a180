"""Signed notes and verifier keys (C2SP signed-note), and the cosignatures that checkpoints bear (C2SP tlog-cosignature).

Ed25519 signs a note's text (0x01), or states when its checkpoint was seen to be consistent (0x04); ML-DSA-44 states the same and
withstands quantum computers (0x06). Signatures of unknown keys are ignored; a wrong one of a known key spoils the whole note.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

_MOST_SIGNATURES = 64
_LONGEST_NOTE = 1 << 20
_LINE = re.compile("— ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class MalformedNote(ValueError):
    """A text is no signed note, or no verifier key."""


class BadSignature(ValueError):
    """A signature of a known key does not verify, or no known key has signed."""


class SignatureType(IntEnum):
    """What a key signs, by the byte that the format gives it."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    MLDSA44_COSIGNATURE = 0x06


PUBLIC_SIZES = {
    SignatureType.ED25519: 32,
    SignatureType.ED25519_COSIGNATURE: 32,
    SignatureType.MLDSA44_COSIGNATURE: 1312,
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key, the name it signs under, and what for."""

    name: str
    type: SignatureType
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that tell it from other keys of its name."""
        # Four bytes only pick the key; whether it signed is up to the signature.
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as a vkey line."""
        return f"{self.name}+{self.id.hex()}+{encode(bytes([self.type]) + self.public)}"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line with its newline."""
        return f"— {self.name} {encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def encode(self) -> str:
        """Return the whole note."""
        return self.text + "\n" + "".join(line.text for line in self.signatures)


def encode(content: bytes) -> str:
    """Return bytes in base64 (RFC 4648, section 4)."""
    return base64.b64encode(content).decode()


def decode(text: str) -> bytes:
    """Read base64, in the one way that bytes are written in; raises MalformedNote."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("this is no base64") from error
    # One spelling only: padding bits that are ignored would give a note several texts with one meaning.
    if encode(content) != text:
        raise MalformedNote("this base64 is not written as it should be")
    return content


def read_key(text: str) -> VerifierKey:
    """Read a vkey; raises MalformedNote."""
    found = _VKEY.fullmatch(text.strip())
    # Octets that are no UTF-8 come as half characters (PEP 383), of which no id can be made.
    if found is None or _HALF_CHARACTER.search(found[1]):
        raise MalformedNote("a verifier key is written `NAME+ID+KEY`")
    content = decode(found[3])
    if content[0] not in list(SignatureType) or len(content) - 1 != PUBLIC_SIZES[SignatureType(content[0])]:
        raise MalformedNote("the verifier key is of a kind that is not known here, or has another length")
    key = VerifierKey(found[1], SignatureType(content[0]), content[1:])
    # The id is a hash of name, kind and key, so a mistyped key is noticed here.
    if key.id.hex() != found[2]:
        raise MalformedNote("the verifier key does not have the id that it gives: it was changed or cut off")
    return key


def read(content: str | bytes) -> Note:
    """Read a note; raises MalformedNote."""
    try:
        whole = content if isinstance(content, str) else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNote("a note is UTF-8 text") from error
    if len(whole) > _LONGEST_NOTE or re.search("[\x00-\x09\x0b-\x1f]", whole):
        raise MalformedNote("a note is a short text without control characters")
    # The last empty line: the text itself may hold others.
    text, blank, signatures = whole.rpartition("\n\n")
    if not blank or not text or not signatures.endswith("\n"):
        raise MalformedNote("a note has a text, an empty line and signatures, each line with its end")
    lines = signatures[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise MalformedNote("the note has too many signatures")
    return Note(text + "\n", tuple(read_line(line) for line in lines))


def read_line(line: str) -> SignatureLine:
    """Read one line of a signature, without its newline; raises MalformedNote."""
    found = _LINE.fullmatch(line)
    content = decode(found[2]) if found else b""
    if found is None or len(content) < 5:
        raise MalformedNote("a signature is written `— NAME SIGNATURE`")
    return SignatureLine(found[1], content[:4], content[4:])


def key_of(line: SignatureLine, keys: Iterable[VerifierKey]) -> VerifierKey | None:
    """Return which of these keys a line claims to be of: the one with its name and its id."""
    return next((key for key in keys if key.name == line.name and key.id == line.key_id), None)
