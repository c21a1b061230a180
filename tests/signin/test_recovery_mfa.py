"""Root's lost MFA devices: by root's mailbox and a second person, never by one of them alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from tests.alerts.office import Mailbox, link_in, text_of
from tests.fixtures.asgi import Response
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.signin.people import enrol_app, root_with_app, sign_in_events, sign_in_root
from tests.signin.recovering import LOST, asked_link, choose, mailed_link

from crownkeep import clock
from crownkeep.signin import mfa_recovery, recovery

INVALID = "This link is not valid"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)


def report_lost(crown: Crown, account: Account) -> Page:
    """Prove the password and say that the device is lost."""
    browser = Browser(crown)
    sign_in_root(browser, account)
    browser.get("/signin/recover/mfa")
    return browser.submit()


def opened(crown: Crown, link: str) -> tuple[Browser, str]:
    """Open a link as whoever reads root's mailbox, and return the code that is shown."""
    browser = Browser(crown)
    browser.get(link)
    return browser, shown_code(browser.submit())


def shown_code(page: Page) -> str:
    found = page.response.text.partition('id="code">')[2].partition("<")[0]
    assert len(found) == 9, page.text
    return found


def confirm(crown: Crown, account: Account, told: str) -> Response:
    """Confirm as the operator does."""
    return crown.operator("POST", f"/accounts/{account.id}/root/confirm-recovery", {"code": told})


def complete(browser: Browser, link: str) -> Page:
    browser.get(link)
    return browser.submit(form="Remove the lost devices")


@pytest.fixture
def lost(crown: Crown) -> Callable[[], tuple[Account, str]]:
    """Make an account whose root has reported its device lost, and return the link that was mailed."""

    def make() -> tuple[Account, str]:
        account, _, _ = root_with_app(crown)
        report_lost(crown, account)
        return account, mailed_link(account, LOST)

    return make


def test_the_way_from_a_lost_device_to_a_new_one(crown: Crown):
    account, former, _ = root_with_app(crown)
    answer = report_lost(crown, account)
    link = mailed_link(account, LOST)
    browser, shown = opened(crown, link)
    confirmed = confirm(crown, account, shown)
    completed = complete(browser, link)
    sign_in_root(browser, account)
    enrol_app(browser, "new-phone")

    assert "Check your email" == answer.title
    assert (200, "confirmed", "operator") == (confirmed.status, confirmed.json()["stage"], confirmed.json()["confirmed_by"])
    assert "The root user has no MFA device" == completed.title
    assert "Console home" == browser.get("/console").title
    assert "Sign in" == former.get("/console").title


def test_each_step_is_recorded_and_told_to_root_and_the_security_contact(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    account, link = lost()
    security = f"security-{account.id}@acme.example"
    account.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", Name="S", Title="T", EmailAddress=security, PhoneNumber="+1 555"
    )
    browser, shown = opened(crown, link)
    confirm(crown, account, shown)
    complete(browser, link)

    for name in ("MfaRecoveryRequested", "MfaRecoveryOpened", "MfaRecoveryCompleted"):
        assert 1 == len(sign_in_events(account, name)), name
    (completed,) = sign_in_events(account, "MfaRecoveryCompleted")
    assert {"RemovedDevices": [f"arn:aws:iam::{account.id}:mfa/phone"], "ConfirmedBy": "operator"} == completed[
        "additionalEventData"
    ]
    (by_operator,) = sign_in_events(account, "ConfirmRootRecovery")
    assert shown not in str(by_operator)
    for address in (account.email, security):
        mailbox = Mailbox(crown, address)
        assert mailbox.wait("waits to be confirmed")
        assert mailbox.wait("The operator confirmed")
        assert mailbox.wait("MFA devices were removed")


def test_recovery_codes_go_with_the_devices(crown: Crown):
    account, browser, _ = root_with_app(crown)
    browser.submit(form="Make")
    report_lost(crown, account)
    link = mailed_link(account, LOST)
    holder, shown = opened(crown, link)
    confirm(crown, account, shown)

    complete(holder, link)

    assert 0 == crown.operator("GET", f"/accounts/{account.id}/root").json()["recovery_codes"]


def test_one_channel_alone_the_mailbox_without_a_confirmation_removes_nothing(
    crown: Crown, lost: Callable[[], tuple[Account, str]]
):
    account, link = lost()
    browser, _ = opened(crown, link)

    token = link.partition("token=")[2]
    page = browser.submit({"token": token}, path="/signin/recover/mfa/complete", form="") if _has_form(browser) else None
    forced = Browser(crown)
    forced.get("/signin/recover/password")
    forced.submit({"token": token}, path="/signin/recover/mfa/complete")

    assert page is None
    assert INVALID == forced.page.title
    assert "Multi-factor authentication" == sign_in_root(Browser(crown), account).title


def test_one_channel_alone_the_operator_without_an_opened_link_confirms_nothing(
    crown: Crown, lost: Callable[[], tuple[Account, str]]
):
    account, _ = lost()

    refused = confirm(crown, account, "0000-0000")

    assert (409, True) == (refused.status, "no recovery of root waits" in refused.json()["message"])


def test_one_channel_alone_the_mailbox_resets_the_password_and_is_still_asked_for_the_device(crown: Crown):
    account, _, _ = root_with_app(crown)
    browser = Browser(crown)

    page = choose(browser, asked_link(crown, account))

    assert "Multi-factor authentication" == page.title
    assert "Sign in" == browser.get("/console").title


