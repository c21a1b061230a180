"""Passkeys, recovery codes and sessions of one's own: one rule with every other device, every policy decides, all is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import deny
from tests.services.account_security.test_one_door import joined, recorded
from tests.services.iam.asking import allow, enrol, refusal
from tests.signin import browser as federating
from tests.signin.people import enrol_app, root_with_app, sign_in_root, sign_in_user, user_with_password
from tests.signin.test_factors import challenge, give, key, made_codes
from tests.signin.test_federation import exchange, login

NEEDS_MFA = "please ensure that you are authenticated with an MFA device"
ADD, CODES, SESSIONS = "/console/mfa/add", "/console/recovery-codes", "/console/sessions"
PASSKEY = {
    "UserName": "bob",
    "SerialNumber": f"arn:aws:iam::123456789012:u2f/user/bob/key-{'A' * 26}",
    "Credential": "{}",
    "Challenge": bytes(32),
    "RelyingParty": {"Id": "localhost", "Name": "Crownkeep", "Origin": "http://localhost:4747"},
}
ACTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "RegisterPasskey": ("iam:EnableMFADevice", PASSKEY, "EnableMFADevice"),
    "CreateRecoveryCodes": ("account-security:CreateRecoveryCodes", {}, "RecoveryCodesCreated"),
    "ListSessions": ("account-security:ListSessions", {}, "ListSessions"),
    "EndSession": ("account-security:EndSession", {"SessionId": "0" * 32}, "EndSession"),
    "EndOtherSessions": ("account-security:EndOtherSessions", {}, "EndOtherSessions"),
}
"""By operation: the action that policies name, parameters, and how the trail names it."""


def call(account: Any, operation: str) -> str:
    """Call an operation by a key and return its refusal."""
    spelled = "".join(f"_{each.lower()}" if each.isupper() else each for each in operation).lstrip("_")
    return refusal(getattr(account.client("account-security"), spelled), **ACTS[operation][1])


def add_passkey(browser: Browser, name: str = "key") -> Page:
    """Register a new passkey on the console's page."""
    browser.get(ADD)
    return give(browser, key().register(challenge(browser.page)), name=name)


def add_app(browser: Browser, name: str) -> Page:
    """Register an authenticator app on the console's page."""
    browser.get(ADD)
    enrol_app(browser, name)
    return browser.page


def signed_in(account: Account, name: str = "bob") -> Browser:
    browser = Browser(account.crown)
    assert "Console home" == sign_in_user(browser, account.id, name).title
    return browser


def serials(account: Account) -> list[str]:
    return [each["SerialNumber"] for each in account.root("iam").list_mfa_devices()["MFADevices"]]


@pytest.mark.parametrize("add", [add_passkey, add_app])
def test_a_quota_of_one_device_holds_for_devices_of_every_kind(crown: Crown, add: Any):
    account, root, _ = root_with_app(crown)
    crown.operator("PUT", f"/accounts/{account.id}/quotas/MFADevicesPerUserQuota", {"value": 1})

    page = add(root, "second")

    assert "Cannot exceed quota for MFADevicesPerUser: 1" in page.text
    assert 1 == len(serials(account))
    assert "LimitExceeded" in recorded(account, "EnableMFADevice")[0]["errorCode"]


@pytest.mark.parametrize("add", [add_passkey, add_app])
def test_a_device_that_was_taken_away_proves_nothing_for_the_next_of_every_kind(crown: Crown, add: Any):
    account, root, _ = root_with_app(crown)
    add_passkey(root, "second")
    root.submit(form="mfa/phone")

    page = add(root, "third")

    assert "This needs the permission iam:EnableMFADevice" in page.text
    assert 1 == len(serials(account))
    assert NEEDS_MFA in recorded(account, "EnableMFADevice")[0]["errorMessage"]


@pytest.mark.parametrize("add", [add_passkey, add_app])
def test_a_recovery_code_stands_in_for_the_lost_device_when_another_is_registered(crown: Crown, add: Any):
    account, browser, _ = root_with_app(crown)
    codes = made_codes(browser)
    again = Browser(crown)
    sign_in_root(again, account)
    again.submit({"recovery": codes[0]}, form="Recovery code")

    add(again, "second")
    again.get("/console/security")
    again.submit(form="mfa/phone")

    (left,) = serials(account)
    assert "second" in left


def test_the_record_of_a_passkey_names_device_and_user_as_that_of_an_app_does(account: Account):
    user_with_password(account)
    account.client("iam").put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(allow("iam:*")))
    bob = signed_in(account)

    page = add_passkey(bob, "key")
    add_app(bob, "phone")

    assert "iam:EnableMFADevice" in page.text
    refused, passkey = recorded(account, "EnableMFADevice")
    assert refused["errorCode"].startswith("AccessDenied")
    serial = passkey["requestParameters"]["serialNumber"]
    assert serial.startswith(f"arn:aws:iam::{account.id}:u2f/user/bob/key-")
    assert ("iam.amazonaws.com", "AwsApiCall", "bob") == (
        passkey["eventSource"],
        passkey["eventType"],
        passkey["requestParameters"]["userName"],
    )
    (app,) = named_by_an_app(account)
    assert [{**app, "ARN": serial}] == passkey["resources"]


def named_by_an_app(account: Account) -> list[dict[str, str]]:
    """Return the resources in the record of an app that is enabled for the same user."""
    enrol(account.client("iam"), "bob", "by-an-administrator")
    found: list[dict[str, str]] = recorded(account, "EnableMFADevice")[0]["resources"]
    return found


