"""Passkeys: what a genuine device proves, and what an attacker's answer does not."""

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fido2 import cbor
from fido2.cose import RS1
from fido2.utils import websafe_decode, websafe_encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.credentials.soft_authenticator import SoftAuthenticator

from crownkeep.credentials import webauthn
from crownkeep.credentials.webauthn import Passkey, Person, RelyingParty, WebauthnRefused

PARTY = RelyingParty("crownkeep.example", "Crownkeep", frozenset({"https://crownkeep.example"}))
PERSON = Person(b"handle-of-alice", "alice", "Alice")
CHALLENGE = bytes(range(32))


def registered(device: SoftAuthenticator) -> Passkey:
    return webauthn.register(PARTY, device.register(CHALLENGE), challenge=CHALLENGE)


def sign_in(device: SoftAuthenticator, *passkeys: Passkey, challenge: bytes = CHALLENGE, **changes: Any) -> Passkey:
    return webauthn.authenticate(
        PARTY, device.authenticate(challenge, **changes), passkeys, challenge=CHALLENGE, handle=PERSON.handle
    )


def test_a_registered_key_signs_in_and_its_counter_is_kept() -> None:
    device = SoftAuthenticator(counter=7)
    passkey = registered(device)
    device.counter = 8

    used = sign_in(device, registered(SoftAuthenticator(credential_id=b"other")), passkey)

    assert (passkey.credential_id, passkey.sign_count) == (b"credential-1", 7)
    assert passkey.transports == ("nfc", "usb")
    assert (used.credential_id, used.sign_count) == (b"credential-1", 8)


def test_creation_options_are_what_browsers_parse() -> None:
    taken = registered(SoftAuthenticator())

    options: Any = webauthn.creation_options(PARTY, PERSON, challenge=CHALLENGE, registered=[taken])

    assert options["rp"] == {"id": "crownkeep.example", "name": "Crownkeep"}
    assert websafe_encode(CHALLENGE) == options["challenge"]
    assert websafe_encode(PERSON.handle) == options["user"]["id"]
    assert [parameter["alg"] for parameter in options["pubKeyCredParams"]] == [-8, -7, -257]
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "direct"
    assert [websafe_encode(taken.credential_id)] == [one["id"] for one in options["excludeCredentials"]]


def test_request_options_name_the_keys_and_want_the_person_verified() -> None:
    passkey = registered(SoftAuthenticator())

    options: Any = webauthn.request_options(PARTY, challenge=CHALLENGE, passkeys=[passkey])

    assert options["userVerification"] == "required"
    assert options["rpId"] == "crownkeep.example"
    assert [websafe_encode(passkey.credential_id)] == [one["id"] for one in options["allowCredentials"]]
    assert "allowCredentials" not in webauthn.request_options(PARTY, challenge=CHALLENGE)


def test_a_self_attested_registration_keeps_its_attestation() -> None:
    device = SoftAuthenticator(aaguid=b"\x01" * 16)

    passkey = webauthn.register(PARTY, device.register(CHALLENGE, fmt="packed"), challenge=CHALLENGE)

    assert passkey.attestation_format == "packed"
    assert passkey.aaguid == "01010101-0101-0101-0101-010101010101"
    assert cbor.decode(passkey.attestation)["fmt"] == "packed"  # type: ignore[index, call-overload]  # A CBOR map.


def test_a_synced_passkey_without_a_counter_signs_in_again_and_again() -> None:
    device = SoftAuthenticator(flags=0x1D)
    passkey = registered(device)

    again = sign_in(device, sign_in(device, passkey))

    assert passkey.is_synced
    assert again.sign_count == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://crownkeep.example.evil.example"},
        {"origin": "http://crownkeep.example"},
        {"origin": "https://crownkeep.example:4747"},
        {"rp_id": "evil.example"},
        {"flags": 0x01},
        {"flags": 0x04},
        {"cross_origin": True},
        {"flags": 0x15},
        {"credential_id": b""},
        {"credential_id": bytes(webauthn.LONGEST_CREDENTIAL_ID + 1)},
    ],
    ids=[
        "phishing origin",
        "plain http",
        "other port",
        "other rp id",
        "not verified",
        "not present",
        "framed",
        "backed up though it can't be",
        "no id",
        "an id that is too long",
    ],
)
def test_a_registration_from_the_wrong_place_or_of_an_impossible_key_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(WebauthnRefused):
        registered(SoftAuthenticator(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://crownkeep.example.evil.example"},
        {"rp_id": "evil.example"},
        {"flags": 0x01},
        {"flags": 0x04},
        {"cross_origin": True},
        {"handle": b"handle-of-mallory"},
        {"credential_id": b"unknown"},
        {"flags": 0x15},
    ],
    ids=[
        "phishing origin",
        "other rp id",
        "not verified",
        "not present",
        "framed",
        "another's handle",
        "unknown key",
        "backed up though it can't be",
    ],
)
def test_a_sign_in_from_the_wrong_place_is_refused(changes: dict[str, Any]) -> None:
    device = SoftAuthenticator()
    passkey = registered(device)
    for name, value in changes.items():
        setattr(device, name, value)

    with pytest.raises(WebauthnRefused):
        sign_in(device, passkey)


