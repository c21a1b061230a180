"""Help where something does not work: who can give a permission, which statement, and where else to look."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.console.forms import ALLOW, reader, send
from tests.fixtures.crown import Account, Crown
from tests.signin.browser import Browser

from crownkeep.console.app import ROUTES
from crownkeep.console.kit import manual, missing_permissions, page_help

HOME = ("/console/", "/console/undo", "/console/check-document")
"""Routes that are the first page, or no page by themselves."""


def test_a_refusal_says_who_can_change_it_and_which_statement_to_add(account: Account):
    page = reader(account, "iam:ListGroups").get("/console/users").text

    assert "An administrator of this account can give it" in page
    assert "&#34;Action&#34;: &#34;iam:ListUsers&#34;" in page


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p", "manage the organization"),
        ("because no service control policy allows the iam:ListUsers action", "manage the organization"),
        ("because no permissions boundary allows the iam:ListUsers action", "permissions boundary"),
        ("with an explicit deny in an identity-based policy", "no other policy can allow it"),
        ("because no session policy allows the iam:ListUsers action", "Sign in again"),
    ],
)
def test_no_statement_is_named_where_adding_one_would_not_help(reason: str, told: str):
    found = missing_permissions.help_for("iam:ListUsers", f"User: x is not authorized to perform: iam:ListUsers {reason}")

    assert told in found.who
    assert "" == found.statement


def test_an_address_that_leads_nowhere_leads_on(browser: Browser, crown: Crown):
    inside, outside = browser.get("/console/passwords/polcy"), Browser(crown).get("/nonexistent")

    assert (404, 404) == (inside.status, outside.status)
    assert '<a href="/console/password-policy">Password policy</a>' in inside.text
    assert 'role="search"' in inside.text
    assert "There is no such page" in outside.text
    assert 'href="/console/users"' not in outside.text


def test_a_policy_is_deleted_once_its_name_is_typed(iam: Any, browser: Browser):
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=str(ALLOW).replace("'", '"'))["Policy"]["Arn"]
    page = f"/console/policies/one?arn={arn}"

    mistyped = send(browser, page, "/console/policies/delete", arn=arn, typed="writing")
    assert "What was typed is not reading." in mistyped.text
    assert iam.get_policy(PolicyArn=arn)
    done = send(browser, page, "/console/policies/delete", arn=arn, typed="reading")

    assert 303 == done.status
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy(PolicyArn=arn)


def test_every_page_knows_when_the_session_ends(browser: Browser):
    page = browser.get("/console").text

    assert 'data-idle-seconds="3600"' in page
    assert "Stay signed in" in page


def test_every_page_has_two_sentences_of_its_own_and_a_heading_of_the_manual_that_is_there():
    paths = {re.sub(r"^/console/\{kind\}/", "/console/users/", each.path) for each in ROUTES if each.path.startswith("/console/")}

    found = {path: page_help.of(path) for path in paths - {*HOME}}

    assert [] == [path for path, each in found.items() if each is page_help.PAGES["/console"]]
    assert [] == [path for path, each in found.items() if len(re.findall(r"[.](?= |$)", each.text)) != 2]
    for each in page_help.PAGES.values():
        page = manual.find(each.document)
        assert page is not None
        assert not each.heading or f'id="{each.heading}"' in page.text


def test_a_page_says_what_it_is_for_and_leads_to_the_manual_that_came_with_the_server(browser: Browser):
    page = browser.get("/console/trail").text
    link = re.search(r'<a href="(/console/help/console)#trail">More in the manual</a>', page)
    assert link
    document = browser.get(link[1])

    assert "Every call to this account is recorded, also those that were refused." in unescape(page)
    assert '<h2 id="trail">Trail</h2>' in document.text
    assert 'href="/console/help/sign-in"' in document.text


def test_links_of_the_manual_lead_to_its_pages_and_headings_and_nothing_in_it_is_markup_of_a_document():
    pages = {name: manual.find(name) for name in manual.titles()}
    texts = {name: page.text for name, page in pages.items() if page is not None}

    leads = {lead for text in texts.values() for lead in re.findall(rf'href="{manual.PLACE}/([^"#]+)(?:#([^"]+))?"', text)}

    assert pages.keys() == texts.keys()
    assert [] == [(name, heading) for name, heading in leads if heading and f'id="{heading}"' not in texts[name]]
    odd = re.compile(r'<(?:script|img|iframe|form|style)|href="(?!/console/help/|https?://|#)')
    assert [] == [name for name, text in texts.items() if odd.search(text)]


@pytest.mark.parametrize(
    "name", ["../pyproject", "..%2F..%2Fpyproject", "/etc/passwd", "console.md", "nothing", "reference/../console"]
)
def test_only_documents_of_the_manual_are_opened(browser: Browser, name: str):
    assert 404 == browser.get(f"/console/help/{name}").status
    assert manual.find(name) is None


def test_markup_in_a_document_is_shown_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bad.md").write_text("# Bad\n\n<script>x</script> [y](javascript:x) [z](data:text/html,x) ![p](p.png)\n")
    monkeypatch.setattr(manual, "_FOLDER", tmp_path)
    monkeypatch.setattr(manual, "titles", lambda: {"bad": "Bad"})

    page = manual.find("bad")

    assert page is not None
    assert "<script" not in page.text
    assert "href=" not in page.text
