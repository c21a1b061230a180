"""The whole hands-on guide in a real browser, from the operator's link to an all-green dashboard: by mouse, and by keyboard."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.fixtures.process import Process
from tests.signin.people import PASSWORD, code

from crownkeep import clock
from crownkeep.credentials import totp

Visit = Callable[..., Page]
NEW_PASSWORD = "another Horse battery 12!"
MOST_TABS = 250
PATIENCE = 20_000
"""Milliseconds; a machine may be busy with other tests."""

_numbers = itertools.count(1)

OUTLINED = """element => {
  const seen = [element, element.closest("label, .tile, summary")].filter(Boolean).map(each => getComputedStyle(each));
  return seen.some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0);
}"""


class Person(Protocol):
    """Somebody at a browser: what they press and write they find by its role and name, as people do."""

    def press(self, what: Locator) -> None:
        """Follow a link, press a button or open what is folded."""

    def tick(self, what: Locator) -> None:
        """Tick a box."""

    def choose(self, what: Locator) -> None:
        """Choose one of several."""

    def write(self, what: Locator, text: str) -> None:
        """Write into a field, in the place of what is there."""


class Mouse:
    """A person with a mouse."""

    def press(self, what: Locator) -> None:
        what.click()

    def tick(self, what: Locator) -> None:
        what.check()

    def choose(self, what: Locator) -> None:
        what.check()

    def write(self, what: Locator, text: str) -> None:
        what.click()
        what.fill(text)


class Keyboard:
    """A person who has nothing but Tab, Space, Enter and letters, and must see where they are."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def press(self, what: Locator) -> None:
        self._go(what)
        if what.evaluate("element => element.tagName") == "SUMMARY":
            self._page.keyboard.press("Enter")
            return
        with self._page.expect_navigation():
            self._page.keyboard.press("Enter")

    def tick(self, what: Locator) -> None:
        self._go(what)
        self._page.keyboard.press("Space")
        expect(what).to_be_checked()

    def choose(self, what: Locator) -> None:
        name = what.get_attribute("name")
        # Tab leads to the one that is chosen, the arrows from there to the others.
        self._go(self._page.locator(f"input[name={name}]:checked"))
        for _ in range(MOST_TABS):
            if what.is_checked():
                return
            self._page.keyboard.press("ArrowDown")
        raise AssertionError(f"{what} can't be chosen by keyboard")

    def write(self, what: Locator, text: str) -> None:
        self._go(what)
        self._page.keyboard.press("ControlOrMeta+a")
        self._page.keyboard.type(text)

    def _go(self, what: Locator) -> None:
        expect(what).to_be_visible(timeout=PATIENCE)
        for _ in range(MOST_TABS):
            if what.evaluate("element => element === document.activeElement"):
                assert what.evaluate(OUTLINED), f"nobody sees that {what} has the focus"
                return
            self._page.keyboard.press("Tab")
        raise AssertionError(f"{what} can't be reached by keyboard")


@pytest.mark.parametrize("hands", ["mouse", "keyboard"])
def test_the_whole_guide_is_done_on_pages_alone(visit: Visit, served: Process, hands: str):
    number = next(_numbers)
    answer = served.account(email=f"guide-{number}@acme.example", name=f"guide {number}")
    link = urlsplit(answer["set_password_url"])
    page = visit(f"{link.path}?{link.query}")
    person: Person = Mouse() if hands == "mouse" else Keyboard(page)

    be_root_once(page, person)
    make_an_administrator(page, person)
    ask_for_passwords_worth_the_name(page, person)
    give_the_account_a_name(page, person, f"guide-{answer['account_id']}")
    name_people(page, person)
    let_nobody_in_without_a_second_factor(page, person)
    take_root_s_key_away(page, person)
    sign_out(page, person)
    be_the_administrator(page, person, answer["account_id"])
    look_at_the_whole(page, person)
    read_what_root_did(page, person)

    home(page, person)
    count = page.locator(".advice:not(.not-applicable)").count()
    expect(page.get_by_text(f"{count} of {count} done")).to_be_visible()
    expect(page.locator(".ticks li")).to_have_count(page.locator(".ticks .ticked").count())


def home(page: Page, person: Person) -> None:
    person.press(page.get_by_role("link", name="Console home", exact=True).first)
    expect(page.get_by_role("heading", name="Console home")).to_be_visible(timeout=PATIENCE)


def fix(page: Page, person: Person, slug: str) -> None:
    """Press the button that sets a recommendation right."""
    home(page, person)
    person.press(page.locator(f"#{slug} .button"))


def is_done(page: Page, person: Person, slug: str) -> None:
    home(page, person)
    expect(page.locator(f"#{slug} .advice")).to_have_class("advice done")


def be_root_once(page: Page, person: Person) -> None:
    person.write(page.get_by_label("New password"), PASSWORD)
    person.write(page.get_by_label("Retype the password"), PASSWORD)
    person.press(page.get_by_role("button", name="Set the password"))
    enrol(page, person)
    person.press(page.get_by_role("button", name="Make recovery codes"))
    person.press(page.get_by_role("link", name="I have kept them, go on"))
    is_done(page, person, "root-mfa")


