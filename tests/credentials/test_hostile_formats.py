"""Whatever strangers send, a decoder answers what it reads or its own error, and nothing else."""

from __future__ import annotations

import base64
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from lxml import etree
from tests.credentials.hostile import cbor_values, changed, documents, edited, json_text, json_values, token
from tests.credentials.mds import certify, metadata_blob
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.services.sts.saml_provider import ATTRIBUTES, AUDIENCE, SamlProvider

from crownkeep import base64url
from crownkeep.credentials import (
    access_keys,
    breached,
    certificates,
    dpop,
    fido_metadata,
    leaked_keys,
    nt_hashes,
    one_time_links,
    passwords,
    recovery_codes,
    saml_assertions,
    saml_metadata,
    sealing,
    session_tokens,
    ssh_keys,
    totp,
    web_identities,
    webauthn,
)
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.webauthn import RelyingParty

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = ECKey.import_key(
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)
ISSUER = "https://idp.example"
TAGS = "https://aws.amazon.com/tags"
CLAIMS = {
    "iss": ISSUER,
    "sub": "person-1",
    "aud": ["client-1"],
    "azp": "client-1",
    "iat": SECONDS,
    "nbf": SECONDS,
    "exp": SECONDS + 600,
    "amr": ["mfa"],
    TAGS: {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]},
    "https://aws.amazon.com/source_identity": "alice",
}
CERTIFIED = certify("somebody")


@given(header=documents({"alg": "ES256", "kid": "k1", "typ": "JWT"}), payload=documents(CLAIMS))
def test_a_hostile_web_identity_is_refused_as_such(header: bytes, payload: bytes) -> None:
    keys = (web_identities.PublishedKey("k1", PUBLIC),)

    with suppress(web_identities.InvalidWebIdentity):
        given_token = token(header, payload, KEY)
        web_identities.claimed(given_token)
        web_identities.verify(given_token, keys, issuer=ISSUER, client_ids=("client-1",), now=NOW)


@given(payload=changed(CLAIMS))
def test_a_hostile_claim_in_a_well_signed_web_identity_is_refused_as_such(payload: dict[str, Any]) -> None:
    keys = (web_identities.PublishedKey("k1", PUBLIC),)
    given_token = token(b'{"alg":"ES256","kid":"k1"}', json_text(payload), KEY)

    with suppress(web_identities.InvalidWebIdentity):
        web_identities.verify(given_token, keys, issuer=ISSUER, client_ids=("client-1",), now=NOW)


@pytest.mark.parametrize("audience", [5, 1.5, True, {"client-1": 1}, [["client-1"]], None])
def test_a_web_identity_for_an_audience_of_another_type_is_for_another_audience(audience: object) -> None:
    keys = (web_identities.PublishedKey("k1", PUBLIC),)
    claims = {name: value for name, value in CLAIMS.items() if name != "azp"}
    given_token = token(b'{"alg":"ES256","kid":"k1"}', json_text({**claims, "aud": audience}), KEY)

    with pytest.raises(web_identities.InvalidWebIdentity, match="Incorrect token audience"):
        web_identities.verify(given_token, keys, issuer=ISSUER, client_ids=("client-1",), now=NOW)


@given(documents({"keys": [{**PUBLIC.as_dict(private=False), "kid": "1"}]}) | documents(PUBLIC.as_dict(private=False)))
def test_a_hostile_key_set_is_no_key_set(document: bytes) -> None:
    for text in (document, b'{"keys":[' + document + b"]}"):
        with suppress(ValueError):
            web_identities.read_keys(text)


def test_denial_of_service_a_token_is_tried_against_a_few_of_a_providers_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr(web_identities, "_is_signed_with", lambda _, key: tried.append(key))
    nameless = {**PUBLIC.as_dict(private=False)}
    nameless.pop("kid", None)
    keys = web_identities.read_keys(json_text({"keys": [nameless] * 200}))
    given_token = token(b'{"alg":"ES256"}', json_text(CLAIMS), KEY)

    with pytest.raises(web_identities.InvalidWebIdentity, match="signature"):
        web_identities.verify(given_token, keys, issuer="https://idp.example", client_ids=["client-1"], now=NOW)

    assert (200, 8) == (len(keys), len(tried))


