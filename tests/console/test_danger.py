"""Acts that can't be undone: whatever ends something for good asks for a typed word, and changes nothing without it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType

import pytest
from starlette.routing import Route
from tests.console.forms import follow, send
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Crowns
from tests.fixtures.organization import Organization
from tests.house.reaching import named_operations, plain, reached
from tests.house.test_one_door import CHANGES, PUT_TOGETHER
from tests.signin.browser import Browser, signed_in

from crownkeep.console.kit import danger

FORM = re.compile(r"<form\b(?P<head>[^>]*)>(?P<inside>.*?)</form>", re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')

ENDS = re.compile(r"(?:Delete|Close|Leave|Purge|Disable(?=PolicyType))[A-Z]\w*|RemoveAccountFromOrganization")
"""The names of operations that end something."""

_ANOTHER = "another is made or registered in its place"
_UNDONE = "the page after it offers to undo it"
_MAKES = "it makes something, and what ends it is offered as the undo"
UNTYPED: Mapping[str, str] = {
    "/console/users/{name}/password": _ANOTHER,
    "/console/users/{name}/device": _ANOTHER,
    "/console/mfa/remove": "a fresh proof comes first, and another is registered in its place",
    "/console/single-sign-on/people/device": _ANOTHER,
    "/console/single-sign-on/groups/leave": _UNDONE,
    "/console/single-sign-on/assignments/remove": _UNDONE,
    "/console/single-sign-on/existing-roles/remove": _UNDONE,
    "/console/single-sign-on/permission-sets/change": "its inline policy or its boundary can be set again",
    "/console/account/alternate-contacts/{kind}/delete": _UNDONE,
    "/console/account/alias/delete": _UNDONE,
    "/console/password-policy": _UNDONE,
    "/console/password-policy/delete": _UNDONE,
    "/console/trail/forget": "a lookup that a person kept under a name can be kept again",
    "/console/account/alias": _MAKES,
    "/console/account/alternate-contacts/{kind}": _MAKES,
    "/console/organization/units/create": _MAKES,
    "/console/single-sign-on/assignments/add": _MAKES,
    "/console/single-sign-on/existing-roles/add": _MAKES,
    "/console/single-sign-on/people/act": "sessions end, and another sign-in opens new ones",
    "/console/single-sign-on/people/password": "sessions end, and another sign-in opens new ones",
    "/console/account/close": "its own page asks for the account's name, which the operation compares",
    "/console/{kind}/{name}/boundary": _UNDONE,
}
"""Forms that end something without a typed word, each with the reason."""


def test_every_form_that_ends_something_asks_for_a_word_or_says_why_not():
    reaching = {route.path: set(reached(plain(route.endpoint), "crownkeep.console")) for route in CHANGES if is_inside(route)}
    asking = {path for path, functions in reaching.items() if danger.require in functions}
    ending = {path for path, functions in reaching.items() if any(map(ENDS.fullmatch, operations(path, functions)))}

    assert set() == ending - asking - UNTYPED.keys()
    assert set() == UNTYPED.keys() & asking
    assert set() == UNTYPED.keys() - ending


def is_inside(route: Route) -> bool:
    """Tell whether a form is of the console, for people who have signed in."""
    return route.path.startswith("/console/")


def operations(path: str, functions: Iterable[FunctionType]) -> set[str]:
    """Return the operations behind a form."""
    return set(PUT_TOGETHER.get(path, ())).union(*map(named_operations, functions))


@pytest.fixture
def organization(crowns: Crowns) -> Organization:
    """An organization of its own in the shared server."""
    return Organization(crowns.shared("sqlite"))


def dangerous(page: Response) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the address and the hidden fields of each form of a page whose button is marked as dangerous."""
    for form in FORM.finditer(page.text):
        if 'class="button danger"' in form["inside"]:
            action = re.search(r'action="([^"]*)"', form["head"])
            assert action is not None
            yield html.unescape(action[1]), {name: html.unescape(value) for name, value in HIDDEN.findall(form["inside"])}


def send_again(browser: Browser, action: str, fields: Mapping[str, str]) -> Response:
    """Send a form."""
    headers = {"origin": browser.crown.settings.url, "sec_fetch_site": "same-origin"}
    return browser.post(action, fields, **headers)


def test_the_page_that_asks_for_a_word_sends_the_same_form_with_it(organization: Organization):
    iam, browser = organization.management.client("iam"), signed_in(organization.management, user="admin")
    iam.create_group(GroupName="leavers")
    asked = send(browser, "/console/groups/leavers", "/console/groups/leavers/delete")
    ((action, fields),) = dangerous(asked)

    told = follow(browser, send_again(browser, action, {**fields, "typed": " leavers "}))

    assert "Type" in asked.text
    assert "iam:DeleteGroup" in told
    assert "leavers" not in [each["GroupName"] for each in iam.list_groups()["Groups"]]


def test_markup_in_a_name_stays_text_where_the_word_is_asked_for(organization: Organization):
    name, root = "<img src=x onerror=alert(1)>", organization.root_id
    unit, browser = organization.unit(name), signed_in(organization.management, user="admin")
    path = "/console/organization/units/delete"

    asked = send(browser, "/console/organization", path, unit=unit, parent=root)
    gone = send(browser, "/console/organization", path, unit=unit, parent=root, typed=name)

    assert "<img src=x" not in asked.text
    assert 303 == gone.status


def test_the_id_of_an_account_is_typed_as_pages_show_it(organization: Organization):
    member = organization.invited()
    browser = signed_in(member, user="admin")
    grouped = "-".join(member.id[place : place + 4] for place in (0, 4, 8))

    asked = send(browser, "/console/organization", "/console/organization/leave")
    left = follow(browser, send(browser, "/console/organization", "/console/organization/leave", typed=grouped))

    assert member.id in asked.text
    assert "in no organization" in left
