"""Every route of the console, as every kind of principal: no page shows, and no form does, what the API refuses to that person.

The routes come from the app's own table: a page that is added is walked without being named here.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from scripts import make_screenshots
from shared import every_page, furnished
from shared.furnished import Samples
from tests.console.languages import BRACKETED, outside_brackets
from tests.console.members import NOTHING, READER
from tests.console.test_danger import dangerous, send_again
from tests.fixtures.asgi import Response
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crowns
from tests.signin.browser import Browser, hidden, signed_in
from tests.signin.test_federation import exchange, login

from crownkeep import translation
from crownkeep.operations import registry

ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
USERS_ONLY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:GetUser"], "Resource": "*"},
}
KINDS = ("root", "administrator", "reader", "powerless", "role", "federated")
MINE = (
    "/console/security",
    "/console/sessions",
    "/console/password",
    "/console/confirm",
    "/console/recovery-codes",
    "/console/mfa",
)
"""Pages of one's own credentials, which nobody needs a permission to see, and which roles don't have."""
OWN_LOOKUPS = ("/console/trail/keep", "/console/trail/forget")
"""Forms of lookups that people keep for themselves, which nobody needs a permission for either."""

ASSIGNED = "mass-assigned"
MEMBERS = (
    "AccountId",
    "AlternateContactType",
    "Arn",
    "AssumeRolePolicyDocument",
    "CreateDate",
    "GroupName",
    "MaxSessionDuration",
    "PasswordResetRequired",
    "PermissionsBoundary",
    "PolicyArn",
    "PolicyDocument",
    "RoleName",
    "SerialNumber",
    "SetAsDefault",
    "Tags",
    "UserId",
    "UserName",
)
"""Members of AWS's operations, which no form of ours takes by these names."""

IN_ENGLISH = ("/console/help", "/console/recoverability", "/console/what-if")
"""Pages of what the manual and the advisor say, who speak English alone, as they do on the first page."""
SAID = {
    # AWS's descriptions.
    "Allows access to every operation",
    "Service-linked role used by AWS Organizations to enable integration of other AWS services with Organizations.",
    # What operations answer.
    "root or a contact",
    "there is no request `00000000000000000000000000000000`",
    # What people wrote.
    "For administrators",
    "For billing",
    "For readers",
    "Nobody turns a trail off",
    "Reads the books and changes nothing",
    "The bookkeeping team",
    "The operations team",
}
"""Sentences that are data."""
# Parameters of recorded calls begin with a small letter, as in `userName bob`, and an ARN or an id says nothing.
PROSE = re.compile(r"^(?!arn:|[a-z]+[A-Z]?\w* \S+(, |$)).*[A-Za-z]+ [a-z]+")


@dataclass(frozen=True, slots=True)
class Person:
    """One kind of principal, in a browser and with the API."""

    browser: Browser
    credentials: Credentials
    account: Account
    identity: str
    """The last part of its ARN, as records name it."""

    def may(self, call: tuple[str, str, Mapping[str, Any]]) -> bool:
        """Ask the API whether it answers this call."""
        service, operation, parameters = call
        client = self.account.crown.session(self.credentials, service)
        try:
            getattr(client, operation)(**parameters)
        except ClientError as refusal:
            if "AccessDenied" not in refusal.response["Error"]["Code"]:
                raise
            return False
        return True


@dataclass(frozen=True, slots=True)
class House:
    """A furnished account, and the people of it."""

    account: Account
    samples: Samples
    people: Mapping[str, Person]
    marks: Mapping[str, list[tuple[str, str, dict[str, Any]]]]


@pytest.fixture(scope="module")
def house(crowns: Crowns) -> House:
    """An account whose pages are only looked at, or whose forms are refused."""
    return furnish(crowns.shared("sqlite").account())


