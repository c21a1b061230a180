"""What people of single sign-on sign in with: second factors, passwords and sessions, and what ends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError, ParamValidationError
from tests.alerts.office import Mailbox, link_in
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.portal import PASSWORD, Portal
from tests.signin.people import code
from tests.signin.test_factors import INCORRECT, challenge, give, key

START = datetime(2031, 5, 5, 9, tzinfo=UTC)
MFA_PAGE = "Multi-factor authentication"
FORCED = "You must change your password to continue"
NEXT = PASSWORD.replace("7", "8")


@pytest.fixture(scope="module")
def crown(crowns: Crowns) -> Iterator[Crown]:
    """A server of this module's own: its tests travel in time."""
    started = crowns.fresh("sqlite")
    yield started
    started.close()


@pytest.fixture
def portal(crown: Crown) -> Portal:
    """A fresh instance with the rules of a new one."""
    made = Portal(crown, mfa="CONTEXT")
    with time_machine.travel(START, tick=False):
        yield made


def enrol_app(browser: Browser, name: str = "phone") -> bytes:
    """Enrol an authenticator app where the sign-in asks for one, and want no recovery codes."""
    browser.submit({"name": name, "app": "1"}, form="Set up an authenticator app")
    seed = browser.page.seed
    page = browser.submit({"code1": code(seed, ahead=-1), "code2": code(seed)})
    assert "Recovery codes" == page.title, page.text
    browser.submit({"decline": "1"})
    return seed


def enrolled(portal: Portal) -> tuple[Browser, bytes]:
    browser = Browser(portal.crown)
    page = portal.choose_password(browser)
    assert "Register an MFA device" == page.title, page.text
    return browser, enrol_app(browser)


def with_code(browser: Browser, seed: bytes, **values: str) -> Page:
    return browser.submit({"code": code(seed), **values}, form="MFA code")


def out(portal: Portal, browser: Browser) -> None:
    browser.get(portal.start)
    browser.submit({}, form="Sign out")


def device(portal: Portal) -> str:
    return str(portal.directory.list_mfa_devices_for_user(**portal.whose)["MfaDevices"][0]["DeviceId"])


def caller(portal: Portal, keys: dict[str, Any]) -> str:
    return str(portal.crown.session(keys, "sts").get_caller_identity()["Account"])


def refused(portal: Portal, keys: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        caller(portal, keys)


def later(seconds: float) -> Any:
    return time_machine.travel(START + timedelta(seconds=seconds), tick=False)


def events(portal: Portal, name: str) -> list[dict[str, Any]]:
    return [each for each in portal.sso.management.records() if each["eventName"] == name]


def test_a_new_instance_asks_for_a_device_and_then_for_its_code_in_every_browser_it_does_not_know(portal: Portal):
    _, seed = enrolled(portal)

    other = Browser(portal.crown)
    with later(60):
        assert MFA_PAGE == portal.sign_in(other).title
        assert "Accounts" == with_code(other, seed).title

    kinds = [each["additionalEventData"]["CredentialType"] for each in events(portal, "UserAuthentication")]
    assert ["PASSWORD,TOTP", "PASSWORD,TOTP"] == kinds
    assert {"TOTP"} == {each["additionalEventData"]["CredentialType"] for each in events(portal, "CredentialChallenge")}
    answer = [each["serviceEventDetails"] for each in events(portal, "CredentialVerification")]
    assert [{"CredentialVerification": "Success"}] * 2 == answer
    assert portal.ann in portal.mailbox.wait("An MFA device was registered").as_string()


def test_a_trusted_browser_is_asked_again_from_another_address_after_a_month_and_when_a_device_changes(portal: Portal):
    browser, seed = enrolled(portal)
    with later(60):
        out(portal, browser)
        assert MFA_PAGE == portal.sign_in(browser).title
        with_code(browser, seed, trust="1")
    address = browser.address
    for seconds, place, answer in ((120, address, "Accounts"), (150, "192.0.2.77", MFA_PAGE), (40 * 86_400, address, MFA_PAGE)):
        with later(seconds):
            browser.cookies = {name: value for name, value in browser.cookies.items() if "session" not in name}
            browser.address = place
            assert answer == portal.sign_in(browser).title
    stranger = Browser(portal.crown)
    with later(180):
        assert MFA_PAGE == portal.sign_in(stranger).title
        portal.directory.delete_mfa_device_for_user(**portal.whose, DeviceId=device(portal))
        assert "Register an MFA device" == portal.sign_in(browser).title


@pytest.mark.parametrize(("mode", "told"), [("ALWAYS", MFA_PAGE), ("NEVER", "Accounts")])
def test_an_instance_asks_always_or_never(portal: Portal, mode: str, told: str):
    browser, seed = enrolled(portal)
    with later(60):
        out(portal, browser)
        portal.sign_in(browser)
        with_code(browser, seed, trust="1")
        portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode=mode)
        out(portal, browser)

        assert told == portal.sign_in(browser).title


