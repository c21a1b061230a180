"""The organization's story in a real browser, once by clicks and once by keyboard alone: the same steps by two drivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.console.members import Served
from tests.fixtures.process import Process

Visit = Callable[..., Page]


class Hand(Protocol):
    """How a person works a page."""

    def press(self, target: Locator) -> None:
        """Press a button, or follow a link."""

    def write(self, target: Locator, text: str) -> None:
        """Write into a field."""

    def choose(self, target: Locator, label: str) -> None:
        """Choose from a list."""

    def tick(self, target: Locator) -> None:
        """Tick a box."""


class Mouse:
    """A hand on a mouse."""

    def press(self, target: Locator) -> None:
        target.click()

    def write(self, target: Locator, text: str) -> None:
        target.fill(text)

    def choose(self, target: Locator, label: str) -> None:
        target.select_option(label=label)

    def tick(self, target: Locator) -> None:
        target.check()


class Keyboard:
    """A hand on the keyboard alone; what the Tab key doesn't reach, it can't use."""

    def __init__(self, page: Page) -> None:
        self._keys = page.keyboard

    def press(self, target: Locator) -> None:
        self._reach(target)
        self._keys.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        self._reach(target)
        self._keys.press("Control+A")
        self._keys.type(text)

    def choose(self, target: Locator, label: str) -> None:
        self._reach(target)
        for _ in range(target.locator("option").count()):
            if target.evaluate("it => it.selectedOptions[0].label") == label:
                return
            self._keys.press("ArrowDown")

    def tick(self, target: Locator) -> None:
        self._reach(target)
        self._keys.press("Space")

    def _reach(self, target: Locator) -> None:
        target.focus()
        assert target.evaluate("it => it === document.activeElement && it.tabIndex >= 0"), str(target)


HANDS: dict[str, Callable[[Page], Hand]] = {"clicks": lambda _: Mouse(), "keyboard": Keyboard}


@pytest.mark.parametrize("way", HANDS)
def test_an_organization_is_made_filled_bound_and_looked_over(visit: Visit, served: Process, way: str):
    page, account = visit(), Served(served)
    account.enter(page)
    hand = HANDS[way](page)
    _make(page, hand, email=f"shipping-{way}@acme.example")
    _bind(page, hand)
    _look_over(page, hand)
    _close(page, hand)


def _make(page: Page, hand: Hand, *, email: str) -> None:
    """Create the organization, a unit and an account."""
    hand.press(page.get_by_role("link", name="Accounts and units"))
    hand.press(page.get_by_role("button", name="Create organization"))
    hand.write(page.get_by_label("New unit in the root"), "Workloads")
    hand.press(page.get_by_role("button", name="Create unit"))
    expect(page.get_by_role("link", name="Workloads")).to_be_visible()
    hand.press(page.get_by_role("link", name="Create account"))
    hand.write(page.get_by_label("Account name"), "shipping")
    hand.write(page.get_by_label("Address of its root user"), email)
    hand.press(page.get_by_role("button", name="Create account"))
    hand.choose(page.get_by_label("Unit", exact=True), "– Workloads")
    hand.press(page.get_by_role("button", name="Review the move"))
    expect(page.get_by_role("heading", name="Move shipping to Workloads?")).to_be_visible()
    hand.press(page.get_by_role("button", name="Move account"))
    expect(page.get_by_text("in the unit Workloads")).to_be_visible()


def _bind(page: Page, hand: Hand) -> None:
    """Enable control policies, take a ready-made one, and attach it to the unit after a look at what it means."""
    hand.press(page.get_by_role("link", name="Control policies", exact=True))
    hand.press(page.get_by_role("button", name="Enable service control policies"))
    hand.press(page.get_by_role("link", name="Use: ").first)
    hand.write(page.get_by_label("Policy name"), "stay")
    hand.press(page.get_by_role("button", name="Create policy"))
    expect(page.get_by_role("heading", name="stay", exact=True)).to_be_visible()
    hand.press(page.get_by_role("link", name="Accounts and units"))
    hand.press(page.get_by_role("link", name="Workloads"))
    hand.press(page.get_by_role("link", name="Policies", exact=True).last)
    hand.press(page.get_by_role("link", name="Attach policy").first)
    hand.press(page.get_by_role("link", name="Review stay"))
    expect(page.get_by_role("heading", name="Attach stay to Workloads?")).to_be_visible()
    hand.press(page.get_by_role("button", name="Attach policy"))
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def _look_over(page: Page, hand: Hand) -> None:
    """Find the account in the list, tag it there after a review, and see what binds it."""
    hand.press(page.get_by_role("link", name="Accounts and units"))
    hand.press(page.get_by_role("link", name="All accounts"))
    hand.tick(page.get_by_role("checkbox", name="shipping"))
    hand.choose(page.get_by_label("With the chosen accounts"), "Tag them")
    hand.press(page.get_by_role("button", name="Review"))
    hand.write(page.get_by_label("Key", exact=True), "team")
    hand.press(page.get_by_role("button", name="Review"))
    hand.press(page.get_by_role("button", name="Tag", exact=True))
    hand.press(page.get_by_role("link", name="shipping"))
    hand.press(page.get_by_role("link", name="Policies", exact=True).last)
    expect(page.get_by_text("Inherited").first).to_be_visible()


def _close(page: Page, hand: Hand) -> None:
    """Close the account, once its name is typed."""
    hand.press(page.get_by_role("link", name="Account", exact=True))
    hand.write(page.locator("#typed-close"), "shippin")
    hand.press(page.get_by_role("button", name="Close account"))
    expect(page.get_by_text("Nothing was changed")).to_be_visible()
    hand.write(page.get_by_label("Type shipping to confirm"), "shipping")
    hand.press(page.get_by_role("button", name="Close account"))
    expect(page.get_by_text("Closed", exact=True)).to_be_visible()
