"""Root's forgotten password: by a link to its mailbox, and by nothing else. Tests of hostile input are named after the threat."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import Table, func, select
from tests.alerts.office import Mailbox, link_in, text_of
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown
from tests.signin.browser import in_house
from tests.signin.people import PASSWORD, choose_root_password, code, root_with_app, sign_in_events, sign_in_root
from tests.signin.recovering import ASK, NEW, ask, asked_link, choose

from crownkeep import clock
from crownkeep.operations.call import Origin
from crownkeep.signin import recovery
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import outbox
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.writer import Commit

INVALID = "This link is not valid"
TABLES = (one_time_links.table, outbox.table)


@pytest.fixture(autouse=True)
def _at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers not wait, except where that is what the test is about."""
    if "timing" not in request.node.name:
        monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)


def test_the_way_from_a_forgotten_password_to_the_console(crown: Crown):
    account, _, seed = root_with_app(crown)
    browser = Browser(crown)

    answer = ask(browser, account.email.upper())
    asked = choose(browser, link_in(Mailbox(crown, account.email).wait(ASK)))
    browser.submit({"code": code(seed, ahead=1)})

    assert "Check your email" == answer.title
    assert "Multi-factor authentication" == asked.title
    assert "Console home" == browser.get("/console").title


def test_the_new_password_is_the_only_one(crown: Crown):
    account, _, _ = root_with_app(crown)

    choose(Browser(crown), asked_link(crown, account))

    assert "authentication information is incorrect" in sign_in_root(Browser(crown), account, PASSWORD).text
    assert "Multi-factor authentication" == sign_in_root(Browser(crown), account, NEW).title


def test_every_session_of_root_ends(crown: Crown):
    account, browser, _ = root_with_app(crown)
    assert "Console home" == browser.get("/console").title

    choose(Browser(crown), asked_link(crown, account))

    assert "Sign in" == browser.get("/console").title


def test_each_step_is_recorded_as_cloudtrail_does_and_told(crown: Crown):
    account, _, _ = root_with_app(crown)

    choose(Browser(crown), asked_link(crown, account))

    for name in ("PasswordRecoveryRequested", "PasswordRecoveryCompleted"):
        (record,) = sign_in_events(account, name)
        assert ("signin.amazonaws.com", "AwsConsoleSignIn") == (record["eventSource"], record["eventType"])
        assert ("Root", account.id) == (record["userIdentity"]["type"], record["userIdentity"]["accountId"])
        assert {name: "Success"} == record["responseElements"]
    mailbox = Mailbox(crown, account.email)
    assert mailbox.wait("A new password for the root user was asked for")
    assert mailbox.wait("The root user's password was replaced by a mailed link")


def test_root_that_never_chose_a_password_may_begin_so(crown: Crown):
    account = crown.account()

    page = choose(Browser(crown), asked_link(crown, account))

    assert "Register" in page.text or "MFA" in page.title


def test_a_common_password_is_refused_and_the_link_stays_good(crown: Crown):
    account, _, _ = root_with_app(crown)
    link = asked_link(crown, account)

    refused = choose(Browser(crown), link, "Password123")

    assert "one of the most used passwords" in refused.text
    assert "Multi-factor authentication" == choose(Browser(crown), link).title


def test_lookalike_addresses_get_no_link_and_the_kept_one_gets_it(crown: Crown):
    account = crown.account(email=f"kate-{clock.monotonic()}@acme.example")
    lookalike = account.email.replace("k", "\u212a", 1)

    ask(Browser(crown), lookalike)

    assert [] == Mailbox(crown, lookalike).subjects()
    assert Mailbox(crown, account.email).wait(ASK)


def test_user_enumeration_by_recovery_the_answer_is_the_same_for_an_address_that_nobody_has(crown: Crown):
    account = crown.account()

    known, unknown = ask(Browser(crown), account.email), ask(Browser(crown), "nobody@acme.example")

    assert (known.status, _shown(known.response.text)) == (unknown.status, _shown(unknown.response.text))
    assert _names(known.response.headers) == _names(unknown.response.headers)