def test_people_come_without_a_device_where_the_instance_allows_it(portal: Portal):
    rules = portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, WithoutDevice="ALLOW")

    assert "Accounts" == portal.choose_password(Browser(portal.crown)).title
    assert "CONTEXT" == rules["MfaMode"]


def test_a_passkey_signs_a_person_in_and_answers_one_challenge(portal: Portal):
    browser, passkey = Browser(portal.crown), key()
    portal.choose_password(browser)
    give(browser, passkey.register(challenge(browser.page)), name="laptop")
    other = Browser(portal.crown)

    portal.sign_in(other)
    passkey.counter = 2
    answer = passkey.authenticate(challenge(other.page))
    assert "Recovery codes" == give(other, answer).title
    third = Browser(portal.crown)
    portal.sign_in(third)

    passkey.counter = 3
    assert INCORRECT in give(third, answer).text
    kinds = {each["additionalEventData"]["CredentialType"] for each in events(portal, "CredentialVerification")}
    assert {"PASSWORD", "WEBAUTHN"} == kinds


def test_a_code_of_somebody_else_and_one_used_before_are_wrong_and_make_wait(portal: Portal):
    _, seed = enrolled(portal)
    other, thief = Browser(portal.crown), Browser(portal.crown)
    portal.sign_in(other)
    with_code(other, seed)
    portal.sign_in(thief)

    assert INCORRECT in with_code(thief, seed).text
    for _ in range(9):
        page = thief.submit({"code": "000000"}, form="MFA code") if "MFA code" in thief.page.text else thief.page

    assert 429 == page.status
    assert "Failed authentication" in {each.get("errorMessage") for each in events(portal, "CredentialVerification")}


def test_a_person_makes_recovery_codes_renames_and_removes_devices_with_a_fresh_proof(portal: Portal):
    browser, seed = enrolled(portal)
    browser.get(f"{portal.start}/security")
    browser.submit({"name": "my phone"}, form="Rename")
    assert "my phone" in browser.page.text
    browser.get(f"{portal.start}/recovery-codes")
    codes = browser.submit({}, form="Make recovery codes").text
    spare = codes.split("Recovery codes ", 1)[1]
    with later(3000):
        browser.get(f"{portal.start}/security")
        assert "Confirm that it is you" == browser.submit({"remove": "1"}, form="Remove").title
        with_code(browser, seed)
        browser.get(f"{portal.start}/security")
        assert "You have no MFA device" in browser.submit({"remove": "1"}, form="Remove").text

    assert "0 of 10" not in browser.page.text
    assert spare
    assert 0 == portal.directory.list_mfa_devices_for_user(**portal.whose)["RecoveryCodesLeft"]