def enrol(page: Page, person: Person) -> None:
    person.press(page.get_by_role("button", name="Set up an authenticator app"))
    person.press(page.locator("summary", has_text="Show the secret key"))
    seed = totp.read_seed(page.locator(".seed").inner_text())
    # Both of one moment: while somebody types, the device may go on to its next code.
    now = clock.now()
    codes = [code(seed, ahead=step, now=now) for step in (-1, 0)]
    for number, each in enumerate(codes, start=1):
        person.write(page.get_by_label(f"MFA code {number}"), each)
    person.press(page.get_by_role("button", name="Add MFA"))


def make_an_administrator(page: Page, person: Person) -> None:
    fix(page, person, "administrator")
    person.write(page.get_by_label("User name"), "dana")
    for offered in ("Choose a password", "AdministratorAccess", "MFA must be set up"):
        expect(page.get_by_label(offered)).to_be_checked()
    person.press(page.get_by_role("button", name="Review"))
    person.write(page.get_by_label("Password", exact=True), PASSWORD)
    person.press(page.get_by_role("button", name="Create user"))
    expect(page.get_by_role("heading", name="dana was created")).to_be_visible()
    is_done(page, person, "administrator")


def ask_for_passwords_worth_the_name(page: Page, person: Person) -> None:
    fix(page, person, "password-policy")
    person.press(page.get_by_role("link", name="Use The guide's"))
    person.press(page.get_by_role("button", name="Review changes"))
    person.press(page.get_by_role("button", name="Save the policy"))
    is_done(page, person, "password-policy")


def give_the_account_a_name(page: Page, person: Person, alias: str) -> None:
    fix(page, person, "alias")
    person.write(page.get_by_role("textbox", name="Alias"), alias)
    person.press(page.get_by_role("button", name="Create alias"))
    is_done(page, person, "alias")


def name_people(page: Page, person: Person) -> None:
    fix(page, person, "security-contact")
    fill_in_contact(page, person)
    is_done(page, person, "security-contact")
    fix(page, person, "contacts")
    owner = {
        "Full name": "Acme Ltd",
        "Address line 1": "1 Main Street",
        "City": "Springfield",
        "Postal code": "97477",
        "Country code": "FR",
        "Phone number": "+1 555 0100",
    }
    for label, text in owner.items():
        person.write(page.get_by_role("textbox", name=label, exact=True), text)
    person.press(page.get_by_role("button", name="Save"))
    for _ in ("billing", "operations"):
        fix(page, person, "contacts")
        fill_in_contact(page, person)
    is_done(page, person, "contacts")


def fill_in_contact(page: Page, person: Person) -> None:
    contact = {"Full name": "Jane", "Title": "On call", "Email address": "on-call@acme.example", "Phone number": "+1 555 0100"}
    for label, text in contact.items():
        person.write(page.get_by_role("textbox", name=label, exact=True), text)
    person.press(page.get_by_role("button", name="Save"))


def let_nobody_in_without_a_second_factor(page: Page, person: Person) -> None:
    home(page, person)
    person.press(page.get_by_role("link", name="Let nobody in without it"))
    person.press(page.get_by_role("button", name="Require MFA for all users"))
    expect(page.get_by_role("button", name="Stop requiring MFA")).to_be_visible()


def take_root_s_key_away(page: Page, person: Person) -> None:
    fix(page, person, "root-keys")
    keys = page.locator("#keys")
    person.press(keys.get_by_role("button", name="Deactivate"))
    person.press(keys.get_by_role("button", name="Delete"))
    word = page.locator(".danger .select-all").inner_text()
    person.write(page.get_by_label(f"Type {word} to confirm"), word)
    person.press(page.get_by_role("button", name="Delete access key"))
    is_done(page, person, "root-keys")


def sign_out(page: Page, person: Person) -> None:
    person.press(page.locator(".menu summary"))
    person.press(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


def be_the_administrator(page: Page, person: Person, account: str) -> None:
    page.goto(f"/signin/{account}")
    person.write(page.get_by_label("IAM username"), "dana")
    person.write(page.get_by_label("Password"), PASSWORD)
    person.press(page.get_by_role("button", name="Sign in"))
    enrol(page, person)
    person.write(page.locator("#old"), PASSWORD)
    person.write(page.locator("#new"), NEW_PASSWORD)
    person.write(page.locator("#again"), NEW_PASSWORD)
    person.press(page.locator("form button.primary"))
    person.press(page.get_by_role("button", name="Not now"))
    is_done(page, person, "users-mfa")


def look_at_the_whole(page: Page, person: Person) -> None:
    fix(page, person, "credentials")
    person.press(page.get_by_role("button", name="Generate report"))
    expect(page.get_by_role("rowheader", name="dana")).to_be_visible()
    is_done(page, person, "credentials")


def read_what_root_did(page: Page, person: Person) -> None:
    fix(page, person, "root-use")
    expect(page.get_by_role("heading", name="What root did")).to_be_visible()
    person.press(page.get_by_role("link", name="DeleteAccessKey").first)
    expect(page.get_by_text("The root user called DeleteAccessKey of iam.amazonaws.com")).to_be_visible()
