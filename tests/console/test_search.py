"""Finding anything: the search box's page and its suggestions, each as far as whoever looks may see it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.console.forms import reader
from tests.fixtures.crown import Account
from tests.signin.browser import Browser

from crownkeep.console.app import ROUTES
from crownkeep.console.kit import site_map

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def test_a_part_of_a_name_finds_pages_users_and_policies(iam: Any, browser: Browser):
    iam.create_user(UserName="night-auditor")

    page = browser.get("/console/find?q=audit").text

    assert '<a href="/console/credential-audits">Credential audits</a>' in page
    assert '<a href="/console/users/night-auditor">night-auditor</a>' in page
    assert "SecurityAudit" in page
    assert "aws account-security find-names --text audit" in page


def test_the_id_of_a_key_an_event_or_an_account_leads_straight_to_it(iam: Any, browser: Browser, account: Account):
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    event = account.client("cloudtrail").lookup_events(MaxResults=1)["Events"][0]["EventId"]

    to_key, to_event = (browser.get(f"/console/find?q={text}") for text in (key, event.upper()))

    assert (303, "/console/users/bob?tab=security") == (to_key.status, to_key.header("location"))
    assert (303, f"/console/trail/event?id={event}") == (to_event.status, to_event.header("location"))


def test_a_key_id_of_another_account_leads_nowhere(crown: Any, browser: Browser):
    other = crown.account()
    other.client("iam").create_user(UserName="eve")
    key = other.client("iam").create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]

    page = browser.get(f"/console/find?q={key}")

    assert 200 == page.status
    assert "Nothing was found" in page.text
    assert "/users/eve" not in page.text
    assert "which you don" not in page.text


def test_whoever_may_not_list_users_finds_none_and_is_told(account: Account):
    account.client("iam").create_user(UserName="harbour-master")
    browser = reader(account, "iam:ListGroups")

    page, suggested = (browser.get(f"/console/find{path}?q=harbour").text for path in ("", "/suggestions"))

    assert "harbour-master" not in page + suggested
    assert "left things out that need iam:ListUsers" in page


def test_suggestions_are_options_that_lead_to_pages(iam: Any, browser: Browser):
    iam.create_user(UserName="harbour-master")

    suggested = browser.get("/console/find/suggestions?q=harbour").text

    assert 1 == suggested.count('<li role="option" id="found-1" aria-selected="false">') == suggested.count("<li")
    assert 'href="/console/users/harbour-master"' in suggested


def test_what_begins_with_the_text_and_is_one_s_own_is_suggested_first(iam: Any, browser: Browser):
    for name in ("ship-wright", "worship"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))

    suggested = browser.get("/console/find/suggestions?q=shi").text

    assert ["ship-wright", "worship"] == re.findall(r'<span class="label">([^<]+)', suggested)[:2]
    assert suggested.index("worship") < suggested.index("AWS managed")


def test_every_place_that_is_found_is_a_page_and_so_is_every_entry_of_the_navigation(browser: Browser):
    pages = {route.path for route in ROUTES if "GET" in (route.methods or ())}
    found = {place.path for place in site_map.PLACES}
    entries = re.findall(
        r'<li><a href="(/[^"]*)"', browser.get("/console").text.partition('class="side"')[2].partition("</nav>")[0]
    )

    assert set() == found - pages
    assert set() == set(entries) - found
    assert len(entries) > 10


def test_lists_of_roles_and_groups_find_a_part_of_a_name(iam: Any, browser: Browser):
    for name in ("night-audit", "deploy"):
        iam.create_group(GroupName=name)

    found, exact = browser.get("/console/groups?name=AUD"), browser.get("/console/groups?name=Deploy")

    assert "/console/groups/night-audit" in found.text
    assert "/console/groups/deploy" not in found.text
    assert (303, "/console/groups/deploy") == (exact.status, exact.header("location"))
    assert "No role&#39;s name holds" in browser.get("/console/roles?name=zzz").text
