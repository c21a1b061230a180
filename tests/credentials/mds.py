"""A metadata service of the test's own: certificates, and blobs that are signed with them."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fido2.utils import websafe_encode

DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Certified:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def certify(name: str, issuer: Certified | None = None, *, dns: str = "") -> Certified:
    """Make a certificate: of itself, and one that may issue others, where no issuer is named."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    names = x509.SubjectAlternativeName([x509.DNSName(dns)] if dns else [])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(DAY)
        .not_valid_after(DAY + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return Certified(key, certificate)


def metadata_blob(
    signer: Certified,
    *issuers: Certified,
    number: int = 42,
    vendor: Certified | None = None,
    statuses: Sequence[dict[str, Any]] = (),
) -> bytes:
    """Sign a blob that describes one model, whose attestation is issued by `vendor`."""
    statement = {
        "description": "Test key",
        "aaguid": "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a",
        "authenticatorVersion": 1,
        "schema": 3,
        "upv": [{"major": 1, "minor": 0}],
        "attestationTypes": ["basic_full"],
        "userVerificationDetails": [[{"userVerificationMethod": "none"}]],
        "keyProtection": ["hardware"],
        "matcherProtection": ["on_chip"],
        "attachmentHint": ["external"],
        "tcDisplay": [],
        "attestationRootCertificates": [_b64((vendor or signer).der)],
    }
    entry = {
        "aaguid": statement["aaguid"],
        "metadataStatement": statement,
        "statusReports": list(statuses),
        "timeOfLastStatusChange": "2026-01-01",
    }
    payload = {"legalHeader": "", "no": number, "nextUpdate": "2026-12-31", "entries": [entry]}
    header = {"alg": "ES256", "typ": "JWT", "x5c": [_b64(each.der) for each in (signer, *issuers)]}
    message = ".".join(websafe_encode(json.dumps(part).encode()) for part in (header, payload)).encode()
    signature = signer.key.sign(message, ec.ECDSA(hashes.SHA256()))
    return message + b"." + websafe_encode(signature).encode()


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
