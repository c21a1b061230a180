"""Every page of the console's table of routes, in light and in dark: axe finds no serious fault, and a phone is wide enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from shared import every_page, furnished
from shared.furnished import Samples
from tests.console.test_sign_in import People
from tests.fixtures.process import Process

Visit = Callable[..., Page]
LOOK = """async options => {
  const found = await axe.run(document, {resultTypes: ["violations"], ...options});
  return found.violations.filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => `${each.id}: ${each.nodes[0].html} ${each.nodes[0].failureSummary}`);
}"""
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def people(served: Process) -> People:
    """An account with something of everything."""
    return People(served)


@pytest.fixture
def samples(served: Process, people: People) -> Samples:
    contacts, trail = (served.client(service, people.created["admin"]) for service in ("account", "cloudtrail"))
    made = furnished.furnish(people.iam, contacts, people.id)
    made = furnished.organize(served.client("organizations", people.created["admin"]), made)
    made = furnished.sign_on(lambda service: served.client(service, people.created["admin"]), made)
    return replace(made, event=trail.lookup_events(MaxResults=1)["Events"][0]["EventId"])


def look(page: Page, addresses: list[str], axe: str) -> dict[str, Any]:
    """Return what is wrong with which page."""
    wrong: dict[str, Any] = {}
    for address in addresses:
        if every_page.is_file(address):
            continue
        page.emulate_media(color_scheme="light")
        page.goto(address)
        # Through the debugger, which no content security policy keeps out.
        page.evaluate(axe)
        width = page.evaluate("document.documentElement.scrollWidth")
        headings = page.locator("h1").count()
        found = page.evaluate(LOOK, {})
        page.emulate_media(color_scheme="dark")
        found += page.evaluate(LOOK, {"runOnly": ["color-contrast"]})
        if found or width > PHONE["width"] or headings != 1:
            wrong[address] = (width, headings, found)
    return wrong


def test_no_page_of_the_console_bars_anybody_or_is_too_wide_for_a_phone(visit: Visit, people: People, samples: Samples, axe: str):
    page = visit(viewport=PHONE, bypass_csp=True)
    people.choose_password(page)
    people.enrol_app(page)
    page.goto("/console/credential-audits")
    page.get_by_label("Name").fill("2026-Q4")
    page.get_by_role("button", name="Start audit").click()
    started = urlsplit(page.url).path.rpartition("/")[2]

    wrong = look(page, every_page.inside(replace(samples, audit=started)), axe)

    assert wrong == {}


def test_no_page_of_signing_in_bars_anybody_or_is_too_wide_for_a_phone(visit: Visit, people: People, samples: Samples, axe: str):
    page = visit(viewport=PHONE, bypass_csp=True)

    wrong = look(page, [*every_page.outside(samples), people.link], axe)

    assert wrong == {}
