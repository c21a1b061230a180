"""The keys that sign digests: one a Region, made when it is first needed, renewed each year, and published for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from crownkeep.audit import digests
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.operations import sealed
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import digests as digest_rows
from crownkeep.storage.trail.digests import KeyRow

SIGNS_FOR = timedelta(days=365)
_BITS = 2048


@dataclass(frozen=True, slots=True)
class DigestSigner:
    """A key that is opened to sign with."""

    fingerprint: str
    private: rsa.RSAPrivateKey


def current(db: Transaction, region: str, *, now: datetime) -> KeyRow | None:
    """Return the key that signs the digests of a Region now, None where a new one is due."""
    usable = [row for row in digest_rows.keys_of(db, region) if row.valid_from <= now < row.valid_until]
    return usable[-1] if usable else None


def within(db: Transaction, region: str, *, start: datetime, end: datetime) -> Sequence[KeyRow]:
    """Return the keys of a Region that signed digests at any time of a range."""
    return [row for row in digest_rows.keys_of(db, region) if row.valid_from <= end and start <= row.valid_until]


def opened(keyring: Keyring, row: KeyRow) -> DigestSigner:
    """Open a key to sign with; raises Unsealable."""
    pem = sealed.open_digest_key(keyring, row.sealed_private_key, region=row.region, fingerprint=row.fingerprint)
    # The seal vouches for the key; checking it again takes longer than signing.
    private = serialization.load_pem_private_key(pem.reveal().encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("a digest key is not of RSA")
    return DigestSigner(row.fingerprint, private)


def mint(keyring: Keyring, region: str, *, now: datetime) -> KeyRow:
    """Make a key for a Region; takes some tenths of a second of computing."""
    # OpenSSL draws the primes itself: there is no way to hand it chance.
    private = rsa.generate_private_key(public_exponent=65_537, key_size=_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = digests.public_key(private)
    name = digests.fingerprint(public)
    blob = sealed.seal_digest_key(keyring, Secret(pem), region=region, fingerprint=name)
    return KeyRow(name, region, public, blob, now, now + SIGNS_FOR)
