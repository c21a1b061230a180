"""X.509 certificates as IAM takes them: read from PEM (RFC 7468), held against their private key and against their chain."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning

from crownkeep.credentials import rsa_keys
from crownkeep.credentials.secret import Secret

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_MOST_IN_CHAIN = 32


class UnreadableCertificate(ValueError):
    """The text is not one PEM certificate of a kind that we understand."""


class UnreadableKey(ValueError):
    """The text is not one unencrypted PEM private key (RSA or elliptic curve)."""


class BrokenChain(ValueError):
    """The chain doesn't lead away from the certificate; `index` is that of the first certificate nobody after it signed.

    -1 is the certificate itself, as AWS counts.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"the certificate {index} of the chain is not signed by the one that follows it")
        self.index = index


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that was read: when it is valid, and what tells it from all others."""

    valid_from: datetime
    expires_at: datetime
    fingerprint: str
    """SHA-256 of the DER encoding, in hexadecimal: the same certificate has the same, however its PEM is written."""
    parsed: x509.Certificate

    def is_valid_at(self, moment: datetime) -> bool:
        """Tell whether its time has come and not passed (RFC 5280, section 4.1.2.5: both ends belong to it)."""
        return self.valid_from <= moment <= self.expires_at


def read(text: str) -> Certificate:
    """Read exactly one PEM certificate with nothing but white space around it; raises UnreadableCertificate."""
    if _BLOCK.fullmatch(text.strip()) is None:
        raise UnreadableCertificate("not one PEM certificate")
    return _read(text.strip())


def read_chain(text: str) -> list[Certificate]:
    """Read the PEM certificates of a chain, one after the other; raises UnreadableCertificate.

    Text before, between and after them is refused, as AWS refuses what `openssl x509 -text` prints above a certificate.
    """
    if _BLOCK.sub("", text).strip():
        raise UnreadableCertificate("there is more than certificates in the chain")
    blocks = _BLOCK.findall(text)
    if not 0 < len(blocks) <= _MOST_IN_CHAIN:
        raise UnreadableCertificate(f"a chain has 1 to {_MOST_IN_CHAIN} certificates")
    return [_read(block) for block in blocks]


def check_chain(certificate: Certificate, chain: Sequence[Certificate]) -> None:
    """Check that each certificate is signed by the next one; raises BrokenChain. Whom to trust is not ours to say."""
    path = [certificate, *chain]
    for index, (subject, issuer) in enumerate(zip(path, chain, strict=False)):
        try:
            subject.parsed.verify_directly_issued_by(issuer.parsed)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
            raise BrokenChain(index - 1) from error


def is_key_of(certificate: Certificate, private_key: Secret) -> bool:
    """Tell whether a PEM private key is the certificate's; raises UnreadableKey."""
    try:
        with _quietly():
            # Without the search for primes: a long key would hold up everybody for as long as that takes.
            key = serialization.load_pem_private_key(
                private_key.reveal().strip().encode("latin-1"), password=None, unsafe_skip_rsa_key_validation=True
            )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The cause may quote the key; it goes no further than here.
        raise UnreadableKey("not an unencrypted PEM private key") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnreadableKey("neither an RSA key nor one of an elliptic curve")
    if isinstance(key, rsa.RSAPrivateKey) and not rsa_keys.is_consistent(key):
        raise UnreadableKey("an RSA key whose parts don't belong together")
    return compare_digest(_encoded(key.public_key()), _encoded(certificate.parsed.public_key()))


def _read(pem: str) -> Certificate:
    try:
        with _quietly():
            parsed = x509.load_pem_x509_certificate(pem.encode("ascii"))
            key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise UnreadableCertificate("not a PEM certificate") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise UnreadableCertificate("its key is neither RSA nor of an elliptic curve")
    if isinstance(key, rsa.RSAPublicKey) and not rsa_keys.is_cheap(key):
        raise UnreadableCertificate("its RSA key is beyond all use")
    fingerprint = parsed.fingerprint(hashes.SHA256()).hex()
    return Certificate(parsed.not_valid_before_utc, parsed.not_valid_after_utc, fingerprint, parsed)


def _encoded(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise UnreadableKey("neither an RSA key nor one of an elliptic curve")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _quietly() -> warnings.catch_warnings[None]:
    # Certificates of others are what they are: a warning about a serial number would only fill our log.
    return warnings.catch_warnings(action="ignore", category=CryptographyDeprecationWarning)
