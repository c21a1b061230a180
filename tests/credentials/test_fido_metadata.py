"""FIDO metadata: certifications for genuine devices, refusal of broken models and of forged attestations."""

import base64
import datetime
import json
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AuthenticatorData
from soft_authenticator import SoftAuthenticator

from crownkeep.credentials import fido_metadata, webauthn
from crownkeep.credentials.fido_metadata import Metadata
from crownkeep.credentials.webauthn import RelyingParty, WebauthnRefused

PARTY = RelyingParty("crownkeep.example", "Crownkeep", frozenset({"https://crownkeep.example"}))
CHALLENGE = bytes(range(32))
AAGUID = b"\x0a" * 16
DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Certified:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def certify(name: str, issuer: Certified | None = None) -> Certified:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(DAY)
        .not_valid_after(DAY + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return Certified(key, certificate)


ALLIANCE = certify("alliance root")
SIGNER = certify("blob signer", ALLIANCE)
VENDOR = certify("vendor root")
DEVICE = certify("device batch", VENDOR)


def blob(*statuses: dict[str, Any]) -> bytes:
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
        "attestationRootCertificates": [_b64(VENDOR.der)],
    }
    entry = {
        "aaguid": statement["aaguid"],
        "metadataStatement": statement,
        "statusReports": list(statuses),
        "timeOfLastStatusChange": "2026-01-01",
    }
    payload = {"legalHeader": "", "no": 42, "nextUpdate": "2026-12-31", "entries": [entry]}
    header = {"alg": "ES256", "typ": "JWT", "x5c": [_b64(SIGNER.der)]}
    message = ".".join(websafe_encode(json.dumps(part).encode()) for part in (header, payload)).encode()
    signature = SIGNER.key.sign(message, ec.ECDSA(hashes.SHA256()))
    return message + b"." + websafe_encode(signature).encode()


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def read(*statuses: dict[str, Any]) -> Metadata:
    return fido_metadata.read_blob(blob(*statuses), trust_root=ALLIANCE.der)


def attested(batch: Certified) -> dict[str, Any]:
    """A registration whose statement is signed by a batch certificate, as hardware keys do."""
    device = SoftAuthenticator(aaguid=AAGUID)
    answer = device.register(CHALLENGE)
    client_data = device.client_data("webauthn.create", CHALLENGE)
    plain = AttestationObject(websafe_decode(answer["response"]["attestationObject"]))
    data = AuthenticatorData(bytes(plain.auth_data))
    signature = batch.key.sign(data + client_data.hash, ec.ECDSA(hashes.SHA256()))
    statement = {"alg": -7, "sig": signature, "x5c": [batch.der]}
    answer["response"]["attestationObject"] = websafe_encode(AttestationObject.create("packed", data, statement))
    return answer


def test_a_genuine_device_shows_its_best_certification_of_each_kind() -> None:
    metadata = read(
        {"status": "FIDO_CERTIFIED"},
        {"status": "FIDO_CERTIFIED_L2"},
        {"status": "FIPS140_CERTIFIED_L2", "fipsRevision": 3},
        {"status": "UPDATE_AVAILABLE"},
    )

    passkey = webauthn.register(PARTY, attested(DEVICE), challenge=CHALLENGE, metadata=metadata)

    assert passkey.certifications == (("FIDO", "L2"), ("FIPS-140-3", "L2"))
    assert metadata.number == 42
    assert metadata.next_update == datetime.date(2026, 12, 31)


def test_a_forged_attestation_of_a_known_model_is_refused() -> None:
    forger = certify("device batch", certify("vendor root"))

    with pytest.raises(WebauthnRefused, match="does not chain"):
        webauthn.register(PARTY, attested(forger), challenge=CHALLENGE, metadata=read({"status": "FIDO_CERTIFIED"}))


@pytest.mark.parametrize("status", ["REVOKED", "ATTESTATION_KEY_COMPROMISE", "USER_VERIFICATION_BYPASS"])
def test_a_broken_model_is_refused(status: str) -> None:
    metadata = read({"status": "FIDO_CERTIFIED_L1"}, {"status": status})

    with pytest.raises(WebauthnRefused, match=status):
        webauthn.register(PARTY, attested(DEVICE), challenge=CHALLENGE, metadata=metadata)


def test_a_device_that_attests_nothing_or_is_unknown_has_no_certifications() -> None:
    metadata = read({"status": "FIDO_CERTIFIED_L1"})

    claiming = SoftAuthenticator(aaguid=AAGUID).register(CHALLENGE)
    unknown = SoftAuthenticator(aaguid=b"\x0b" * 16).register(CHALLENGE, fmt="packed")

    assert webauthn.register(PARTY, claiming, challenge=CHALLENGE, metadata=metadata).certifications == ()
    assert webauthn.register(PARTY, unknown, challenge=CHALLENGE, metadata=metadata).certifications == ()


def test_a_blob_signed_under_another_root_is_refused() -> None:
    with pytest.raises(fido_metadata.MalformedMetadata):
        fido_metadata.read_blob(blob(), trust_root=VENDOR.der)


def test_a_tampered_blob_is_refused() -> None:
    header, payload, signature = blob().split(b".")
    other = websafe_encode(json.dumps({"legalHeader": "", "no": 43, "nextUpdate": "2026-12-31", "entries": []}).encode())

    with pytest.raises(fido_metadata.MalformedMetadata):
        fido_metadata.read_blob(b".".join((header, other.encode(), signature)), trust_root=ALLIANCE.der)
    assert payload != other.encode()


@pytest.mark.parametrize("garbage", [b"", b"a.b", b"a.b.c", b"e30.e30.AA", b"\xff.\xff.\xff"])
def test_what_is_no_blob_is_refused(garbage: bytes) -> None:
    with pytest.raises(fido_metadata.MalformedMetadata):
        fido_metadata.read_blob(garbage, trust_root=ALLIANCE.der)