def furnish(account: Account) -> House:
    """Furnish an account and sign everybody in."""
    iam = account.client("iam")
    samples = furnished.furnish(iam, account.client("account"), account.id)
    samples = furnished.organize(account.client("organizations"), samples)
    samples = furnished.sign_on(account.client, samples)
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}))
    iam.put_role_policy(RoleName="visitor", PolicyName="own", PolicyDocument=json.dumps(USERS_ONLY))
    reader, powerless = account.user("reader", policy=READER), account.user("powerless", policy=NOTHING)
    admin, root = Credentials.of(account.created["admin"]), Credentials.of(account.created["root"])
    sts = account.client("sts")
    visitor = f"arn:aws:iam::{account.id}:role/visitor"
    role = sts.assume_role(RoleArn=visitor, RoleSessionName="guest")["Credentials"]
    guest = sts.get_federation_token(Name="guest", Policy=json.dumps(ALL))["Credentials"]
    people = {
        "root": Person(signed_in(account), root, account, "root"),
        "administrator": Person(signed_in(account, user="admin"), admin, account, "user/admin"),
        "reader": Person(signed_in(account, user="reader"), reader.credentials, account, "user/reader"),
        "powerless": Person(signed_in(account, user="powerless"), powerless.credentials, account, "user/powerless"),
        "role": Person(federated(account, role), Credentials.of(role), account, "assumed-role/visitor/guest"),
        "federated": Person(federated(account, guest), Credentials.of(guest), account, "federated-user/guest"),
    }
    started = send(people["administrator"].browser, "/console/credential-audits", {"name": "2026-Q4"})
    audit = urlsplit(started.header("location") or "").path.rpartition("/")[2]
    return House(account, replace(samples, audit=audit), people, furnished.marks(iam, account.id))


def federated(account: Account, credentials: dict[str, Any]) -> Browser:
    """Sign in by the federation endpoint, as scripts do."""
    browser = Browser(account.crown)
    browser.get(login(exchange(account, credentials).json()["SigninToken"]))
    return browser


def newest(account: Account) -> str:
    """Return the id of the newest record."""
    return str(account.records(limit=1)[0]["eventID"])


def since(account: Account, event_id: str, *, at_most: int = 5_000) -> list[dict[str, Any]]:
    """Return the records after one."""
    return list(itertools.takewhile(lambda each: each["eventID"] != event_id, account.records(limit=at_most)))


def done_since(account: Account, event_id: str) -> list[str]:
    """Return what was changed since then."""
    changes = (each for each in since(account, event_id) if not each.get("readOnly", True))
    return [each["eventName"] for each in changes if "errorCode" not in each and "errorMessage" not in each]


def forms(samples: Samples) -> list[str]:
    """Return the path of every form for people who have signed in; signing out changes who that is."""
    return [
        every_page.filled(route.path, samples)
        for route in every_page.routes("POST")
        if route.path.startswith(("/console", "/switchrole"))
    ]


def send(browser: Browser, path: str, fields: Mapping[str, str]) -> Response:
    """Send a form with the token of the browser's own session."""
    token = hidden(browser.get("/console"))["csrf"]
    here = browser.crown.settings.url
    return browser.post(path, {"csrf": token, **fields}, origin=here, sec_fetch_site="same-origin")


def action_of(record: Mapping[str, Any]) -> str:
    """Return what policies call the action of a record; operations of ours may be decided as one of IAM's."""
    ours = registry.service(str(record["eventSource"]).removesuffix(".crownkeep"))
    found = ours.find(str(record["eventName"])) if ours is not None else None
    return found.action.partition(":")[2] if found is not None else str(record["eventName"])


def test_every_page_has_a_sample_address():
    assert every_page.unsampled() == set()


def test_every_page_has_a_picture_of_its_own():
    samples = Samples("123456789012", "bob", "staff", "auditor", "reading", "own", "00000000-0000-0000-0000-000000000000")

    pictures = make_screenshots.names(samples)

    pages = {*every_page.inside(samples), *every_page.outside(samples)}
    assert set(pictures.values()) == {address for address in pages if not every_page.is_file(address)}
    assert set(make_screenshots.SHOWN) <= set(pictures)


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_shows_what_the_api_refuses_to_that_principal(house: House, kind: str):
    person = house.people[kind]
    seen: dict[str, str] = {}
    statuses: dict[str, int] = {}
    unwritten: dict[str, list[str]] = {}

    for address in every_page.inside(house.samples):
        answer = person.browser.get(address)
        statuses[address] = answer.status
        seen |= {mark: address for mark in house.marks if mark in answer.text}
        if not every_page.is_file(address) and (stamps := machine_times(answer.text)):
            unwritten[address] = stamps

    assert {address: status for address, status in statuses.items() if status >= 500} == {}
    assert unwritten == {}
    leaked = {mark: address for mark, address in seen.items() if not any(map(person.may, house.marks[mark]))}
    assert leaked == {}
    if kind in ("root", "administrator"):
        assert set(house.marks) - set(seen) == set()


