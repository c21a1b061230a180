"""Every page of the console's table of routes, in light and in dark: axe finds no serious fault, and a phone is wide enough.

Each page is loaded once. Contrast is most of what axe takes, so that it is asked for once of each look that text has (its colour,
size and weight, and what lies behind it), in both colour schemes: the same look has the same contrast on every page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from jinja2 import meta
from playwright.sync_api import Page, expect
from shared import every_page, furnished
from shared.furnished import Samples
from tests.advisor.test_findings import spoilt
from tests.console.test_sign_in import People
from tests.fixtures.clicks import send
from tests.fixtures.portal import PASSWORD
from tests.fixtures.process import Process

from crownkeep import clock
from crownkeep.advisor import findings
from crownkeep.advisor.report.formats import FORMATS
from crownkeep.alerts import messages
from crownkeep.settings import Settings

Visit = Callable[..., Page]
_SAID = """found.violations.filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => `${each.id}: ${each.nodes[0].html} ${each.nodes[0].failureSummary}`)"""
LOOK = f"""async has_styles => {{
  const rules = {{"color-contrast": {{enabled: false}}}};
  const found = await axe.run(document, {{resultTypes: ["violations"], rules, preload: has_styles}});
  return {_SAID};
}}"""
"""Everything but contrast; the style sheets are looked at where they are asked for, because all pages have the same."""
CONTRAST = f"""async seen => {{
  const looks = new Set(seen), fresh = [];
  const behind = element => {{
    if (!element) return "";
    const style = getComputedStyle(element);
    const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter].join(" ");
    return own + "|" + behind(element.parentElement);
  }};
  for (const element of document.body.querySelectorAll("*")) {{
    const has_text = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!has_text && !element.matches("input, select, textarea")) continue;
    if (!element.checkVisibility({{visibilityProperty: true}})) continue;
    const style = getComputedStyle(element);
    const is_off = element.closest("[disabled]") !== null;
    const own = [style.color, style.fontSize, style.fontWeight, style.textShadow, element.type, is_off];
    const look = [...own, behind(element)].join("|");
    if (looks.has(look)) continue;
    looks.add(look);
    fresh.push(look);
    element.dataset.look = "new";
  }}
  if (!fresh.length) return [fresh, []];
  const options = {{resultTypes: ["violations"], runOnly: ["color-contrast"], preload: false}};
  const found = await axe.run({{include: [["[data-look]"]]}}, options);
  document.querySelectorAll("[data-look]").forEach(element => delete element.dataset.look);
  return [fresh, {_SAID}];
}}"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
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


def faults_of(page: Page, axe: str, looks: list[str]) -> list[str]:
    """Return the serious faults of the page that is shown, and add the looks of its text to those that were seen."""
    # Through the debugger, which no content security policy keeps out.
    page.evaluate(axe)
    found: list[str] = page.evaluate(LOOK, not looks)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        fresh, faint = page.evaluate(CONTRAST, looks)
        looks += fresh
        found += faint
    return found


def look(page: Page, addresses: list[str], axe: str) -> dict[str, Any]:
    """Return what is wrong with which page."""
    wrong: dict[str, Any] = {}
    looks: list[str] = []
    for address in addresses:
        if every_page.is_file(address):
            continue
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        headings = page.locator("h1").count()
        found = faults_of(page, axe, looks)
        if found or width > PHONE["width"] or headings != 1:
            wrong[address] = (width, headings, found)
    return wrong


def test_text_of_too_little_contrast_is_found_wherever_its_look_comes_first_and_in_the_dark(visit: Visit, axe: str):
    page = visit(viewport=PHONE, bypass_csp=True)
    page.goto("/signin")
    page.evaluate(axe)
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<p class=faint>one</p><p class=faint>two</p>')")
    page.add_style_tag(
        content=".faint { color: #000; background: #fff } @media (prefers-color-scheme: dark) { .faint { color: #ccc } }"
    )

    looks, found = [], []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        fresh, faint = page.evaluate(CONTRAST, looks)
        looks += fresh
        found.append([each.partition(":")[0] for each in faint])

    assert [[], ["color-contrast"]] == found


def test_no_page_of_the_console_bars_anybody_or_is_too_wide_for_a_phone(visit: Visit, people: People, samples: Samples, axe: str):
    page = visit(viewport=PHONE, bypass_csp=True)
    people.choose_password(page)
    people.enrol_app(page)
    page.goto("/console/credential-audits")
    page.get_by_label("Name").fill("2026-Q4")
    send(page, "Start audit")
    started = urlsplit(page.url).path.rpartition("/")[2]

    wrong = look(page, every_page.inside(replace(samples, audit=started)), axe)

    assert wrong == {}


def test_no_page_of_signing_in_bars_anybody_or_is_too_wide_for_a_phone(visit: Visit, people: People, samples: Samples, axe: str):
    page = visit(viewport=PHONE, bypass_csp=True)

    wrong = look(page, [*every_page.outside(samples), people.link], axe)

    assert wrong == {}


def enter_portal(page: Page, start: str, given: str) -> None:
    """Sign a person in who was given a password for once, up to the portal."""
    page.goto(f"/start/{start}")
    page.get_by_label("Username").fill("ines")
    page.get_by_label("Password").fill(given)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Old password").fill(given)
    for label in ("New password", "Retype new password"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm password change").click()
    expect(page.locator("[data-star]").first).to_be_visible()


def test_no_page_of_the_access_portal_bars_anybody_or_is_too_wide_for_a_phone(
    served: Process, visit: Visit, people: People, samples: Samples, axe: str
):
    directory = served.client("sso-directory", people.created["admin"])
    directory.put_sign_in_rules(IdentityStoreId=samples.start, MfaMode="NEVER")
    given = directory.update_password(IdentityStoreId=samples.start, UserId=samples.person, PasswordMode="OTP")["Password"]
    page = visit(viewport=PHONE, bypass_csp=True)
    enter_portal(page, samples.start, given)

    wrong = look(page, [each for each in every_page.outside(samples) if each.startswith("/start/")], axe)

    assert wrong == {}


def mails() -> dict[str, str]:
    """Return the page of every kind of mail, with something in every place."""
    environment = messages._environment()
    assert environment.loader is not None
    sources = [environment.loader.get_source(environment, name)[0] for name in environment.list_templates()]
    names = {name for source in sources for name in meta.find_undeclared_variables(environment.parse(source))}
    given = dict.fromkeys(names - {"url", "subject"}, "12")
    found = {}
    for kind in messages.KINDS:
        mail = messages.compose(kind, "a@acme.example", given, notice_id="1", written_at=clock.now(), settings=Settings())
        page = mail.get_body(("html",))
        assert page is not None
        found[kind] = page.get_content()
    return found


def test_no_mail_and_no_report_of_an_audit_bars_anybody_or_is_too_wide_for_a_phone(visit: Visit, axe: str):
    documents = {"report": FORMATS["html"](findings.audit(spoilt("root-mfa").evidence())), **mails()}
    page = visit(viewport=PHONE, bypass_csp=True)
    page.goto("about:blank")

    wrong = {}
    looks: list[str] = []
    for name, document in documents.items():
        page.set_content(document)
        width = page.evaluate("document.documentElement.scrollWidth")
        if (found := faults_of(page, axe, looks)) or width > PHONE["width"]:
            wrong[name] = (width, found)

    assert wrong == {}