def test_a_passkey_that_is_not_accepted_is_recorded(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get(ADD)

    page = give(root, key(origin="https://evil.example").register(challenge(root.page)), name="key")

    assert (403, True) == (page.status, "The passkey was not accepted" in page.text)
    record = recorded(account, "EnableMFADevice")[0]
    assert record["errorCode"].startswith("InvalidAuthenticationCode")
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" == record["requestParameters"]["credential"]


@pytest.mark.parametrize("operation", ACTS)
def test_a_stolen_key_does_none_of_it_without_the_browser(account: Account, operation: str):
    refused = call(account, operation)

    assert refused.startswith("AccessDeniedException: ")
    assert "policy" not in refused


@pytest.mark.parametrize("operation", ACTS)
def test_each_act_is_denied_by_identity_policy_and_by_service_control_policy(crown: Crown, operation: str):
    organization, account, _ = joined(crown)
    action, _, name = ACTS[operation]
    denied = {**allow("*"), "Statement": [*allow("*")["Statement"], *deny(action)["Statement"]]}
    by_identity = call(account.user("carol", policy=denied), operation)

    organization.bind(deny(action), account.id)

    assert "explicit deny in an identity-based policy" in by_identity
    assert "explicit deny in a service control policy" in call(account, operation)
    refused = [each["errorCode"] for each in recorded(account, name) if "errorCode" in each]
    assert 2 == len(refused)
    assert all(each.startswith("AccessDenied") for each in refused)


def test_the_pages_are_bound_by_the_same_denials(crown: Crown):
    organization, account, root = joined(crown)
    other = another(root)
    organization.bind(deny(*(action for action, _, _ in ACTS.values())), account.id)
    root.get(CODES)

    pages = {
        "RecoveryCodesCreated": root.submit(form="Make recovery codes"),
        "EnableMFADevice": add_passkey(root),
        "ListSessions": root.get(SESSIONS),
        "EndSession": end(root, session="0" * 32),
        "EndOtherSessions": end(root, others="1"),
    }

    assert {name: page.text for name, page in pages.items() if "This needs the permission" not in page.text} == {}
    assert {name for name in pages if "AccessDenied" not in recorded(account, name)[0].get("errorCode", "")} == set()
    assert 1 == len(serials(account))
    assert "Console home" == other.get("/console").title


def another(root: Browser) -> Browser:
    """Return a browser that holds a second cookie jar of the same session."""
    other = Browser(root.crown)
    other.cookies = dict(root.cookies)
    return other


def end(browser: Browser, **values: str) -> Page:
    """Send the form that ends sessions, whatever the page shows."""
    token = browser.get("/console/security").form("mfa/phone")[1]["csrf"]
    return browser.post(SESSIONS, {"csrf": token, **values})


def test_recovery_codes_are_in_no_record_and_their_owner_is_named(account: Account):
    user_with_password(account)
    bob = signed_in(account)
    bob.get(CODES)

    codes = made_codes(bob)

    (record,) = recorded(account, "RecoveryCodesCreated")
    assert ("signin.amazonaws.com", "AwsConsoleSignIn") == (record["eventSource"], record["eventType"])
    assert [f"arn:aws:iam::{account.id}:user/bob"] == [each["ARN"] for each in record["resources"]]
    assert not any(each in json.dumps(account.records()) for each in codes)


def test_sessions_are_ended_by_operations_and_their_person_is_named(account: Account):
    user_with_password(account)
    here, there, third = signed_in(account), signed_in(account), signed_in(account)
    here.get(SESSIONS)

    here.submit(form="End<")
    here.submit({"others": "1"}, form="End all others")

    assert ["Sign in", "Sign in"] == [each.get("/console").title for each in (there, third)]
    for name in ("EndSession", "EndOtherSessions"):
        (record,) = recorded(account, name)
        assert ("signin.amazonaws.com", "AwsConsoleSignIn") == (record["eventSource"], record["eventType"])
        assert [f"arn:aws:iam::{account.id}:user/bob"] == [each["ARN"] for each in record["resources"]]
    assert recorded(account, "ListSessions")


def test_no_policy_keeps_somebody_from_signing_out(account: Account):
    user_with_password(account)
    document = json.dumps(deny("*"))
    account.client("iam").put_user_policy(UserName="bob", PolicyName="nothing", PolicyDocument=document)
    bob = signed_in(account)
    kept = dict(bob.cookies)

    page = bob.submit(form="Sign out")
    bob.cookies = kept

    assert "You are signed out" == page.title
    assert "Sign in" == bob.get("/console").title
    assert recorded(account, "SignOut")


def test_whoever_has_switched_to_a_role_ends_their_own_sessions(account: Account):
    user_with_password(account)
    here, there = signed_in(account), signed_in(account)
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam = account.client("iam")
    iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=document)
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(allow("sts:AssumeRole")))
    here.get("/switchrole")
    here.submit({"account": account.id, "roleName": "visitor"}, form="roleName")
    here.get(SESSIONS)

    here.submit({"others": "1"}, form="End all others")

    assert "Sign in" == there.get("/console").title
    (record,) = recorded(account, "EndOtherSessions")
    assert "bob" == record["userIdentity"]["userName"]


def test_people_of_one_role_neither_see_nor_end_one_another_s_sessions(account: Account):
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    account.client("iam").create_role(RoleName="visitor", AssumeRolePolicyDocument=document)
    pages = []
    for name in ("ann", "ben"):
        role = f"arn:aws:iam::{account.id}:role/visitor"
        given = account.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        browser = federating.Browser(account.crown)
        browser.get(login(exchange(account, given).json()["SigninToken"]))
        pages.append(browser.get(SESSIONS).text)

    assert [1, 1] == [page.count('name="session"') for page in pages]
