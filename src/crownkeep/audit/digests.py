"""CloudTrail's digest files: each lists the log files of its time, is signed, and leads to the one before.

What is signed, and by which algorithm, is CloudTrail's (user guide, "Custom implementations of CloudTrail log file integrity
validation"), so that `aws cloudtrail validate-logs` verifies them. The signature stands in the object's metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from crownkeep.audit.event import moment

ALGORITHM = "SHA256withRSA"
_HASH = "SHA-256"
_FINGERPRINT = 32


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A log file as a digest lists it; the hash is of the uncompressed file, in hexadecimal."""

    bucket: str
    object_key: str
    sha256: str
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class PreviousDigest:
    """The digest before; its hash is of the uncompressed file, its signature in hexadecimal."""

    bucket: str
    object_key: str
    sha256: str
    signature: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything that a digest says."""

    account_id: str
    started_at: datetime
    ended_at: datetime
    bucket: str
    object_key: str
    fingerprint: str
    listed: Sequence[ListedFile]
    previous: PreviousDigest | None
    """None in the first one of a chain."""


def contents(digest: Digest) -> bytes:
    """Return a digest file's contents, with CloudTrail's fields in its order."""
    listed, before = digest.listed, digest.previous
    return msgspec.json.encode(
        {
            "awsAccountId": digest.account_id,
            "digestStartTime": moment(digest.started_at),
            "digestEndTime": moment(digest.ended_at),
            "digestS3Bucket": digest.bucket,
            "digestS3Object": digest.object_key,
            "digestPublicKeyFingerprint": digest.fingerprint,
            "digestSignatureAlgorithm": ALGORITHM,
            "newestEventTime": moment(max(each.newest_at for each in listed)) if listed else None,
            "oldestEventTime": moment(min(each.oldest_at for each in listed)) if listed else None,
            "previousDigestS3Bucket": before.bucket if before else None,
            "previousDigestS3Object": before.object_key if before else None,
            "previousDigestHashValue": before.sha256 if before else None,
            "previousDigestHashAlgorithm": _HASH if before else None,
            "previousDigestSignature": before.signature if before else None,
            "logFiles": [
                {
                    "s3Bucket": each.bucket,
                    "s3Object": each.object_key,
                    "hashValue": each.sha256,
                    "hashAlgorithm": _HASH,
                    "newestEventTime": moment(each.newest_at),
                    "oldestEventTime": moment(each.oldest_at),
                }
                for each in listed
            ],
        }
    )


def signed_text(digest: Digest, sha256: str) -> bytes:
    """Return what is signed: when the digest ends, where it is, what its hash is, and the signature before it."""
    before = digest.previous.signature if digest.previous else "null"
    return f"{moment(digest.ended_at)}\n{digest.bucket}/{digest.object_key}\n{sha256}\n{before}".encode()


def sign(key: rsa.RSAPrivateKey, text: bytes) -> str:
    """Return the signature of a text in hexadecimal."""
    return key.sign(text, padding.PKCS1v15(), hashes.SHA256()).hex()


def metadata(signature: str) -> dict[str, str]:
    """Return the metadata of a digest's object, by which it is verified."""
    return {"signature": signature, "signature-algorithm": ALGORITHM}


def public_key(key: rsa.RSAPrivateKey) -> bytes:
    """Return a key's public half as ListPublicKeys answers it: RSAPublicKey of PKCS #1, in DER."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def fingerprint(public: bytes) -> str:
    """Return the name of a public key: 32 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()[:_FINGERPRINT]
