"""Keys and certificates made for tests, each pair once in a test process: RSA keys take their time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, as PEM."""

    certificate: str
    private_key: str
    parsed: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@cache
def authority(name: str) -> Pair:
    """Return a self-signed authority."""
    return certificate(name, by=None)


def certificate(name: str, *, by: Pair | None, days: tuple[int, int] = (-1, 365), at: datetime | None = None) -> Pair:
    """Make a certificate that is valid from and to so many days from now (or `at`), signed by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = at or datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.parsed.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    made = builder.sign(by.key if by else key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Pair(made.public_bytes(Encoding.PEM).decode(), private, made, key)


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPublicKey:
    """Return an RSA public key; keys of other numbers differ."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()


def ssh_line(key: rsa.RSAPublicKey) -> str:
    """Return a key as OpenSSH writes it."""
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def pem(key: rsa.RSAPublicKey) -> str:
    """Return a key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