def test_whoever_has_the_password_alone_enrols_no_device_of_their_own(portal: Portal):
    enrolled(portal)
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")
    thief = Browser(portal.crown)
    portal.sign_in(thief)
    passkey = key()

    thief.get(f"{portal.start}/devices")
    page = give(thief, passkey.register(challenge(thief.page)), name="mine")
    codes = thief.post(f"{portal.start}/recovery-codes", {"csrf": thief.page.form("Register a passkey")[1]["csrf"], "to": "/"})

    assert "The device was not registered" in page.text
    assert 403 == codes.status
    assert 1 == len(portal.directory.list_mfa_devices_for_user(**portal.whose)["MfaDevices"])


def test_an_administrator_removes_a_device_and_whatever_was_open_ends(portal: Portal):
    browser, _ = enrolled(portal)
    keys = portal.role(portal.tokens(browser, portal.program())["accessToken"])
    assert portal.member.id == caller(portal, keys)

    portal.directory.delete_mfa_device_for_user(**portal.whose, DeviceId=device(portal))

    refused(portal, keys)
    assert "Sign in" == browser.get(portal.start).title
    assert portal.ann in portal.mailbox.wait("An administrator removed an MFA device").as_string()


def test_iam_neither_lists_nor_touches_devices_of_people(portal: Portal):
    enrolled(portal)
    iam = portal.sso.management.client("iam")

    assert [] == iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert 0 == iam.get_account_summary()["SummaryMap"]["MFADevices"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.tag_mfa_device(SerialNumber=f"arn:aws:identitystore::{portal.sso.management.id}:mfa/x", Tags=[])


# Passwords.


def test_a_password_for_once_is_changed_at_the_first_sign_in_and_none_of_the_last_three_comes_again(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")
    browser = portal.browser()
    once = portal.directory.update_password(**portal.whose, PasswordMode="OTP")["Password"]
    assert "Sign in" == browser.get(portal.start).title

    assert FORCED == portal.sign_in(browser, password=once).title
    again = browser.submit({"old": once, "new": PASSWORD, "again": PASSWORD})
    assert "previously used" in again.text
    assert "minimum length" in browser.submit({"old": once, "new": "Aa1!", "again": "Aa1!"}).text
    arrived = browser.submit({"old": once, "new": NEXT, "again": NEXT})

    assert "Accounts" == arrived.title
    assert "Accounts" == portal.sign_in(Browser(portal.crown), password=NEXT).title


def test_a_password_older_than_the_rules_say_is_changed_at_the_next_sign_in(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER", MaxPasswordAgeDays=90)
    browser = portal.browser()
    with later(89 * 86_400):
        assert "Accounts" == portal.sign_in(browser).title
    with later(91 * 86_400):
        assert FORCED == portal.sign_in(Browser(portal.crown)).title


def test_an_invitation_ends_when_the_address_changes_and_a_forgotten_password_needs_a_verified_one(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")
    portal.directory.update_password(**portal.whose, PasswordMode="EMAIL")
    link = link_in(portal.mailbox.wait("Choose a password"))
    portal.directory.update_password(**portal.whose, PasswordMode="EMAIL")
    browser = Browser(portal.crown)
    browser.get(link)
    assert "Accounts" == browser.submit({"new": PASSWORD, "again": PASSWORD}).title
    moved = [{"Value": f"new-{portal.email}", "Primary": True}]
    portal.directory.update_password(**portal.whose, PasswordMode="EMAIL")
    stale = link_in(portal.mailbox.wait("Choose a password"))
    portal.sso.people.update_user(**portal.whose, Operations=[{"AttributePath": "emails", "AttributeValue": moved}])

    assert 403 == browser.get(stale).status
    mails = portal.mailbox.subjects()
    browser.get(f"{portal.start}/password")
    browser.submit({"name": "ann"})
    assert mails == portal.mailbox.subjects()
    assert [] == Mailbox(portal.crown, f"new-{portal.email}").subjects()


def test_a_new_password_ends_what_was_taken_in_other_browsers(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")
    browser, other = portal.browser(), Browser(portal.crown)
    portal.sign_in(other)
    keys = portal.role(portal.tokens(other, portal.program())["accessToken"])

    assert "A lowercase letter" in browser.get(f"{portal.start}/change-password").text
    page = browser.submit({"old": PASSWORD, "new": NEXT, "again": NEXT})

    assert "My security" == page.title
    refused(portal, keys)
    assert "Sign in" == other.get(portal.start).title


# Sessions.


def test_a_disabled_person_is_out_at_once_and_nothing_comes_back(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")
    browser = portal.browser()
    tokens = portal.tokens(browser, portal.program())
    keys = portal.role(tokens["accessToken"])

    portal.directory.disable_user(**portal.whose)

    refused(portal, keys)
    assert "DISABLED" == portal.sso.people.describe_user(**portal.whose)["UserStatus"]
    assert INCORRECT in portal.sign_in(browser).text
    portal.directory.enable_user(**portal.whose)
    refused(portal, keys)
    with pytest.raises(ClientError, match="Unauthorized"):
        portal.role(tokens["accessToken"])
    assert "Accounts" == portal.sign_in(browser).title


def test_an_administrator_ends_every_session_of_a_person(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")
    browser = portal.browser()
    keys = portal.role(portal.tokens(browser, portal.program())["accessToken"])
    assert 1 == len(portal.directory.list_sessions_for_user(**portal.whose)["Sessions"])

    assert 1 == portal.directory.delete_sessions_for_user(**portal.whose)["EndedSessions"]

    refused(portal, keys)
    assert "Sign in" == browser.get(portal.start).title


def test_a_session_and_a_command_line_last_as_long_as_the_rules_say(portal: Portal):
    portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER", SessionDurationSeconds=900)
    browser = portal.browser()
    token = portal.tokens(browser, portal.program())["accessToken"]
    with later(899):
        assert "Accounts" == browser.get(portal.start).title
        portal.role(token)
    with later(901):
        assert "Sign in" == browser.get(portal.start).title
        with pytest.raises(ClientError, match="Unauthorized"):
            portal.role(token)
    for seconds in (899, 7_776_001):
        with pytest.raises((ParamValidationError, ClientError)):
            portal.directory.put_sign_in_rules(IdentityStoreId=portal.store, SessionDurationSeconds=seconds)


def test_a_delegated_administrator_reaches_nobody_of_the_management_account_through_devices_or_passwords(portal: Portal):
    organizations = portal.sso.management.client("organizations")
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=portal.member.id, ServicePrincipal="sso.amazonaws.com")
    delegate = portal.member.client("sso-directory")
    assert delegate.update_password(**portal.whose, PasswordMode="OTP")["Password"]
    portal.sso.assign(portal.found, portal.sso.management.id, user=portal.ann)

    for name, values in (
        ("update_password", {"PasswordMode": "OTP"}),
        ("delete_mfa_device_for_user", {"DeviceId": "0" * 32}),
        ("enable_user", {}),
    ):
        with pytest.raises(ClientError, match="management account"):
            getattr(delegate, name)(**portal.whose, **values)
    with pytest.raises(ClientError, match="management account"):
        delegate.put_sign_in_rules(IdentityStoreId=portal.store, MfaMode="NEVER")


def test_a_person_manages_nobody_elses_devices(portal: Portal):
    browser, _ = enrolled(portal)
    bob = portal.sso.user("bob")
    stranger = portal.crown.account().client("sso-directory")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        stranger.list_mfa_devices_for_user(**portal.whose)

    page = browser.post(
        f"{portal.start}/security",
        {"csrf": browser.get(f"{portal.start}/security").form("Rename")[1]["csrf"], "device": "0" * 32, "name": bob},
    )

    assert "no such device" in page.text
    assert json.dumps(bob)
