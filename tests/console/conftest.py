"""A real Chromium, and axe-core to look for accessibility faults with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from tests.fixtures.crown import Account
from tests.fixtures.process import Process
from tests.signin.browser import Browser as Screenless
from tests.signin.browser import signed_in
from tests.signin.people import PASSWORD

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, served: Process) -> Iterator[Callable[..., Page]]:
    """Open a page of the served app in a browser of its own, by a name that passkeys can be bound to."""
    contexts = []

    def open_page(path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(base_url=f"http://localhost:{served.port}", **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def enter(visit: Callable[..., Page], told: dict[str, Any]) -> Callable[..., Page]:
    """Sign the administrator `admin` of the module's own account `told` in, with a browser of these options."""

    def open_browser(**options: Any) -> Page:
        page = visit(f"/signin/{told['account_id']}?to=/console/users", **options)
        page.get_by_label("IAM username").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".menu")).to_be_visible()
        return page

    return open_browser


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, as a package of the development group carries it."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def faults(axe: str) -> Callable[[Page], list[str]]:
    """Return the serious accessibility faults of a page, in light and in dark: contrast alone depends on the scheme."""

    def find(page: Page) -> list[str]:
        # Through the debugger, which no content security policy keeps out.
        page.evaluate(axe)
        page.emulate_media(color_scheme="dark")
        found = page.evaluate("async () => (await axe.run(document, {runOnly: ['color-contrast']})).violations")
        page.emulate_media(color_scheme="light")
        found += page.evaluate("async () => (await axe.run(document)).violations")
        return [
            f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0].get('failureSummary', '')}"
            for each in found
            if each["impact"] in SERIOUS
        ]

    return find


@pytest.fixture(scope="session")
def overflow() -> Callable[[Page], list[str]]:
    """Tell where a page is wider than its window, on a phone and on a desk; the window stays as wide as a desk's."""

    def find(page: Page) -> list[str]:
        found = []
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            try:
                # Waits where the page is still on its way.
                page.wait_for_function("width => document.documentElement?.scrollWidth <= width", arg=width, timeout=10_000)
            except PlaywrightTimeout:
                found.append(f"{page.url} is wider than {width}")
        return found

    return find


@pytest.fixture
def browser(account: Account) -> Screenless:
    """The browser of an administrator, who has signed in."""
    return signed_in(account, user="admin")


@pytest.fixture
def iam(account: Account) -> Any:
    """IAM as the administrator calls it."""
    return account.client("iam")
