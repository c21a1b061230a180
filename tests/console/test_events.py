"""Events as pages: looked up, shown in words, and read with care."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from tests.console.forms import ADMINISTRATOR
from tests.fixtures.crown import Account
from tests.signin.browser import Browser


def test_a_user_named_root_is_not_taken_for_root(account: Account, browser: Browser):
    account.user("root", arn=ADMINISTRATOR).client("iam").list_groups()

    page = browser.get("/console/trail/root").text

    assert "ListGroups" not in page


def test_an_event_is_found_by_its_name_and_shown_in_words(account: Account, iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    account.root("iam").list_users()

    listed = browser.get("/console/trail?by=EventName&value=CreateUser").text
    found = re.search(r'/console/trail/event\?id=([0-9a-f-]{36})">CreateUser', listed)
    assert found is not None
    page = browser.get(f"/console/trail/event?id={found[1]}").text

    assert "The user admin called CreateUser of iam.amazonaws.com" in page
    assert "ListUsers" in browser.get("/console/trail/root").text
    assert 404 == browser.get("/console/trail/event?id=00000000-0000-0000-0000-000000000000").status


def test_a_day_without_scripts_is_one_of_utc_and_ends_with_it(iam: Any, browser: Browser):
    iam.create_user(UserName="dated")
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    shown = browser.get(f"/console/trail?first={today}&last={today}").text

    assert "CreateUser" in shown
    assert f'data-moment="{today}T23:59:59Z"' in shown
    assert "CreateUser" in browser.get(f"/console/trail?first={today}T00:00:00Z&last={today}T23:59:59Z").text
    assert "CreateUser" not in browser.get(f"/console/trail?last={today}T00:00:00Z").text


def test_days_that_are_no_days_and_tokens_that_are_none_break_nothing(browser: Browser):
    assert 200 == browser.get("/console/trail?first=yesterday&last=9999-99-99").status
    assert 200 == browser.get("/console/trail?first=2026-12-31&last=2026-01-01").status
    page = browser.get("/console/trail?marker=nonsense")

    assert 200 == page.status
    assert "InvalidNextToken" in page.text
