"""Signing in with a real browser: root by its link, by codes and by passkey, users by alias, and the end of a lockout."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from tests.fixtures.clicks import send
from tests.fixtures.process import Process
from tests.signin.people import PASSWORD, code

from crownkeep import clock
from crownkeep.credentials import totp

_numbers = itertools.count(1)
Visit = Callable[..., Page]


class People:
    """An account of the served app and what its people do in a browser."""

    def __init__(self, served: Process) -> None:
        self.email = f"root-{next(_numbers)}@acme.example"
        self.created: dict[str, Any] = served.account(email=self.email, name=self.email.partition("@")[0], admin_user="admin")
        self.id: str = self.created["account_id"]
        self.iam = served.client("iam", self.created["admin"])
        link = urlsplit(self.created["set_password_url"])
        self.link = f"{link.path}?{link.query}"

    def choose_password(self, page: Page) -> None:
        page.goto(self.link)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("Retype the password").fill(PASSWORD)
        send(page, "Set the password")

    def enrol_app(self, page: Page) -> bytes:
        page.locator("#app-name").fill("phone")
        send(page, "Set up an authenticator app")
        page.get_by_text("Show the secret key").click()
        seed = totp.read_seed(page.locator(".seed").inner_text())
        # Both of one moment: between two looks at the clock a step may end, and the codes would not follow each other.
        now = clock.now()
        page.get_by_label("MFA code 1").fill(code(seed, ahead=-1, now=now))
        page.get_by_label("MFA code 2").fill(code(seed, now=now))
        send(page, "Add MFA")
        return seed

    def enter_as_root(self, page: Page, password: str = PASSWORD) -> None:
        page.goto("/signin?choose")
        page.get_by_label("Root user email address").fill(self.email)
        send(page, "Next")
        page.get_by_label("Password").fill(password)
        send(page, "Sign in")

    def user(self, name: str, **options: Any) -> None:
        self.iam.create_user(UserName=name)
        self.iam.create_login_profile(UserName=name, Password=PASSWORD, **options)
        self.iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/IAMUserChangePassword")


def enter_as_user(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("IAM username").fill(name)
    page.get_by_label("Password").fill(password)
    send(page, "Sign in")


def sign_out(page: Page) -> None:
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


@pytest.fixture
def people(served: Process) -> People:
    return People(served)


@pytest.fixture
def authenticator() -> Callable[[Page], None]:
    """Give a page's browser a passkey device that answers for its person."""

    def give(page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    return give


def test_root_comes_from_the_link_to_the_console_with_an_authenticator_app(visit: Visit, people: People):
    page = visit()

    people.choose_password(page)
    people.enrol_app(page)
    page.get_by_role("button", name="Not now").click()

    expect(page.get_by_role("heading", name="Console home")).to_be_visible()
    expect(page.get_by_text(f"arn:aws:iam::{people.id}:root")).to_be_visible()
    expect(page.get_by_text("Signed in with MFA")).to_be_visible()


def test_root_signs_in_with_a_passkey(visit: Visit, people: People, authenticator: Callable[[Page], None]):
    page = visit()
    authenticator(page)
    people.choose_password(page)
    page.locator("#passkey-name").fill("laptop")
    page.get_by_role("button", name="Register a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page)

    people.enter_as_root(page)
    page.get_by_role("button", name="Use your passkey or security key").click()

    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/console/security")
    expect(page.get_by_text(re.compile(rf"arn:aws:iam::{people.id}:u2f/root-account/laptop-[A-Z2-7]{{26}}"))).to_be_visible()


def test_a_user_signs_in_by_alias_and_must_change_the_password(visit: Visit, people: People):
    alias = f"acme-{people.id}"
    people.iam.create_account_alias(AccountAlias=alias)
    people.user("bob", PasswordResetRequired=True)
    page = visit(f"/signin/{alias}")

    enter_as_user(page, "bob")
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another horse")
    kept = page.locator(".rules .kept")
    expect(kept).to_have_text(["At least 8 characters"])
    page.get_by_label("New password", exact=True).fill("another Horse battery 8")
    expect(kept).to_have_count(page.locator(".rules li").count())
    page.get_by_label("Retype new password").fill("another Horse battery 8")
    page.get_by_role("button", name="Confirm password change").click()

    expect(page.get_by_text(f"arn:aws:iam::{people.id}:user/bob")).to_be_visible()


def test_a_recovery_code_stands_in_for_the_device_once(visit: Visit, people: People):
    page = visit()
    people.choose_password(page)
    people.enrol_app(page)
    send(page, "Make recovery codes")
    codes = page.locator(".codes li").all_inner_texts()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    downloaded = downloading.value.path().read_text()
    sign_out(page)

    for attempt in range(2):
        people.enter_as_root(page)
        page.get_by_text("Lost your device? Use a recovery code").click()
        page.get_by_label("Recovery code", exact=True).fill(codes[3].lower())
        page.get_by_role("button", name="Use this code").click()
        if attempt == 0:
            expect(page.get_by_role("heading", name="Console home")).to_be_visible()
            sign_out(page)

    assert 10 == len(codes)
    assert all(each in downloaded for each in codes)
    expect(page.get_by_role("alert")).to_contain_text("Your authentication information is incorrect. Please try again.")


def test_a_lockout_ends_by_itself(visit: Visit, people: People):
    people.user("bob")
    page = visit(f"/signin/{people.id}")
    for _ in range(5):
        enter_as_user(page, "bob", "wrong")
    enter_as_user(page, "bob")
    expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()

    page.wait_for_timeout(2_100)
    page.goto(f"/signin/{people.id}")
    enter_as_user(page, "bob")

    expect(page.get_by_role("heading", name="Console home")).to_be_visible()


def test_no_page_on_the_way_in_has_a_serious_accessibility_fault_or_is_too_wide(
    visit: Visit, people: People, faults: Callable[[Page], list[str]], overflow: Callable[[Page], list[str]]
):
    page = visit("/signin")
    found = {}

    def look() -> None:
        found[page.url] = overflow(page) + faults(page)

    look()
    page.goto(f"/signin/{people.id}")
    look()
    people.choose_password(page)
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
    look()
    people.enrol_app(page)
    expect(page.get_by_role("button", name="Make recovery codes")).to_be_visible()
    look()
    send(page, "Make recovery codes")
    expect(page.get_by_role("button", name="Make recovery codes")).to_be_hidden()
    look()
    # Pages that ask about what this person has; all others are looked at in test_accessibility.py.
    for path in ("/console/security", "/console/confirm"):
        page.goto(path)
        look()

    lines = [f"{where}: {fault}" for where, each in found.items() for fault in each]
    assert not lines, "\n".join(lines)


def test_no_page_needs_javascript_but_for_passkeys(visit: Visit, people: People):
    page = visit("/signin", java_script_enabled=False)

    people.choose_password(page)
    people.enrol_app(page)
    page.get_by_role("button", name="Not now").click()

    expect(page.get_by_role("heading", name="Console home")).to_be_visible()
