"""Root's e-mail address: changed by a code that goes to the new one, by whoever has just proved to be root with a device."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from tests.alerts.office import Mailbox, text_of
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
from tests.signin.recovering import asked_link

from crownkeep import clock
from crownkeep.signin import email_change, recovery


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)


@pytest.fixture
def root(crown: Crown) -> tuple[Account, Browser, bytes]:
    return root_with_app(crown)


def start(browser: Browser, email: str) -> Page:
    browser.get("/console/email")
    return browser.submit({"email": email}, form="Send a code")


def code_sent(crown: Crown, email: str) -> str:
    message = Mailbox(crown, email).wait("Your code is")
    found = re.fullmatch(r"Your code is ([a-zA-Z0-9]{6})", str(message["Subject"]))
    assert found
    assert found[1] in text_of(message)
    return found[1]


def give(browser: Browser, given: str) -> Page:
    return browser.submit({"code": given}, form="Change the email address</button>")


def new_address(account: Account) -> str:
    return f"New.Root-{account.id}@acme.example"


def test_root_signs_in_with_its_new_address_and_all_else_stays(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, seed = root
    email = new_address(account)

    start(browser, email)
    changed = give(browser, code_sent(crown, email))

    assert f"Signs in with {email}" in changed.text
    assert "My security credentials" == browser.get("/console/security").title
    again = Browser(crown)
    assert "authentication information is incorrect" in sign_in_root(again, account).text
    account.email = email.lower()
    assert "Multi-factor authentication" == sign_in_root(again, account).title
    again.submit({"code": code(seed, ahead=1)})
    assert "Console home" == again.get("/console").title


def test_the_change_is_recorded_and_both_mailboxes_hear_of_it(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    email, former = new_address(account), account.email

    start(browser, email)
    give(browser, code_sent(crown, email))

    (record,) = sign_in_events(account, "EmailUpdated")
    assert ("signin.amazonaws.com", {"EmailUpdated": "Success"}) == (record["eventSource"], record["responseElements"])
    assert Mailbox(crown, former).wait("This is no longer the e-mail address of a root user")
    assert Mailbox(crown, email).wait("The root user's e-mail address was changed")


def test_the_code_is_in_no_record(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    email = new_address(account)

    start(browser, email)
    sent = code_sent(crown, email)
    give(browser, "aaaaaa")
    give(browser, sent)

    assert sent not in str(account.records())


def test_link_theft_by_the_old_mailbox_links_that_went_there_are_void(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    link = asked_link(crown, account)
    email = new_address(account)

    start(browser, email)
    give(browser, code_sent(crown, email))

    assert 403 == Browser(crown).get(link).status


def test_code_guessing_five_wrong_codes_void_the_change(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    email = new_address(account)
    start(browser, email)
    sent = code_sent(crown, email)

    texts = [give(browser, "aaaaaa").text for _ in range(email_change.MOST_ATTEMPTS)]
    browser.post("/console/email/code", {**browser.page.form("Send a code")[1], "code": sent})

    assert all("That code is wrong." in text for text in texts)
    assert "No code is waiting" in browser.page.text


def test_code_expiry_a_code_is_good_for_a_day(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, seed = root
    email = new_address(account)
    start(browser, email)
    sent = code_sent(crown, email)

    with time_machine.travel(clock.now() + timedelta(hours=24, minutes=1)):
        later = Browser(crown)
        sign_in_root(later, account)
        later.submit({"code": code(seed)})
        later.get("/console/email")
        page = later.post("/console/email/code", {**later.page.form("Send a code")[1], "code": sent})

    assert "No code is waiting" in page.text


def test_code_reuse_a_code_works_once(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    email = new_address(account)
    start(browser, email)
    sent = code_sent(crown, email)
    give(browser, sent)
    browser.get("/console/email")

    page = browser.post("/console/email/code", {**browser.page.form("Send a code")[1], "code": sent})

    assert "No code is waiting" in page.text


def test_an_address_of_another_account_is_refused_as_aws_does(crown: Crown, root: tuple[Account, Browser, bytes]):
    other = crown.account()

    page = start(root[1], other.email.upper())

    assert "Another account uses this email address." in page.text


def test_an_address_that_was_taken_in_between_is_refused_at_the_end(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    email = new_address(account)
    start(browser, email)
    sent = code_sent(crown, email)
    crown.account(email=email.lower())

    page = give(browser, sent)

    assert "Another account uses this email address." in page.text


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a@b",
        "root",
        "a@b.c\r\nBcc: e@e.example",
        f"{'x' * 60}@acme.example",
        "a,b@acme.example",
        "a@acme.example>",
        "ä@acme.example",
    ],
)
def test_a_hostile_address_is_refused_and_nothing_is_mailed(root: tuple[Account, Browser, bytes], email: str):
    page = start(root[1], email)

    assert "Enter an email address of 5 to 64 characters." in page.text


def test_mail_bombing_strangers_with_codes_ends_after_five(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    victim = f"victim-{account.id}@acme.example"

    pages = [start(browser, victim) for _ in range(email_change.MOST_CODES + 1)]

    assert "Too many codes were sent." in pages[-1].text
    assert email_change.MOST_CODES == len(Mailbox(crown, victim).subjects())


def test_spam_by_account_names_a_notice_to_a_stranger_holds_nothing_that_a_tenant_chose(crown: Crown):
    account, browser, _ = root_with_app(crown)
    account.root("account").put_account_name(AccountName="Win at http://evil.example")
    victim = f"stranger-{account.id}@acme.example"

    start(browser, victim)

    message = Mailbox(crown, victim).wait("Your code is")
    assert "evil" not in message.as_string()


def test_a_stale_session_is_asked_for_a_fresh_proof(crown: Crown, root: tuple[Account, Browser, bytes]):
    _, browser, _ = root

    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        page = browser.get("/console/email")

    assert "Confirm that it is you" == page.title


def test_a_user_changes_nothing(crown: Crown):
    account = crown.account()
    user_with_password(account)
    browser = Browser(crown)
    sign_in_user(browser, account.id, "bob")

    page = browser.get("/console/email")

    assert (403, True) == (page.status, "Only the root user changes its email address." in page.text)


def test_root_without_a_device_changes_nothing(fresh_crown: Callable[..., Crown]):
    crown = fresh_crown(root_mfa_grace_days=30)
    account = crown.account()
    browser = Browser(crown)
    choose_root_password(browser, account)
    browser.submit({"put-off": "1"}, form="put-off")

    page = start(browser, "new@acme.example")

    assert "Assign an MFA device first" in page.text


def test_cross_site_request_forgery_a_form_from_elsewhere_changes_nothing(crown: Crown, root: tuple[Account, Browser, bytes]):
    account, browser, _ = root
    browser.get("/console/email")

    page = browser.submit(
        {"email": new_address(account)}, form="Send a code", **{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    )

    assert 403 == page.status
    assert [] == Mailbox(crown, new_address(account)).subjects()
