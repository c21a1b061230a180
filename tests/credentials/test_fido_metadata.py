"""FIDO metadata: certifications for genuine devices, refusal of broken models and of forged attestations."""

import datetime
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AuthenticatorData
from tests.credentials.mds import Certified, certify, metadata_blob
from tests.credentials.soft_authenticator import SoftAuthenticator

from crownkeep.credentials import fido_metadata, webauthn
from crownkeep.credentials.fido_metadata import Metadata
from crownkeep.credentials.webauthn import RelyingParty, WebauthnRefused

PARTY = RelyingParty("crownkeep.example", "Crownkeep", frozenset({"https://crownkeep.example"}))
CHALLENGE = bytes(range(32))
AAGUID = b"\x0a" * 16


ALLIANCE = certify("alliance root")
SIGNER = certify("blob signer", ALLIANCE)
VENDOR = certify("vendor root")
DEVICE = certify("device batch", VENDOR)


def blob(*statuses: dict[str, Any]) -> bytes:
    return metadata_blob(SIGNER, vendor=VENDOR, statuses=statuses)


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


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS1", "ES256K", "", 5, None])
def test_a_blob_signed_by_nothing_that_proves_who_signed_is_refused_as_such(algorithm: object) -> None:
    header, payload, signature = blob().split(b".")
    changed = json.loads(websafe_decode(header.decode())) | {"alg": algorithm}
    forged = b".".join((websafe_encode(json.dumps(changed).encode()).encode(), payload, signature))

    with pytest.raises(fido_metadata.MalformedMetadata, match="not signed as it must be"):
        fido_metadata.read_blob(forged, trust_root=ALLIANCE.der)


def test_a_blob_signed_by_whoever_has_a_certificate_under_the_same_root_is_forged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fido_metadata, "ALLIANCE_ROOT", hashlib.sha256(ALLIANCE.der).hexdigest())
    genuine = certify("blob signer", ALLIANCE, dns="mds.fidoalliance.org")

    read_well = fido_metadata.read_blob(metadata_blob(genuine), trust_root=ALLIANCE.der)

    assert read_well.number == 42
    for name in ("", "shop.example", "mds.fidoalliance.org.shop.example"):
        forger = certify("shop", ALLIANCE, dns=name)
        with pytest.raises(fido_metadata.MalformedMetadata, match="is not signed by"):
            fido_metadata.read_blob(metadata_blob(forger), trust_root=ALLIANCE.der)


def test_a_blob_signed_under_a_certificate_that_may_not_issue_others_is_forged() -> None:
    shop = certify("shop", ALLIANCE)
    forger = certify("blob signer", shop)

    with pytest.raises(fido_metadata.MalformedMetadata, match="may not issue"):
        fido_metadata.read_blob(metadata_blob(forger, shop), trust_root=ALLIANCE.der)