@pytest.mark.parametrize(
    ("bits", "exponent", "expected"), [(2048, 65537, 1), (3072, None, 0), (2048, 2**64 + 1, 0), (1024, 65537, 0)]
)
def test_denial_of_service_a_key_that_is_slow_to_verify_with_is_left_out(bits: int, exponent: int | None, expected: int) -> None:
    modulus = (1 << bits) - 159
    numbers = {
        name: base64url.encode(n.to_bytes(-(-n.bit_length() // 8)))
        for name, n in (("n", modulus), ("e", exponent or modulus - 2))
    }

    assert expected == len(web_identities.read_keys(json_text({"keys": [{"kty": "RSA", **numbers}]})))


def test_a_key_set_that_is_nested_beyond_all_use_is_no_key_set() -> None:
    with pytest.raises(ValueError, match="no key set"):
        web_identities.read_keys(b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}")


@given(
    header=documents({"typ": "dpop+jwt", "alg": "ES256", "jwk": PUBLIC.as_dict(private=False)}),
    payload=documents({"htm": "POST", "htu": "https://keep.example/v1/token", "iat": SECONDS, "jti": "a1"}),
)
def test_a_hostile_proof_of_possession_is_refused_as_such(header: bytes, payload: bytes) -> None:
    addresses = frozenset({"https://keep.example/v1/token"})

    with suppress(dpop.InvalidProof):
        dpop.verify(token(header, payload, KEY), method="POST", addresses=addresses, now=NOW)


def test_a_proof_of_possession_that_is_no_utf_8_is_refused_as_such() -> None:
    with pytest.raises(dpop.InvalidProof):
        dpop.verify(token(b'{"typ":"\xff"}', b"{}", KEY), method="POST", addresses=frozenset(), now=NOW)


PROVIDER = SamlProvider()
METADATA = saml_metadata.read(PROVIDER.metadata())
RESPONSE = etree.fromstring(PROVIDER.unsigned({f"{ATTRIBUTES}Role": ["a,b"]}, issued=NOW).encode())


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Draw a SAML response whose elements hold other attributes, texts and elements, signed or not, with a few bytes edited."""
    root = etree.fromstring(etree.tostring(RESPONSE))
    for element in draw(st.lists(st.sampled_from(range(len(list(root.iter())))), max_size=3)):
        found = list(root.iter())[min(element, len(list(root.iter())) - 1)]
        match draw(st.sampled_from(["text", "attribute", "double", "remove"])):
            case "text":
                found.text = draw(st.sampled_from(["", "x", "0001-01-01T00:00:00+14:00", "9" * 40]))
            case "attribute" if found.attrib:
                name = draw(st.sampled_from(sorted(found.attrib)))
                found.set(name, draw(st.sampled_from(["", "x", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])))
            case "double" if found.getparent() is not None:
                found.append(etree.fromstring(etree.tostring(found)))
            case "remove" if found.getparent() is not None:
                found.getparent().remove(found)
            case _:
                found.tag = "other"
    if root.get("ID") and draw(st.booleans()):
        root = PROVIDER._signed(root)
    return draw(edited(etree.tostring(root)))


@given(responses())
def test_a_hostile_assertion_is_refused_as_such(response: bytes) -> None:
    with suppress(saml_assertions.InvalidAssertion):
        text = base64.b64encode(response).decode()
        found = saml_assertions.verify(text, METADATA, audiences=(AUDIENCE,), now=NOW)
        assert (found.tags, found.roles) is not None
        assert found.session_name


@given(edited(PROVIDER.metadata(validUntil="2030-01-01T00:00:00Z").encode()))
def test_hostile_saml_metadata_is_refused_as_such(document: bytes) -> None:
    with suppress(saml_metadata.UnusableMetadata):
        saml_metadata.read(document.decode("utf-8", "surrogateescape"))


PARTY = RelyingParty("crownkeep.example", "Crownkeep", frozenset({"https://crownkeep.example"}))
FORMATS = ("packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "none", "other")
STATEMENT = {"alg": -7, "sig": b"s", "x5c": [CERTIFIED.der], "ver": "2.0", "certInfo": b"c", "pubArea": b"p", "response": b"r"}


def attested(fmt: str, statement: dict[Any, Any], key: dict[Any, Any]) -> dict[str, Any]:
    """Make a registration whose attestation holds whatever is given."""
    device = SoftAuthenticator()
    answer = device.register(bytes(32))
    data = bytearray(device.authenticator_data(0x05, b""))
    data[32] |= 0x40  # A credential follows, whatever it is: no model, an id of one byte, and a key.
    attestation = {"fmt": fmt, "attStmt": statement, "authData": bytes(data) + bytes(16) + b"\0\x01c" + cbor.encode(key)}
    answer["response"]["attestationObject"] = websafe_encode(cbor.encode(attestation))
    return answer


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_attestation_whose_certificate_lacks_what_its_format_wants_is_refused_as_such(fmt: str) -> None:
    key = ES256.from_cryptography_key(KEY.public_key())

    with suppress(webauthn.WebauthnRefused):
        assert fmt == webauthn.register(PARTY, attested(fmt, STATEMENT, key), challenge=bytes(32)).attestation_format


@given(fmt=st.sampled_from(FORMATS), statement=changed(STATEMENT, cbor_values), key=changed({1: 2, 3: -7, -1: 1}, cbor_values))
def test_a_hostile_attestation_is_refused_as_such(fmt: str, statement: dict[Any, Any], key: dict[Any, Any]) -> None:
    with suppress(webauthn.WebauthnRefused):
        webauthn.register(PARTY, attested(fmt, statement, key), challenge=bytes(32))


@given(st.data())
def test_hostile_answers_of_a_browser_are_refused_as_such(data: st.DataObject) -> None:
    device = SoftAuthenticator()
    passkey = webauthn.register(PARTY, device.register(bytes(32)), challenge=bytes(32))
    registration = data.draw(changed(device.register(bytes(32))))
    sign_in = data.draw(changed(device.authenticate(bytes(32))))

    with suppress(webauthn.WebauthnRefused):
        webauthn.register(PARTY, registration, challenge=bytes(32))
    with suppress(webauthn.WebauthnRefused):
        webauthn.authenticate(PARTY, sign_in, [passkey], challenge=bytes(32), handle=b"handle")


ROOT = certify("root")
SIGNER = certify("signer", ROOT)
BLOB = metadata_blob(SIGNER)


@given(header=changed({"alg": "ES256", "x5c": [base64.b64encode(SIGNER.der).decode()]}), payload=json_values | st.none())
def test_a_hostile_metadata_blob_is_refused_as_such(header: dict[str, Any], payload: object) -> None:
    given_payload = base64.urlsafe_b64decode(BLOB.split(b".")[1] + b"==") if payload is None else json_text(payload)
    with suppress(fido_metadata.MalformedMetadata):
        fido_metadata.read_blob(token(json_text(header), given_payload, SIGNER.key).encode(), trust_root=ROOT.der, now=NOW)


@given(edited(BLOB), edited(ROOT.der))
def test_a_damaged_metadata_blob_or_root_is_refused_as_such(blob: bytes, root: bytes) -> None:
    for read in (lambda: fido_metadata.read_blob(blob, trust_root=root), lambda: fido_metadata.read_root(root)):
        with suppress(fido_metadata.MalformedMetadata):
            read()


RSA_KEY = rsa.generate_private_key(65537, 2048)
PKCS8 = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def armoured(kind: str, der: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----"


@given(edited(CERTIFIED.der), edited(KEY.private_bytes(*PKCS8)))
def test_a_hostile_certificate_or_key_is_refused_as_such(der: bytes, private: bytes) -> None:
    pem = armoured("CERTIFICATE", der)
    good = certificates.read(armoured("CERTIFICATE", CERTIFIED.der))

    with suppress(certificates.UnreadableCertificate, certificates.BrokenChain):
        found = certificates.read(pem)
        certificates.check_chain(found, certificates.read_chain(pem + "\n" + pem))
    with suppress(certificates.UnreadableKey):
        certificates.is_key_of(good, Secret(armoured("PRIVATE KEY", private)))


@given(edited(RSA_KEY.public_key().public_bytes(*SPKI)), st.binary(max_size=40), st.text(max_size=20))
def test_a_hostile_ssh_key_is_refused_as_such(der: bytes, body: bytes, comment: str) -> None:
    wire = base64.b64encode(b"\0\0\0\x07ssh-rsa" + body).decode()
    line = f"ssh-rsa {wire} {comment}"

    for text in (armoured("PUBLIC KEY", der), armoured("RSA PUBLIC KEY", der), line, comment):
        with suppress(ssh_keys.UnknownEncoding, ssh_keys.InvalidKey):
            ssh_keys.read(text)


RING = Keyring([sealing.mint_key(os.urandom(32), made=NOW.date())])
KEY_ID = access_keys.mint(access_keys.KeyPrefix.TEMPORARY, "123456789012", bytes(access_keys.ID_ENTROPY))
WIRE = [b"secret", 2, "AROA", "name", "/", SECONDS, 900, "session", ["serial", SECONDS], "", 0, "", [], [], {}, [], "", "", {}]


@given(st.lists(st.tuples(st.integers(0, len(WIRE) + 4), cbor_values), max_size=3), st.sampled_from([b"\0", b"\1", b"\2", b""]))
def test_a_hostile_session_is_refused_as_such(changes: list[tuple[int, Any]], head: bytes) -> None:
    wire: list[Any] = [*WIRE, "", "", "", 0, [2, "123456789012", "AROA", "", "/", "", [SECONDS, 9, "", "", "", "", ""]]]
    for place, value in changes:
        wire[min(place, len(wire) - 1)] = value
    body = head + msgspec.msgpack.encode(wire)
    context = sealing.context_of(KEY_ID)
    blob = sealing.seal(RING, body, purpose=Purpose.SESSION_TOKEN, context=context, nonce=bytes(sealing.NONCE_SIZE))

    with suppress(session_tokens.InvalidToken):
        session_tokens.read(RING, base64.b64encode(blob).decode(), access_key_id=KEY_ID)


@given(edited(base64.b64encode(bytes(80))), st.text(max_size=30))
def test_a_hostile_blob_token_or_id_is_refused_as_such(blob: bytes, text: str) -> None:
    with suppress(sealing.Unsealable):
        sealing.unseal(RING, blob, purpose=Purpose.COOKIE, context=b"")
    with suppress(session_tokens.InvalidToken):
        session_tokens.read(RING, text, access_key_id=KEY_ID)
    with suppress(one_time_links.InvalidLink):
        one_time_links.digest_of(text, one_time_links.LinkPurpose.RESET_ROOT_PASSWORD)
    assert access_keys.account_of(text) is None
    assert len(nt_hashes.nt_hash(text)) == 16
    assert isinstance(recovery_codes.canonical(text), str)


PHC = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@given(edited(PHC.encode()))
def test_a_damaged_password_hash_is_refused_as_such(stored: bytes) -> None:
    text = stored.decode("latin-1")
    with suppress(passwords.MalformedHash):
        if len(text.partition(",p=")[0]) <= len(PHC.partition(",p=")[0]):
            passwords.verify(Secret("password"), text)
        passwords.salt_of(text)


@given(st.text(max_size=90), edited(base64.b32encode(bytes(20))), st.text(max_size=8))
def test_a_hostile_seed_or_code_is_refused_as_such(text: str, seed: bytes, code: str) -> None:
    for spelled in (text, seed.decode("latin-1")):
        with suppress(ValueError):
            totp.read_seed(spelled)
    with suppress(totp.CodeRefused):
        totp.verify(bytes(20), totp.DeviceState(), code, now=NOW + timedelta(seconds=len(text)))


@given(edited(breached.header(2) + bytes(16)), st.lists(edited(b"0" * 40 + b":12"), max_size=4))
def test_a_hostile_list_or_index_of_passwords_is_refused_as_such(index: bytes, lines: list[bytes]) -> None:
    with suppress(breached.MalformedIndex):
        assert (Secret("password") in breached.BreachedPasswords(index)) in (True, False)
    for kind in breached.BreachListKind:
        with suppress(breached.MalformedList):
            list(breached.entries(lines, kind=kind))
    list(breached.plain_entries(lines))
    assert all(breached.kind_of(line) in (None, *breached.BreachListKind) for line in lines)


@given(st.lists(edited(b"aws AKIAQ222222222222222 " + b"s" * 40), max_size=30))
def test_any_text_is_searched_for_keys(lines: list[bytes]) -> None:
    found = list(leaked_keys.sightings(("place", line) for line in lines))

    assert all(len(each.access_key_id) == 20 for each in found)
