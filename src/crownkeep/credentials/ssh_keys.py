"""SSH public keys as IAM takes them: RSA, in OpenSSH's form or as PEM, each written in the other, with the MD5 fingerprint."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SMALLEST = 2048
"""Bits (API_UploadSSHPublicKey: "The minimum bit-length of the public key is 2048 bits")."""
LARGEST = 16_384
"""What OpenSSH's own `ssh-keygen` makes at most."""

_SSH = re.compile(r"(?P<kind>ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+|sk-[a-z0-9@.-]+)[ \t]+(?P<key>\S+)(?:[ \t]+[^\r\n]*)?")
_PEM = re.compile(r"-----BEGIN (?:RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (?:RSA )?PUBLIC KEY-----")
_RSA = "ssh-rsa"


class UnknownEncoding(ValueError):
    """The text is neither an `ssh-rsa` line nor a PEM public key."""


class InvalidKey(ValueError):
    """The text has the form of a key, and is none that we take: damaged, not RSA, or of a refused size."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key that was read."""

    wire: bytes
    """The key as SSH carries it (RFC 4253, section 6.6): the same key has the same, however it was written."""
    ssh: str
    """One line without comment: `ssh-rsa AAAA...`."""
    pem: str
    """A SubjectPublicKeyInfo."""

    @property
    def fingerprint(self) -> str:
        """MD5 of the key as SSH carries it, in pairs of hexadecimal digits (RFC 4716, section 4): it tells keys apart."""
        digest = hashlib.md5(self.wire, usedforsecurity=False).hexdigest()
        return ":".join(digest[position : position + 2] for position in range(0, len(digest), 2))


def read(text: str) -> SshKey:
    """Read a public key in either form; raises UnknownEncoding and InvalidKey."""
    text = text.strip()
    if _PEM.fullmatch(text) is not None:
        return _describe(_load(text))
    line = _SSH.fullmatch(text)
    if line is None:
        raise UnknownEncoding("neither an ssh-rsa line nor a PEM public key")
    if line["kind"] != _RSA:
        raise InvalidKey("only RSA keys are taken")
    try:
        base64.b64decode(line["key"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidKey("the key is not Base64") from error
    return _describe(_load(f"{_RSA} {line['key']}"))


def _load(text: str) -> rsa.RSAPublicKey:
    load = serialization.load_ssh_public_key if text.startswith(_RSA) else serialization.load_pem_public_key
    try:
        key = load(text.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidKey("the key cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidKey("only RSA keys are taken")
    if not SMALLEST <= key.key_size <= LARGEST:
        raise InvalidKey(f"an RSA key has {SMALLEST} to {LARGEST} bits")
    return key


def _describe(key: rsa.RSAPublicKey) -> SshKey:
    ssh = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return SshKey(base64.b64decode(ssh.split(" ")[1]), ssh, pem)
