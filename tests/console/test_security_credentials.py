"""My security credentials: keys, devices, certificates, SSH keys, service credentials and sessions of root and of users."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from playwright.sync_api import Page, expect
from tests.console.members import ADMINISTRATOR, MARKUP, NOTHING, Served, administrator, member
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.process import Process
from tests.signin.people import code, enrol_app, root_with_app, sign_in_events

from crownkeep import clock
from crownkeep.credentials.totp import seed_text
from crownkeep.signin.sessions import FRESH_FOR

Visit = Callable[..., Page]
Faults = Callable[[Page], list[str]]
PATH = "/console/security"
NEW_KEY = f"{PATH}/new-key"
KEYS = f"{PATH}/keys"
PAGES = [
    PATH,
    NEW_KEY,
    f"{PATH}/upload/ssh",
    f"{PATH}/upload/certificate",
    f"{PATH}/upload/service",
    "/console/sessions",
    "/console/recovery-codes",
    "/console/password",
]
FORMS = [
    NEW_KEY,
    KEYS,
    f"{PATH}/upload/ssh",
    f"{PATH}/upload/certificate",
    f"{PATH}/upload/service",
    f"{PATH}/change/ssh",
    f"{PATH}/change/certificate",
    f"{PATH}/change/service",
    "/console/mfa/add",
    "/console/mfa/app",
    "/console/mfa/remove",
    "/console/mfa/resync",
    "/console/recovery-codes",
    "/console/sessions",
    "/console/password",
]


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def ssh_key(private_key: rsa.RSAPrivateKey) -> str:
    return private_key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


@pytest.fixture
def certificate(private_key: rsa.RSAPrivateKey) -> str:
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MARKUP[:60])]), datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(private_key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def name_of(account: Account) -> str:
    return str(account.client("account").get_account_information()["AccountName"])


def csrf(browser: Browser, path: str = PATH) -> str:
    browser.get(path)
    return browser.page.form("csrf")[1]["csrf"]


def event_of(browser: Browser) -> str:
    found = re.search(r"trail is ([0-9a-f-]{36})", browser.page.text)
    assert found, browser.page.text
    return found[1]


def keys_of(account: Account, name: str = "carol") -> dict[str, str]:
    found = account.client("iam").list_access_keys(UserName=name)["AccessKeyMetadata"]
    return {each["AccessKeyId"]: each["Status"] for each in found}


def test_a_user_makes_a_key_and_turns_it_off_and_on_and_deletes_it(crown: Crown):
    account, browser = administrator(crown)
    (other,) = keys_of(account)
    browser.get(NEW_KEY)
    browser.submit(form="Create access key")
    shown = browser.page.text
    (made,) = set(keys_of(account)) - {other}
    statuses = []

    for button in ("Deactivate", "Activate", "Deactivate"):
        browser.get(PATH)
        browser.submit({"key": made}, form=f">{button}<")
        statuses.append(keys_of(account)[made])
    browser.submit({"key": made, "typed": made}, form=">Delete<")

    assert re.search(rf"Access key {made} Secret access key \S{{40}}", shown)
    assert ["Inactive", "Active", "Inactive"] == statuses
    assert {other} == set(keys_of(account))
    assert event_of(browser) == next(each["eventID"] for each in account.records() if each["eventName"] == "DeleteAccessKey")


def test_a_key_that_was_shown_once_is_on_no_later_page(crown: Crown):
    _, browser = administrator(crown)
    browser.get(NEW_KEY)
    browser.submit(form="Create access key")
    found = re.search(r"Secret access key (\S{40})", browser.page.text)
    assert found

    pages = [browser.get(path).response.text for path in (PATH, NEW_KEY)]

    assert all(found[1] not in text for text in pages)


def test_root_gets_a_key_only_after_its_account_s_name(crown: Crown):
    account, root, _ = root_with_app(crown)
    before = len(account.root("iam").list_access_keys()["AccessKeyMetadata"])
    root.get(NEW_KEY)

    warned = root.page.text
    wrong = root.submit({"name": "not it"}, form="Create a key of root")
    after_wrong = len(account.root("iam").list_access_keys()["AccessKeyMetadata"])
    made = root.submit({"name": name_of(account)}, form="Create a key of root")

    assert "No policy limits it" in warned
    assert (400, before) == (wrong.status, after_wrong)
    assert "Secret access key" in made.text
    assert before + 1 == len(account.root("iam").list_access_keys()["AccessKeyMetadata"])


def test_root_turns_its_key_off_with_one_click_and_deletes_it(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get(PATH)

    off = root.submit(form=">Deactivate<")
    asked = root.submit(form=">Delete<")
    key = re.search(r"Type (AKIA\w+) to confirm", asked.text)
    assert key is not None, asked.text
    gone = root.submit({"typed": key[1]}, form=">Delete access key<")

    assert "Activate" in off.text
    assert "There are none, as it should be" in gone.text
    assert ["DeleteAccessKey", "UpdateAccessKey"] == [
        each["eventName"]
        for each in account.records()
        if each["eventName"].endswith("AccessKey") and each["userIdentity"].get("type") == "Root"
    ]


def test_an_unattended_browser_no_key_is_made_or_activated_without_a_fresh_proof(crown: Crown):
    account, browser = administrator(crown)
    (key,) = keys_of(account)
    account.client("iam").update_access_key(UserName="carol", AccessKeyId=key, Status="Inactive")
    token = csrf(browser)

    with time_machine.travel(clock.now() + FRESH_FOR + timedelta(seconds=1)):
        made = browser.post(NEW_KEY, {"csrf": token})
        activated = browser.post(KEYS, {"csrf": token, "key": key, "to": "Active"})
        uploaded = browser.post(f"{PATH}/upload/ssh", {"csrf": token, "body": "ssh-rsa AAAA"})
        deleted = browser.post(KEYS, {"csrf": token, "key": key, "to": "Deleted", "typed": key})

    assert {"Confirm that it is you"} == {made.title, activated.title, uploaded.title}
    assert "iam:DeleteAccessKey" in deleted.text
    assert {} == keys_of(account)


def test_mass_assignment_nobody_changes_another_user_s_key_by_adding_fields(crown: Crown):
    account, browser = administrator(crown)
    account.user("dave")
    (other,) = keys_of(account, "dave")

    browser.post(
        KEYS, {"csrf": csrf(browser), "key": other, "to": "Deleted", "typed": other, "UserName": "dave", "user_name": "dave"}
    )

    assert browser.page.status == 403
    assert {other: "Active"} == keys_of(account, "dave")


def test_a_user_s_ssh_key_is_uploaded_turned_off_and_deleted(crown: Crown, ssh_key: str):
    account, browser = administrator(crown)
    browser.get(f"{PATH}/upload/ssh")
    browser.submit({"body": ssh_key}, form='name="body"')
    (kept,) = account.client("iam").list_ssh_public_keys(UserName="carol")["SSHPublicKeys"]

    off = browser.submit(form=kept["SSHPublicKeyId"])
    browser.submit({"to": "Deleted", "typed": kept["SSHPublicKeyId"]}, form=kept["SSHPublicKeyId"])

    assert "iam:UpdateSSHPublicKey" in off.text
    assert [] == account.client("iam").list_ssh_public_keys(UserName="carol")["SSHPublicKeys"]


def test_a_private_key_that_is_pasted_by_mistake_reaches_neither_the_trail_nor_a_page(
    crown: Crown, private_key: rsa.RSAPrivateKey
):
    account, browser = administrator(crown)
    body = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
    browser.get(f"{PATH}/upload/ssh")

    browser.submit({"body": body}, form='name="body"')

    assert browser.page.status == 400
    assert "That is a private key" in browser.page.text
    assert body[80:120] not in browser.page.response.text
    assert "UploadSSHPublicKey" not in {each["eventName"] for each in account.records()}


@pytest.mark.parametrize("kind", ["ssh", "certificate"])
def test_injection_what_is_refused_comes_back_as_text(crown: Crown, kind: str):
    _, browser = administrator(crown)
    browser.get(f"{PATH}/upload/{kind}")

    browser.submit({"body": f"</textarea>{MARKUP}"}, form='name="body"')

    assert browser.page.status == 403
    assert "<img src=x" not in browser.page.response.text
    assert browser.page.response.text.count("</textarea>") == 1


def test_a_signing_certificate_is_uploaded_by_root_too_and_deleted(crown: Crown, certificate: str):
    account, root, _ = root_with_app(crown)
    root.get(f"{PATH}/upload/certificate")

    root.submit({"body": certificate}, form='name="body"')
    (kept,) = account.root("iam").list_signing_certificates()["Certificates"]
    root.submit({"to": "Inactive"}, form=kept["CertificateId"])
    page = root.submit({"to": "Deleted", "typed": kept["CertificateId"]}, form=kept["CertificateId"])

    assert "iam:DeleteSigningCertificate" in page.text
    assert [] == account.root("iam").list_signing_certificates()["Certificates"]


def test_a_service_credential_s_secret_is_shown_once_and_again_only_after_a_reset(crown: Crown):
    account, browser = administrator(crown)
    browser.get(f"{PATH}/upload/service")
    made = browser.submit({"service": "codecommit.amazonaws.com"}, form='name="service"')
    (kept,) = account.client("iam").list_service_specific_credentials(UserName="carol")["ServiceSpecificCredentials"]

    listed = browser.get(PATH)
    reset = browser.submit({"to": "Reset"}, form=kept["ServiceSpecificCredentialId"])

    secret = re.search(r"User name (\S+) Password (\S+)", made.text)
    assert secret
    assert (kept["ServiceUserName"], True) == (secret[1], secret[1] in listed.text)
    assert secret[2] not in listed.response.text
    assert secret[2] not in reset.response.text
    assert "Password" in reset.text


def test_a_device_is_resynchronised_by_two_codes_and_not_by_wrong_ones(crown: Crown):
    account, root, seed = root_with_app(crown)
    root.get(PATH)
    path = re.search(r'href="(/console/mfa/resync[^"]*)"', root.page.response.text)
    assert path
    root.get(path[1].replace("&amp;", "&"))

    wrong = root.submit({"code1": "000000", "code2": "000001"}, form="code1")
    later = clock.now() + timedelta(minutes=4)
    with time_machine.travel(later):
        right = root.submit({"code1": code(seed, now=later), "code2": code(seed, ahead=1, now=later)}, form="code1")

    assert (403, True) == (wrong.status, "Authentication code for device is not valid" in wrong.text)
    assert "iam:ResyncMFADevice" in right.text
    assert "ResyncMFADevice" in {each["eventName"] for each in account.records()}


def test_a_device_is_added_and_removed_with_the_events_named(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get("/console/mfa/add")
    enrol_app(root, "second")
    added, added_event = root.page.text, event_of(root)

    root.submit(form="mfa/second")

    assert "iam:EnableMFADevice" in added
    assert added_event in {each["eventID"] for each in account.records() if each["eventName"] == "EnableMFADevice"}
    assert "iam:DeactivateMFADevice" in root.page.text
    assert "iam:DeleteVirtualMFADevice" in root.page.text
    assert 1 == len(account.root("iam").list_mfa_devices()["MFADevices"])


def test_a_hardware_token_is_registered_by_its_serial_number_and_can_be_resynchronised(crown: Crown):
    account, root, _ = root_with_app(crown)
    seed = b"hardware-token-seed!"
    tokens = [{"serial_number": f"GAHT{account.id}", "seed": seed_text(seed).reveal()}]
    crown.operator("POST", f"/accounts/{account.id}/mfa-tokens", {"tokens": tokens})
    root.get("/console/mfa/add")

    codes = {"code1": code(seed, ahead=-1), "code2": code(seed)}
    page = root.submit({"serial": f"gaht{account.id}", **codes, "token": "1"}, form="Hardware TOTP token")

    assert f"Hardware TOTP token GAHT{account.id}" in page.text
    assert "iam:EnableMFADevice" in page.text
    assert f"serial=GAHT{account.id}" in page.response.text


def test_an_ended_session_is_told_with_its_event(crown: Crown):
    account = crown.account()
    here = member(account, arn=ADMINISTRATOR)
    there = Browser(crown)
    there.get(f"/signin/{account.id}")
    there.submit({"account": account.id, "name": "carol", "password": "correct Horse battery 9"})
    here.get("/console/sessions")

    here.submit(form="End<")

    (record,) = sign_in_events(account, "EndSession")
    assert event_of(here) == record["eventID"]
    assert "Sign in" == there.get("/console").title


def test_injection_a_browser_s_name_is_shown_as_text_among_the_sessions(crown: Crown):
    account = crown.account()
    here = member(account, arn=ADMINISTRATOR)
    hostile = Browser(crown, agent=MARKUP)
    hostile.get(f"/signin/{account.id}")
    hostile.submit({"account": account.id, "name": "carol", "password": "correct Horse battery 9"})

    shown = here.get("/console/sessions").response.text

    assert "<img src=x" not in shown
    assert "&lt;img src=x" in shown


def test_injection_a_serial_number_in_the_address_is_shown_as_text(crown: Crown):
    _, root, _ = root_with_app(crown)

    root.get(f"/console/mfa/resync?serial={quote(MARKUP)}")

    assert "<img src=x" not in root.page.response.text
    assert "&lt;img src=x" in root.page.response.text


def test_recovery_codes_are_told_with_their_event(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get("/console/recovery-codes")

    root.submit(form="Make recovery codes")

    assert event_of(root) == sign_in_events(account, "RecoveryCodesCreated")[0]["eventID"]


def test_a_denial_names_the_missing_permission_in_the_place_of_each_part(crown: Crown):
    account = crown.account()
    browser = member(account, policy=NOTHING)

    browser.get(PATH)

    assert browser.page.status == 200
    for action in ("MFADevices", "AccessKeys", "SigningCertificates", "SSHPublicKeys", "ServiceSpecificCredentials"):
        assert f"This needs the permission iam:List{action}" in browser.page.text


def test_a_change_that_is_denied_names_the_permission(crown: Crown):
    account = crown.account()
    browser = member(account, policy=NOTHING)
    (key,) = keys_of(account)
    token = csrf(browser, NEW_KEY)

    made = browser.post(NEW_KEY, {"csrf": token})
    deleted = browser.post(KEYS, {"csrf": token, "key": key, "to": "Deleted", "typed": key})

    assert (403, 403) == (made.status, deleted.status)
    assert "This needs the permission iam:CreateAccessKey" in made.text
    assert "This needs the permission iam:DeleteAccessKey" in deleted.text
    assert {key: "Active"} == keys_of(account)


@pytest.mark.parametrize("path", FORMS)
def test_csrf_a_form_without_the_session_s_token_is_refused(crown: Crown, path: str):
    account, browser = administrator(crown)
    before = keys_of(account)

    browser.post(path, {"key": next(iter(before)), "to": "Deleted", "others": "1", "name": "x", "app": "1"})

    assert browser.page.status == 403
    assert before == keys_of(account)


def test_a_person_acting_as_a_role_has_no_credentials_here(crown: Crown):
    account, browser = administrator(crown)
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.id}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": trusted})
    account.client("iam").create_role(RoleName="helper", AssumeRolePolicyDocument=trust)
    account.client("iam").attach_role_policy(RoleName="helper", PolicyArn=ADMINISTRATOR)
    token = csrf(browser)
    browser.get("/switchrole")
    browser.submit({"account": account.id, "roleName": "helper"}, form='value="switch"')

    shown = browser.get(PATH)
    made = browser.post(NEW_KEY, {"csrf": token})

    assert "You act as a role" in shown.text
    assert made.status == 400


def test_the_pages_of_credentials_have_no_serious_barrier_and_fit_the_screen(
    visit: Visit, served: Process, faults: Faults, overflow: Faults, ssh_key: str
):
    page, account = visit(), Served(served)
    account.enter(page)
    account.iam.create_access_key(UserName="carol")
    account.iam.upload_ssh_public_key(UserName="carol", SSHPublicKeyBody=ssh_key)
    account.iam.create_service_specific_credential(UserName="carol", ServiceName="bedrock.amazonaws.com")
    found = []

    for path in PAGES:
        page.goto(path)
        found += overflow(page) + [f"{path}: {fault}" for fault in faults(page)]

    assert not found, "\n".join(found)


def test_a_person_makes_and_retires_a_key_without_javascript(visit: Visit, served: Process):
    page, account = visit(java_script_enabled=False), Served(served)
    account.enter(page)
    page.goto(PATH)

    page.get_by_role("link", name="Create access key").click()
    page.get_by_role("button", name="Create access key").click()
    key = page.locator(".secret").first.inner_text()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name=f"Deactivate {key}").click()
    page.get_by_role("button", name=f"Delete {key}").click()
    page.get_by_label(f"Type {key} to confirm").fill(key)
    page.get_by_role("button", name="Delete access key").click()

    expect(page.get_by_text("No access keys")).to_be_visible()
    assert [] == account.iam.list_access_keys(UserName="carol")["AccessKeyMetadata"]