def test_user_enumeration_by_recovery_the_same_rows_are_written(crown: Crown):
    account = crown.account()
    house = crown._served._app._house
    counted = []

    for email in (account.email, f"nobody-{account.id}@acme.example"):

        def work(db: Transaction, email: str = email) -> Commit[tuple[int, ...]]:
            before = [_count(db, table) for table in TABLES]
            recovery._request(db, house.door.wiring, email, Origin("192.0.2.1", "", "us-east-1", ""), clock.now())
            return Commit(tuple(_count(db, table) - earlier for table, earlier in zip(TABLES, before, strict=True)), [])

        counted.append(in_house(crown, work))

    assert [(1, 1), (1, 1)] == counted


def test_user_enumeration_by_timing_every_answer_waits_for_the_same_moment(crown: Crown):
    account = crown.account()
    browser = Browser(crown)
    waited = []

    for email in (account.email, "nobody@acme.example"):
        browser.get("/signin/recover/password")
        began = clock.monotonic()
        browser.submit({"email": email})
        waited.append(clock.monotonic() - began)

    assert min(waited) >= recovery.ANSWERED_AFTER_SECONDS


def test_user_enumeration_by_the_trail_an_unknown_address_is_written_nowhere(crown: Crown):
    account = crown.account()
    email = f"secret-{account.id}@acme.example"

    ask(Browser(crown), email)

    found = crown.records("")
    assert "PasswordRecoveryRequested" in [record["eventName"] for record in found]
    assert email not in str(found)


def test_link_reuse_a_link_works_once(crown: Crown):
    account, _, _ = root_with_app(crown)
    link = asked_link(crown, account)
    choose(Browser(crown), link)

    page = choose(Browser(crown), link, "yet another Horse 5")

    assert (403, INVALID) == (page.status, page.title)


def test_link_reuse_using_one_voids_all_that_were_sent(crown: Crown):
    account, _, _ = root_with_app(crown)
    first, second = asked_link(crown, account), asked_link(crown, account)
    assert first != second
    choose(Browser(crown), second)

    assert INVALID == choose(Browser(crown), first).title


def test_link_reuse_by_two_at_once_only_one_gets_through(crown: Crown):
    account, _, _ = root_with_app(crown)
    link = asked_link(crown, account)
    browsers = [Browser(crown), Browser(crown)]
    for browser in browsers:
        browser.get(link)

    def submit(numbered: tuple[int, Browser]) -> str:
        number, browser = numbered
        password = f"{NEW} of {number}"
        return browser.submit({"new": password, "again": password}).title

    with ThreadPoolExecutor(2) as threads:
        titles = list(threads.map(submit, enumerate(browsers)))

    assert sorted([INVALID, "Multi-factor authentication"], reverse=True) == sorted(titles, reverse=True)


def test_link_expiry_after_an_hour_it_is_worth_nothing(crown: Crown):
    account, _, _ = root_with_app(crown)
    link = asked_link(crown, account)

    with time_machine.travel(clock.now() + timedelta(hours=1, seconds=1)):
        page = choose(Browser(crown), link)

    assert INVALID == page.title


def test_link_theft_before_a_change_a_password_changed_in_between_voids_it(crown: Crown):
    account, _, _ = root_with_app(crown)
    stolen = asked_link(crown, account)
    choose(Browser(crown), asked_link(crown, account))

    assert INVALID == choose(Browser(crown), stolen, "the Thief's password 1").title


def test_link_theft_before_a_change_a_device_changed_in_between_voids_it(crown: Crown):
    account = crown.account()
    browser = Browser(crown)
    choose_root_password(browser, account)
    stolen = asked_link(crown, account)
    browser.submit({"name": "phone", "app": "1"}, form="Set up an authenticator app")
    seed = browser.page.seed
    browser.submit({"code1": code(seed, ahead=-1), "code2": code(seed)})

    assert INVALID == choose(Browser(crown), stolen).title