def test_a_replayed_answer_to_another_challenge_is_refused() -> None:
    device = SoftAuthenticator()
    passkey = registered(device)

    with pytest.raises(WebauthnRefused, match="challenge"):
        sign_in(device, passkey, challenge=os.urandom(32))
    with pytest.raises(WebauthnRefused, match="challenge"):
        webauthn.register(PARTY, device.register(os.urandom(32)), challenge=CHALLENGE)


def test_an_answer_of_the_wrong_ceremony_is_refused() -> None:
    device = SoftAuthenticator()
    passkey = registered(device)

    with pytest.raises(WebauthnRefused, match="type"):
        sign_in(device, passkey, type_="webauthn.create")
    with pytest.raises(WebauthnRefused, match="type"):
        webauthn.register(PARTY, device.register(CHALLENGE, type_="webauthn.get"), challenge=CHALLENGE)


def test_a_signature_of_another_key_is_refused() -> None:
    passkey = registered(SoftAuthenticator())

    with pytest.raises(WebauthnRefused, match="signature"):
        sign_in(SoftAuthenticator(), passkey)


@pytest.mark.parametrize("counter", [4, 5, 0])
def test_a_cloned_device_whose_counter_does_not_grow_is_refused(counter: int) -> None:
    device = SoftAuthenticator(counter=5)
    passkey = registered(device)
    device.counter = counter

    with pytest.raises(webauthn.ClonedAuthenticator):
        sign_in(device, passkey)


def test_a_forged_attestation_statement_is_refused() -> None:
    answer = SoftAuthenticator().register(CHALLENGE, fmt="packed")
    attestation: Any = cbor.decode(websafe_decode(answer["response"]["attestationObject"]))
    attestation["attStmt"]["sig"] = SoftAuthenticator().sign(b"something else")
    answer["response"]["attestationObject"] = websafe_encode(cbor.encode(attestation))

    with pytest.raises(WebauthnRefused):
        webauthn.register(PARTY, answer, challenge=CHALLENGE)


def test_a_key_of_an_algorithm_that_was_not_offered_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = RS1.from_cryptography_key(rsa.generate_private_key(65537, 1024).public_key())
    monkeypatch.setattr("tests.credentials.soft_authenticator.ES256.from_cryptography_key", lambda key: weak)

    with pytest.raises(WebauthnRefused, match="algorithm"):
        registered(SoftAuthenticator())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "transports"]),
    value=json_values | st.binary(max_size=60).map(websafe_encode),
)
def test_a_malformed_registration_is_refused_and_nothing_worse(name: str, value: object) -> None:
    answer = SoftAuthenticator().register(CHALLENGE)
    target = answer if name in answer else answer["response"]
    target[name] = value

    try:
        webauthn.register(PARTY, answer, challenge=CHALLENGE)
    except WebauthnRefused:
        return

    assert name in {"transports", "type", "clientExtensionResults"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(position=st.integers(min_value=0), value=st.integers(min_value=0, max_value=255), cut=st.booleans())
def test_a_damaged_attestation_object_is_refused_and_nothing_worse(position: int, value: int, cut: bool) -> None:
    answer = SoftAuthenticator().register(CHALLENGE, fmt="packed")
    raw = bytearray(websafe_decode(answer["response"]["attestationObject"]))
    position %= len(raw)
    original = cbor.decode(bytes(raw))
    raw[position] = value
    damaged = bytes(raw[:position] if cut else raw)
    answer["response"]["attestationObject"] = websafe_encode(damaged)

    try:
        webauthn.register(PARTY, answer, challenge=CHALLENGE)
    except WebauthnRefused:
        return

    # The last length may say more than there is: what was signed and read is still the same.
    assert original == cbor.decode(damaged)


def test_a_damaged_sign_in_is_refused() -> None:
    device = SoftAuthenticator()
    passkey = registered(device)
    answer = device.authenticate(CHALLENGE)
    answer["response"]["authenticatorData"] = "AAAA"

    with pytest.raises(WebauthnRefused):
        webauthn.authenticate(PARTY, answer, [passkey], challenge=CHALLENGE, handle=PERSON.handle)
