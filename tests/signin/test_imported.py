"""What the operator has imported, in use by a running server: hardware tokens, and FIDO metadata that judges security keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AuthenticatorData
from tests.credentials.mds import certify, metadata_blob
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.signin.people import choose_root_password, code, sign_in_events, sign_in_root
from tests.signin.test_factors import challenge, give, key

from crownkeep.credentials.totp import seed_text
from crownkeep.domain.credentials.passkeys import METADATA_FILE, METADATA_ROOT_FILE

SEED = bytes(range(20))
PUBLISHER, VENDOR = certify("publisher"), certify("vendor")
BATCH = certify("batch", VENDOR)


@pytest.fixture
def account(crown: Crown) -> Account:
    """An account that was given one hardware token."""
    made = crown.account()
    tokens = [{"serial_number": f"GAHT{made.id}", "seed": seed_text(SEED).reveal()}]
    answer = crown.operator("POST", f"/accounts/{made.id}/mfa-tokens", {"tokens": tokens})
    assert (200, {"imported": 1, "unchanged": 0}) == (answer.status, answer.json()), answer.text
    return made


def test_root_signs_in_for_the_first_time_with_a_hardware_token_and_again_with_its_codes(crown: Crown, account: Account):
    browser, again = Browser(crown), Browser(crown)
    choose_root_password(browser, account)

    codes = {"serial": f"gaht{account.id}", "code1": code(SEED, ahead=-1), "code2": code(SEED)}
    page = browser.submit({**codes, "token": "1"}, form="Hardware TOTP token")
    sign_in_root(again, account)
    again.submit({"code": code(SEED, ahead=1)})

    assert ("Recovery codes", "Console home") == (page.title, again.get("/console").title)
    login = sign_in_events(account, "ConsoleLogin")[0]["additionalEventData"]
    assert (f"GAHT{account.id}", "Yes") == (login["MFAIdentifier"], login["MFAUsed"])


def test_a_hardware_token_that_nobody_was_given_is_refused(crown: Crown, account: Account):
    browser = Browser(crown)
    choose_root_password(browser, account)

    codes = {"serial": "GAHT00000000", "code1": code(SEED, ahead=-1), "code2": code(SEED)}
    page = browser.submit({**codes, "token": "1"}, form="Hardware TOTP token")

    assert (403, "Register an MFA device") == (page.status, page.title)


def test_a_hardware_token_is_enabled_by_a_client_and_comes_back_when_it_is_taken_away(account: Account):
    account.user("bob")
    iam = account.client("iam")
    named = {"UserName": "bob", "SerialNumber": f"GAHT{account.id}"}

    iam.enable_mfa_device(**named, AuthenticationCode1=code(SEED, ahead=-1), AuthenticationCode2=code(SEED))
    (listed,) = iam.list_mfa_devices(UserName="bob")["MFADevices"]
    iam.deactivate_mfa_device(**named)
    iam.enable_mfa_device(**named, AuthenticationCode1=code(SEED, ahead=-1), AuthenticationCode2=code(SEED))

    assert f"GAHT{account.id}" == listed["SerialNumber"]


def test_the_seeds_of_hardware_tokens_are_in_no_record(crown: Crown, account: Account):
    (imported,) = [each for each in account.records() if each["eventName"] == "ImportMfaTokens"]

    assert seed_text(SEED).reveal() not in json.dumps(imported)
    expected = {"serial_number": f"GAHT{account.id}", "seed": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert [expected] == imported["requestParameters"]["tokens"]


def test_a_security_key_is_judged_by_metadata_that_came_while_the_server_ran(fresh_crown: Any):
    crown = fresh_crown()
    account, browser = crown.account(), Browser(crown)
    choose_root_password(browser, account)
    install(crown, {"status": "USER_KEY_REMOTE_COMPROMISE"})
    refused = give(browser, attested(key(aaguid=b"\x0a" * 16), challenge(browser.page)), name="broken")
    install(crown, {"status": "FIDO_CERTIFIED_L2"})

    page = give(browser, attested(key(aaguid=b"\x0a" * 16), challenge(browser.page)), name="good")

    assert (403, "Recovery codes") == (refused.status, page.title)
    (device,) = account.root("iam").list_mfa_devices()["MFADevices"]
    assert {"FIDO": "L2"} == account.root("iam").get_mfa_device(SerialNumber=device["SerialNumber"])["Certifications"]


def test_a_deny_that_asks_for_a_security_keys_certification_holds_for_passkeys(fresh_crown: Any):
    crown = fresh_crown()
    organization = Organization(crown)
    account, browser = organization.invited(), Browser(crown)
    condition = {"StringEquals": {"iam:RegisterSecurityKey": "Activate"}, "StringNotEquals": {"iam:FIDO-certification": "L2"}}
    organization.bind(deny("iam:EnableMFADevice", **condition), account.id)
    choose_root_password(browser, account)
    install(crown, {"status": "FIDO_CERTIFIED_L1"})
    refused = give(browser, attested(key(aaguid=b"\x0a" * 16), challenge(browser.page)), name="weak")
    install(crown, {"status": "FIDO_CERTIFIED_L2"})

    page = give(browser, attested(key(aaguid=b"\x0a" * 16), challenge(browser.page)), name="good")

    assert (403, "Recovery codes") == (refused.status, page.title)
    assert "with an explicit deny in a service control policy" in refused.text


def install(crown: Crown, status: dict[str, Any]) -> None:
    """Install metadata of one model, which has this status."""
    folder = crown.settings.data_directory
    (folder / f".{METADATA_ROOT_FILE}.new").write_bytes(PUBLISHER.der)
    blob = metadata_blob(certify("signer", PUBLISHER), vendor=VENDOR, statuses=[status])
    (folder / f".{METADATA_FILE}.new").write_bytes(blob)
    answer = crown.operator("POST", "/fido-metadata/install", {})
    assert answer.status == 200, answer.text


def attested(device: SoftAuthenticator, put: bytes) -> dict[str, Any]:
    """A registration whose statement is signed by the vendor's batch certificate, as hardware keys do."""
    answer = device.register(put)
    client_data = device.client_data("webauthn.create", put)
    data = AuthenticatorData(bytes(AttestationObject(websafe_decode(answer["response"]["attestationObject"])).auth_data))
    statement = {"alg": -7, "sig": BATCH.key.sign(data + client_data.hash, ec.ECDSA(hashes.SHA256())), "x5c": [BATCH.der]}
    answer["response"]["attestationObject"] = websafe_encode(AttestationObject.create("packed", data, statement))
    return answer