def test_the_password_must_be_proved_before_a_device_can_be_reported_lost(crown: Crown):
    browser = Browser(crown)

    asked = browser.get("/signin/recover/mfa")
    browser.get("/signin/recover/password")
    forced = browser.submit({}, path="/signin/recover/mfa")

    assert "Sign in" == asked.title
    assert 403 == forced.status


def test_code_guessing_after_five_wrong_codes_the_recovery_is_void(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    account, link = lost()
    _, shown = opened(crown, link)

    answers = [confirm(crown, account, "0000-0000").status for _ in range(mfa_recovery.MOST_ATTEMPTS)]

    assert [409] * mfa_recovery.MOST_ATTEMPTS == answers
    assert 409 == confirm(crown, account, shown).status
    assert INVALID == Browser(crown).get(link).title


def test_a_code_is_taken_as_people_read_it_aloud(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    account, link = lost()
    _, shown = opened(crown, link)

    spoken = shown.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert 200 == confirm(crown, account, spoken).status


def test_link_expiry_an_unopened_link_is_good_for_fifteen_minutes(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    _, link = lost()

    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        assert INVALID == Browser(crown).get(link).title


def test_link_expiry_an_opened_one_waits_for_a_day_and_a_confirmed_one_for_an_hour(
    crown: Crown, lost: Callable[[], tuple[Account, str]]
):
    account, link = lost()
    _, shown = opened(crown, link)

    with time_machine.travel(clock.now() + timedelta(hours=23)):
        assert 200 == confirm(crown, account, shown).status
    with time_machine.travel(clock.now() + timedelta(hours=24, minutes=1)):
        assert INVALID == Browser(crown).get(link).title


def test_link_reuse_a_completed_recovery_is_over(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    account, link = lost()
    browser, shown = opened(crown, link)
    confirm(crown, account, shown)
    complete(browser, link)

    assert INVALID == Browser(crown).get(link).title


def test_link_theft_before_a_change_a_new_password_voids_the_recovery_even_confirmed(
    crown: Crown, lost: Callable[[], tuple[Account, str]]
):
    account, link = lost()
    browser, shown = opened(crown, link)
    confirm(crown, account, shown)
    choose(Browser(crown), asked_link(crown, account))

    page = browser.get(link)

    assert INVALID == page.title
    assert "recovery" not in crown.operator("GET", f"/accounts/{account.id}/root").json()


def test_a_newer_request_voids_the_one_before(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    account, link = lost()
    report_lost(crown, account)

    assert INVALID == Browser(crown).get(link).title


def test_mail_scanners_that_follow_the_link_open_nothing(crown: Crown, lost: Callable[[], tuple[Account, str]]):
    account, link = lost()

    for _ in range(3):
        assert 'id="code"' not in Browser(crown).get(link).response.text

    assert "asked for" == crown.operator("GET", f"/accounts/{account.id}/root").json()["recovery"]["stage"]


def test_mail_bombing_recoveries_of_an_account_are_three_an_hour(crown: Crown):
    account, _, _ = root_with_app(crown)

    pages = [report_lost(crown, account) for _ in range(mfa_recovery.MOST_REQUESTS + 1)]

    assert [200, 200, 200, 429] == [page.status for page in pages]


def test_a_custodian_confirms_with_the_code_that_they_are_told(crown: Crown):
    account, _, _ = root_with_app(crown)
    custodian = f"custodian-{account.id}@acme.example"
    crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": custodian})
    report_lost(crown, account)
    link = mailed_link(account, LOST)
    browser, shown = opened(crown, link)
    message = Mailbox(crown, custodian).wait("Confirm the recovery")
    second = Browser(crown)

    second.get(link_in(message))
    wrong = second.submit({"code": "0000-0000"})
    confirmed = second.submit({"code": shown})

    assert shown not in text_of(message)
    assert (403, True) == (wrong.status, "That code is wrong" in wrong.text)
    assert "The recovery is confirmed" == confirmed.title
    assert "The root user has no MFA device" == complete(browser, link).title
    (completed,) = sign_in_events(account, "MfaRecoveryCompleted")
    assert custodian == completed["additionalEventData"]["ConfirmedBy"]


def test_a_custodians_link_is_good_for_nothing_once_it_has_confirmed(crown: Crown):
    account, _, _ = root_with_app(crown)
    custodian = f"custodian-{account.id}@acme.example"
    crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": custodian})
    report_lost(crown, account)
    _, shown = opened(crown, mailed_link(account, LOST))
    link = link_in(Mailbox(crown, custodian).wait("Confirm the recovery"))
    second = Browser(crown)
    second.get(link)
    second.submit({"code": shown})

    assert INVALID == Browser(crown).get(link).title


def test_root_is_not_its_own_custodian(crown: Crown):
    account = crown.account()

    refused = crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": account.email.upper()})

    assert 409 == refused.status


def test_a_change_of_the_custodian_is_told_to_root(crown: Crown):
    account = crown.account()

    crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": "c@acme.example"})
    crown.operator("DELETE", f"/accounts/{account.id}/root/custodian")

    mailbox = Mailbox(crown, account.email)
    assert mailbox.wait("another custodian")
    assert mailbox.wait("custodian, who could confirm recoveries, was removed")
    assert 404 == crown.operator("DELETE", f"/accounts/{account.id}/root/custodian").status


def _has_form(browser: Browser) -> bool:
    return "Remove the lost devices" in browser.page.response.text
