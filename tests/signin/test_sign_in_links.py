"""A root user whom strangers' failures make wait gets in all the same: by a link to its mailbox, for one try in one browser."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from tests.alerts.office import Mailbox
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.signin.people import (
    choose_root_password,
    code,
    root_with_app,
    sign_in_events,
    sign_in_root,
    sign_in_user,
    user_with_password,
)
from tests.signin.recovering import asked_link, choose, mailed_link

from crownkeep import clock
from crownkeep.signin import recovery, sign_in_links, throttle
from crownkeep.storage.database import Database

SUBJECT = "Sign in to the root user"
INVALID = "This link is not valid"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)


@pytest.fixture
def kept_out(crown: Crown) -> tuple[Account, Browser, bytes]:
    """Root with an app, in a browser that it has not used before, while a stranger fails in its name."""
    account, _, seed = root_with_app(crown)
    fail(crown, account)
    return account, Browser(crown), seed


def test_strangers_failures_do_not_keep_root_out_of_a_new_browser(kept_out: tuple[Account, Browser, bytes]):
    account, browser, seed = kept_out
    assert 429 == sign_in_root(browser, account).status
    ask(browser)

    browser.get(mailed_link(account, SUBJECT))
    factor = browser.submit({"password": "correct Horse battery 9"})
    page = browser.submit({"code": code(seed, ahead=1)})

    assert ("Multi-factor authentication", "Console home") == (factor.title, browser.get("/console").title), page.text
    (used,) = sign_in_events(account, "SignInLinkUsed")
    assert (1, "Root") == (len(sign_in_events(account, "SignInLinkRequested")), used["userIdentity"]["type"])


def test_a_sign_in_link_admits_one_try(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    link = asked(browser, account)

    browser.get(link)
    wrong = browser.submit({"password": "wrong"})

    assert (403, True) == (wrong.status, "The link is used up" in wrong.text)
    assert INVALID == browser.get(link).title
    assert "Failure" == sign_in_events(account, "ConsoleLogin")[0]["responseElements"]["ConsoleLogin"]
    assert 429 == sign_in_root(browser, account).status


def test_a_sign_in_link_admits_one_of_many_tries_at_once(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    browser.get(asked(browser, account))
    attributes, filled = browser.page.form("Sign in")

    def guess(password: str) -> Page:
        each = Browser(browser.crown)
        each.cookies = dict(browser.cookies)
        return each.post(sign_in_links.PATH, {**filled, "password": password})

    with ThreadPoolExecutor(6) as threads:
        pages = list(threads.map(guess, [f"wrong {number}" for number in range(6)]))

    assert sign_in_links.PATH in attributes
    assert 1 == sum("The link is used up" in page.text for page in pages)


def test_link_theft_from_the_mailbox_is_worth_nothing_in_another_browser(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    link = asked(browser, account)
    thief = Browser(browser.crown)
    thief.get("/signin?choose")

    assert INVALID == thief.get(link).title
    assert "Root user sign in" == browser.get(link).title


def test_mail_scanners_that_follow_a_sign_in_link_use_nothing_up(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    link = asked(browser, account)

    for _ in range(3):
        page = browser.get(link)

    assert (200, "Root user sign in") == (page.status, page.title)


def test_link_expiry_of_a_sign_in_link_is_fifteen_minutes(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    link = asked(browser, account)

    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        assert INVALID == browser.get(link).title


def test_a_sign_in_link_is_void_once_the_password_changes(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    link = asked(browser, account)
    choose(Browser(browser.crown), asked_link(browser.crown, account))

    assert INVALID == browser.get(link).title


def test_user_enumeration_by_sign_in_links_is_not_possible(crown: Crown):
    account = crown.account()
    pages = []
    for email in (account.email, "nobody@test.example"):
        browser = Browser(crown)
        browser.get("/signin?choose")
        for _ in range(6):
            browser.get("/signin?choose")
            browser.submit({"kind": "root", "email": email})
            browser.submit({"password": "wrong"})
        pages.append((browser.page.text.replace(email, ""), browser.page.status, ask(browser).text))

    assert pages[0] == pages[1]


def test_mail_bombing_with_sign_in_links_is_two_an_hour_from_a_network_and_six_in_all(crown: Crown):
    account = crown.account()
    choose_root_password(Browser(crown), account)
    fail(crown, account)

    for number in range(5):
        for _ in range(3):
            browser = Browser(crown, address=f"10.99.{number}.1")
            sign_in_root(browser, account)
            assert "Check your email" == ask(browser).title
        assert min(2 * number + 2, 6) == len([each for each in Mailbox(crown, account.email).subjects() if SUBJECT in each])

    assert "Rate exceeded" in [each.get("errorMessage") for each in sign_in_events(account, "SignInLinkRequested")]


def test_sign_in_links_are_kept_as_hashes_of_the_link_and_the_browser(kept_out: tuple[Account, Browser, bytes]):
    account, browser, _ = kept_out
    token = asked(browser, account).partition("token=")[2]

    with Database(browser.crown.settings.database_url).snapshot() as db:
        kept = str(list(db.exec_driver_sql("SELECT * FROM one_time_links")))

    assert token not in kept
    assert browser.cookies["crownkeep-visit"] not in kept
    assert token not in str(account.records())


def test_lockout_of_everybody_behind_one_address_spares_browsers_that_are_known(crown: Crown):
    account, browser, seed = root_with_app(crown)
    browser.submit(form="Sign out")
    stranger = Browser(crown, address=browser.address)
    for number in range(32):
        sign_in_user(stranger, account.id, f"user-{number}", "wrong")

    assert 429 == sign_in_user(stranger, account.id, "somebody").status
    sign_in_root(browser, account)
    browser.submit({"code": code(seed, ahead=1)})
    assert "Console home" == browser.get("/console").title


def test_lockout_of_everybody_behind_one_address_spares_whoever_is_signed_in(account: Account):
    user_with_password(account)
    browser = Browser(account.crown)
    sign_in_user(browser, account.id, "bob")
    stranger = Browser(account.crown, address=browser.address)
    for number in range(32):
        sign_in_user(stranger, account.id, f"user-{number}", "wrong")

    browser.get("/console/confirm?to=/console/password")
    page = browser.submit({"password": "correct Horse battery 9"})

    assert 429 == sign_in_user(stranger, account.id, "somebody").status
    assert 200 == page.status, page.text


def test_an_undeclared_proxy_is_named_to_the_operator_once(fresh_crown: Callable[..., Crown], caplog: pytest.LogCaptureFixture):
    crown = fresh_crown()

    for _ in range(3):
        crown.request("GET", "/signin?choose", headers={"X-Forwarded-For": "192.0.2.1\x1b[31m"}, address="198.51.100.7")

    (line,) = [each.getMessage() for each in caplog.records if "X-Forwarded-For" in each.getMessage()]
    assert ("`198.51.100.7`" in line, "trusted_proxies" in line, "192.0.2.1" in line) == (True, True, False)


def fail(crown: Crown, account: Account) -> None:
    """Fail in root's name as a stranger, until every browser that is not known must wait for minutes."""
    stranger = Browser(crown)
    with time_machine.travel(clock.now() - timedelta(minutes=9)) as traveller:
        for failures in range(1, 14):
            assert 403 == sign_in_root(stranger, account, "wrong").status
            traveller.shift(throttle.delay(failures, free=5, longest=timedelta(minutes=15)) if failures < 13 else timedelta(0))
    assert 429 == sign_in_root(Browser(crown), account).status


def ask(browser: Browser) -> Page:
    """Ask for a link on the page that says to wait."""
    return browser.submit(form="Send the link")


def asked(browser: Browser, account: Account) -> str:
    """Be told to wait, ask for a link, and return its path."""
    sign_in_root(browser, account)
    ask(browser)
    return mailed_link(account, SUBJECT)