def test_link_confusion_a_link_for_the_first_password_is_none_for_another_page(crown: Crown):
    account = crown.account()
    token = account.created["set_password_url"].partition("token=")[2]

    for path in ("/signin/recover/reset", "/signin/recover/mfa/link", "/signin/recover/confirm"):
        assert 403 == Browser(crown).get(f"{path}?token={token}").status


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "%00" * 43, "A" * 5000, "../" * 20])
def test_link_guessing_what_was_never_a_link_is_refused(crown: Crown, token: str):
    for path in ("/signin/recover/reset", "/signin/recover/mfa/link", "/signin/recover/confirm"):
        assert 403 == Browser(crown).get(f"{path}?token={token}").status


def test_mail_scanners_that_follow_links_use_nothing_up(crown: Crown):
    account, _, _ = root_with_app(crown)
    link = asked_link(crown, account)

    for method in ("GET", "HEAD", "GET"):
        assert 200 == Browser(crown).send(method, link, {}).status

    assert "Multi-factor authentication" == choose(Browser(crown), link).title


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Forwarded-Proto": "javascript"},
    ],
)
def test_host_header_poisoning_links_are_made_of_the_settings_alone(crown: Crown, headers: dict[str, str]):
    account = crown.account()
    browser = Browser(crown)
    browser.get("/signin/recover/password")

    browser.submit({"email": account.email}, **headers)
    ask(Browser(crown), account.email)

    message = Mailbox(crown, account.email).wait(ASK)
    assert "evil" not in message.as_string()
    assert f"{crown.settings.url}/signin/recover/reset?token=" in text_of(message)


def test_referrer_leak_pages_of_links_tell_other_sites_nothing_and_are_not_kept(crown: Crown):
    account, _, _ = root_with_app(crown)

    page = Browser(crown).get(asked_link(crown, account))

    assert "same-origin" == page.response.header("referrer-policy")
    assert "no-store" == page.response.header("cache-control")
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.response.text)


def test_mail_bombing_an_address_gets_five_links_an_hour(crown: Crown):
    account = crown.account()
    titles = {ask(Browser(crown), account.email).title for _ in range(recovery.MOST_FOR_EMAIL + 3)}

    subjects = Mailbox(crown, account.email).subjects()

    assert {"Check your email"} == titles
    assert recovery.MOST_FOR_EMAIL == sum(ASK in each for each in subjects)
    refused = [each for each in sign_in_events(account, "PasswordRecoveryRequested") if "errorMessage" in each]
    assert ["Rate exceeded"] == [each["errorMessage"] for each in refused]


def test_mail_bombing_after_an_hour_a_link_is_sent_again(crown: Crown):
    account = crown.account()
    for _ in range(recovery.MOST_FOR_EMAIL + 1):
        ask(Browser(crown), account.email)
    sent = len([each for each in Mailbox(crown, account.email).subjects() if ASK in each])

    with time_machine.travel(clock.now() + recovery.SPAN + timedelta(seconds=1)):
        ask(Browser(crown), account.email)
        assert sent + 1 == len([each for each in Mailbox(crown, account.email).subjects() if ASK in each])


def test_mail_bombing_many_addresses_from_one_place_is_stopped(crown: Crown):
    browser = Browser(crown)
    for number in range(recovery.MOST_FOR_ADDRESS):
        assert 200 == ask(browser, f"nobody-{number}@bombed.example").status

    assert 429 == ask(browser, "one-more@bombed.example").status


def test_a_closed_account_sends_no_link(crown: Crown):
    account = crown.account()
    crown.operator("POST", f"/accounts/{account.id}/close")

    answer = ask(Browser(crown), account.email)

    assert "Check your email" == answer.title
    assert [] == [each for each in Mailbox(crown, account.email).subjects() if ASK in each]


def test_a_hostile_address_is_answered_like_any_other(crown: Crown):
    for email in ("", "x" * 5000, "root@acme.example\r\nBcc: eve@evil.example", "\ud800", "'; DROP TABLE accounts; --"):
        assert "Check your email" == ask(Browser(crown), email.encode("utf-8", "replace").decode()).title


def _count(db: Transaction, table: Table) -> int:
    return int(db.execute(select(func.count()).select_from(table)).scalar_one())


def _shown(text: str) -> str:
    return re.sub(r'name="csrf" value="[^"]*"', "", text)


def _names(headers: tuple[tuple[str, str], ...]) -> list[str]:
    return sorted(name for name, _ in headers)
