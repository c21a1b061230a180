"""Throttling: waits grow and end, count for each by itself, and never keep root out for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.signin.people import PASSWORD, code, root_with_app, sign_in_events, sign_in_root, sign_in_user, user_with_password

from crownkeep import clock
from crownkeep.signin import throttle

LONGEST = timedelta(minutes=15)


def wait(failures: int) -> float:
    return throttle.delay(failures, free=5, longest=LONGEST).total_seconds()


def test_waits_double_after_the_free_failures_up_to_the_longest():
    assert [0, 2, 4, 8] == [wait(failures) for failures in (4, 5, 6, 7)]
    assert 900 == wait(14) == wait(10**9)


@given(st.integers(0, 10**9), st.integers(1, 100))
def test_a_wait_never_shrinks_and_never_exceeds_the_longest(failures: int, free: int):
    now, later = (throttle.delay(each, free=free, longest=LONGEST) for each in (failures, failures + 1))

    assert timedelta(0) <= now <= later <= LONGEST


def test_a_lockout_comes_after_five_failures_and_ends_by_itself(account: Account):
    user_with_password(account)
    browser = Browser(account.crown)
    for _ in range(5):
        sign_in_user(browser, account.id, "bob", "wrong")

    locked = sign_in_user(browser, account.id, "bob")
    with time_machine.travel(clock.now() + timedelta(seconds=3)):
        page = sign_in_user(browser, account.id, "bob")

    assert (429, "Too many attempts", "2") == (locked.status, locked.title, locked.response.header("retry-after"))
    assert "Console home" == page.title


def test_a_lockout_is_the_same_for_a_name_that_nobody_has(account: Account):
    user_with_password(account)

    pages = [[sign_in_user(browser, account.id, name, "wrong") for _ in range(6)] for name, browser in names(account)]

    assert [(page.status, page.title) for page in pages[0]] == [(page.status, page.title) for page in pages[1]]


def names(account: Account) -> list[tuple[str, Browser]]:
    return [("bob", Browser(account.crown)), ("nobody", Browser(account.crown))]


def test_a_lockout_outlives_a_restart_of_the_server(fresh_crown: Any):
    crown = fresh_crown()
    account = crown.account()
    user_with_password(account)
    for _ in range(5):
        sign_in_user(Browser(crown), account.id, "bob", "wrong")

    again = fresh_crown(data=crown.settings.data, database=crown.settings.database)

    assert 429 == sign_in_user(Browser(again), account.id, "bob").status


def test_one_address_cannot_try_everybody(account: Account):
    browser = Browser(account.crown)

    statuses = [sign_in_user(browser, account.id, f"user-{number}", "wrong").status for number in range(32)]

    assert [403] * 30 == statuses[:30]
    assert 429 in statuses[30:]


def test_strangers_failures_do_not_keep_root_out_of_a_browser_it_has_used(crown: Crown):
    account, browser, seed = root_with_app(crown)
    browser.submit(form="Sign out")
    for _ in range(8):
        sign_in_root(Browser(crown), account, "wrong")

    stranger = sign_in_root(Browser(crown), account)
    sign_in_root(browser, account)
    page = browser.submit({"code": code(seed, ahead=1)})

    assert 429 == stranger.status
    assert "Too many attempts" != page.title
    assert "Console home" == browser.get("/console").title


def test_users_failures_do_not_delay_root(crown: Crown):
    account, _, _ = root_with_app(crown)
    for number in range(12):
        sign_in_user(Browser(crown), account.id, f"user-{number}", "wrong")

    page = sign_in_root(Browser(crown), account)

    assert "Multi-factor authentication" == page.title


def test_refused_tries_do_not_prolong_a_wait(account: Account):
    user_with_password(account)
    for _ in range(5):
        sign_in_user(Browser(account.crown), account.id, "bob", "wrong")
    for _ in range(5):
        sign_in_user(Browser(account.crown), account.id, "bob", "wrong")

    with time_machine.travel(clock.now() + timedelta(seconds=3)):
        page = sign_in_user(Browser(account.crown), account.id, "bob")

    assert "Console home" == page.title


def test_a_lockout_is_recorded(account: Account):
    user_with_password(account)
    for _ in range(5):
        sign_in_user(Browser(account.crown), account.id, "bob", "wrong")

    throttled = sign_in_events(account, "SignInThrottled")

    assert [{"ThrottledBy": "person", "WaitSeconds": 2}] == [each["additionalEventData"] for each in throttled]
    assert PASSWORD not in str(account.records())


def test_throttle_evasion_by_many_addresses_of_one_network_is_counted_as_one():
    assert throttle.network("2001:db8:1:2::7") == throttle.network("2001:0DB8:1:2:ffff::1") != throttle.network("2001:db8:1:3::7")


def test_lockout_of_everybody_by_one_is_not_possible_where_addresses_are_mapped():
    assert ["192.0.2.1", "192.0.2.2", "192.0.2.1"] == [
        throttle.network(each) for each in ("::ffff:192.0.2.1", "::FFFF:C000:202", "192.0.2.1")
    ]


@pytest.mark.parametrize("typed", ["bob", "BOB", "Bob"])
def test_throttle_evasion_by_the_spelling_of_a_name_is_not_possible(account: Account, typed: str):
    user_with_password(account)
    for spelling in ("bob", "BOB", "Bob", "boB", "bOb"):
        sign_in_user(Browser(account.crown), account.id, spelling, "wrong")

    page = sign_in_user(Browser(account.crown), account.id, typed)

    assert (429, "Too many attempts") == (page.status, page.title)


def test_throttle_evasion_by_naming_the_account_by_its_alias_is_not_possible(account: Account):
    user_with_password(account)
    alias = f"alias-{account.id}"
    account.client("iam").create_account_alias(AccountAlias=alias)
    for named in (account.id, alias, alias.upper(), account.id, alias):
        sign_in_user(Browser(account.crown), named, "bob", "wrong")

    page = sign_in_user(Browser(account.crown), alias, "bob")

    assert (429, "Too many attempts") == (page.status, page.title)


def test_password_brute_force_from_a_stolen_session_ends_in_a_wait_and_is_recorded(crown: Crown):
    account, thief, seed = root_with_app(crown)
    thief.get("/console/confirm?to=/console/password")
    thief.submit({"code": code(seed, ahead=1)})
    guess = {"old": "wrong", "new": "another Horse battery 9", "again": "another Horse battery 9"}

    pages = []
    for _ in range(7):
        thief.get("/console/password")
        pages.append(thief.submit(guess))

    assert (429, "Too many attempts") == (pages[-1].status, pages[-1].title), pages[-1].text
    codes = [each["errorCode"] for each in sign_in_events(account, "PasswordUpdated") if "errorMessage" in each]
    assert ("Throttling", 7) == (codes[0], len(codes))
    assert 5 <= codes.count("AccessDenied") <= 6
    assert sign_in_events(account, "SignInThrottled")