def machine_times(page: str) -> list[str]:
    """Return times that a page writes as machines do, outside what is quoted as it is."""
    said = re.sub(r"<(pre|code|textarea|script)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    return re.findall(r".{0,30}\d{4}-\d\d-\d\dT\d\d:\d\d.{0,20}", said)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_ask_as_the_person_who_looks_and_name_the_permission_that_is_missing(house: House, kind: str):
    person = house.people[kind]
    before = newest(house.account)
    unnamed: dict[str, set[str]] = {}

    for address in every_page.inside(house.samples):
        start = newest(house.account)
        text = person.browser.get(address).text
        denied = {
            action_of(each) for each in since(house.account, start, at_most=100) if "AccessDenied" in each.get("errorCode", "")
        }
        if any(f":{name}" not in text for name in denied):
            unnamed[address] = denied

    others = [each["userIdentity"] for each in since(house.account, before)]
    assert {str(each.get("arn", "")).split(":", 5)[-1] for each in others} <= {person.identity}
    assert unnamed == {}


def test_every_text_of_a_page_is_looked_up_in_the_catalogue(house: House, monkeypatch: pytest.MonkeyPatch):
    known = {translation.ENGLISH.tag: translation.ENGLISH, BRACKETED.tag: BRACKETED}
    monkeypatch.setattr(translation, "languages", lambda: known)
    browser = house.people["administrator"].browser
    addresses = [*every_page.inside(house.samples), *every_page.outside(house.samples)]
    shown = [
        each for each in addresses if not each.startswith(IN_ENGLISH) and each != "/console" and not every_page.is_file(each)
    ]

    pages = {each: browser.get(each, accept_language=BRACKETED.tag) for each in shown}

    wrong = {each: {text for text in outside_brackets(page.text) if PROSE.search(text)} - SAID for each, page in pages.items()}
    assert {address: texts for address, texts in wrong.items() if texts} == {}
    assert [address for address, page in pages.items() if page.status == 200 and "⟦" not in page.text] == []


def test_nobody_sees_anything_without_signing_in(house: House):
    stranger = Browser(house.account.crown)
    wrong: dict[str, object] = {}

    for address in every_page.inside(house.samples):
        answer = stranger.get(address)
        if not is_led_to_sign_in(answer) or any(mark in answer.text for mark in house.marks):
            wrong[address] = (answer.status, answer.header("location"))

    assert wrong == {}


def is_led_to_sign_in(answer: Response) -> bool:
    """Tell whether a browser is sent to sign in."""
    return answer.status == 303 and (answer.header("location") or "").startswith("/signin")


def test_nobody_changes_anything_without_signing_in(house: House):
    stranger = Browser(house.account.crown)
    token, here = hidden(stranger.get("/signin?choose"))["csrf"], house.account.crown.settings.url
    before = newest(house.account)

    answers = {path: stranger.post(path, {"csrf": token}, origin=here) for path in forms(house.samples)}

    assert {path: answer.status for path, answer in answers.items() if answer.status not in (303, 400, 404)} == {}
    assert {path for path, answer in answers.items() if any(mark in answer.text for mark in house.marks)} == set()
    assert since(house.account, before) == []


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_csrf_every_form_without_the_token_of_the_session_is_refused(house: House, token: str):
    browser, here = house.people["administrator"].browser, house.account.crown.settings.url
    before = newest(house.account)

    answers = {path: browser.post(path, {"csrf": token} if token else {}, origin=here).status for path in forms(house.samples)}

    assert answers == dict.fromkeys(answers, 403)
    assert since(house.account, before) == []


def test_csrf_every_form_with_another_session_s_token_is_refused(house: House):
    token = hidden(house.people["reader"].browser.get("/console"))["csrf"]
    browser, here = house.people["administrator"].browser, house.account.crown.settings.url

    answers = {path: browser.post(path, {"csrf": token}, origin=here).status for path in forms(house.samples)}

    assert answers == dict.fromkeys(answers, 403)


def test_csrf_every_form_from_another_site_is_refused_even_with_the_token(house: House):
    browser = house.people["administrator"].browser
    token = hidden(browser.get("/console"))["csrf"]

    answers = {path: browser.post(path, {"csrf": token}, origin="https://evil.example").status for path in forms(house.samples)}

    assert answers == dict.fromkeys(answers, 403)


@pytest.mark.parametrize("kind", ["reader", "powerless", "role"])
def test_no_form_does_what_the_api_refuses_to_that_principal(house: House, kind: str):
    person = house.people[kind]
    before = newest(house.account)
    plausible = {"name": "x", "group": "staff", "key": "AKIAIOSFODNN7EXAMPLE", "to": "Inactive", "password": "correct Horse 9!"}

    answers = {path: send(person.browser, path, plausible).status for path in mine_aside(house.samples)}

    assert {path: status for path, status in answers.items() if status >= 500} == {}
    assert done_since(house.account, before) == []


def mine_aside(samples: Samples) -> list[str]:
    """Return the forms that are not of one's own credentials or lookups."""
    return [path for path in forms(samples) if not path.startswith((*MINE, *OWN_LOOKUPS))]


def test_mass_assignment_fields_that_a_form_has_not_are_not_passed_on(crowns: Crowns):
    account = crowns.shared("sqlite").account()
    house = furnish(account)
    browser = house.people["administrator"].browser
    before = newest(account)

    answers = {
        path: send(browser, path, dict.fromkeys(MEMBERS, ASSIGNED) | {"name": "x"}).status for path in mine_aside(house.samples)
    }

    assert {path: status for path, status in answers.items() if status >= 500} == {}
    passed_on = [each for each in since(account, before) if ASSIGNED in json.dumps(each.get("requestParameters"))]
    assert passed_on == []


@pytest.fixture
def signed_out(crowns: Crowns) -> tuple[House, dict[str, str]]:
    """A person who has signed out, and the cookies that the browser had before."""
    house = furnish(crowns.shared("sqlite").account())
    browser = house.people["administrator"].browser
    kept = dict(browser.cookies)
    send(browser, "/signin/step/out", {})
    return house, kept


def test_after_signing_out_no_page_can_be_seen_with_the_cookies_that_were_kept(signed_out: tuple[House, dict[str, str]]):
    house, kept = signed_out
    thief = Browser(house.account.crown)
    thief.cookies.update(kept)

    answers = {address: thief.get(address) for address in every_page.inside(house.samples)}

    assert {address: answer.status for address, answer in answers.items() if not is_led_to_sign_in(answer)} == {}


@pytest.fixture(scope="module")
def shown(house: House) -> dict[str, Response]:
    """Every page as the administrator sees it."""
    browser = house.people["administrator"].browser
    return {address: browser.get(address) for address in every_page.inside(house.samples)}


def test_no_form_that_is_marked_dangerous_changes_anything_without_its_word(house: House, shown: dict[str, Response]):
    browser, before = house.people["administrator"].browser, newest(house.account)
    found = {action: fields for page in shown.values() for action, fields in dangerous(page)}

    for action, fields in found.items():
        silent, wrong = (send_again(browser, action, {**fields, **typed}) for typed in ({}, {"typed": "another word"}))
        assert (200, 400) == (silent.status, wrong.status), (action, silent.text)
        assert "no button takes it back" in silent.text
        assert "Nothing was changed" in wrong.text

    assert [] == done_since(house.account, before)
    assert len(found) >= 12, sorted(found)


def test_history_no_page_is_kept_by_a_browser_or_shown_in_a_frame(house: House, shown: dict[str, Response]):
    browser = house.people["administrator"].browser
    wrong: dict[str, Mapping[str, str | None]] = {}

    for address, answer in [*shown.items(), *((each, browser.get(each)) for each in every_page.outside(house.samples))]:
        headers = {name: answer.header(name) for name in ("cache-control", "x-frame-options", "content-security-policy")}
        policy = headers["content-security-policy"] or ""
        safe = "frame-ancestors 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
        if headers["cache-control"] != "no-store" or headers["x-frame-options"] != "DENY" or not safe:
            wrong[address] = headers

    assert wrong == {}
