"""A sealed root signs in by password, MFA and its custodians: once for each approval, briefly, and never without them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.fixtures import custody
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.custody import Custody
from tests.services.approvals.test_invitations import invited
from tests.signin.people import choose_root_password, code, enrol_app, root_with_app, sign_in_root

from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.storage.approvals import seals
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow


def sealed(crown: Crown, **options: Any) -> tuple[Account, Custody, bytes]:
    account, _, seed = root_with_app(crown)
    team = custody.seat(crown, account.id)
    team.seal(**options)
    return account, team, seed


def to_the_custodians(crown: Crown, account: Account, seed: bytes, *, ahead: int) -> Browser:
    browser = Browser(crown)
    sign_in_root(browser, account)
    browser.submit({"code": code(seed, ahead=ahead)})
    return browser


def latest(crown: Crown, account: Account) -> str:
    requests = crown.operator("GET", f"/accounts/{account.id}/approval-requests").json()["requests"]
    return str(requests[0]["request_id"])


def test_a_sealed_root_signs_in_with_the_approval_of_two_once_and_is_reviewed_before_the_next(crown: Crown):
    account, team, seed = sealed(crown)
    browser = to_the_custodians(crown, account, seed, ahead=1)
    asked = browser.page.title
    browser.submit({"reason": "quarterly review", "ticket": "OPS-9"}, form="Ask the custodians")
    request_id = latest(crown, account)
    early = browser.submit({}, form="Continue once").title
    for person in team.people[:2]:
        team.approve(person, request_id)
    browser.submit({}, form="Continue once")
    console = browser.get("/console").title

    assert ("The root user is sealed", "The root user is sealed", "Console home") == (asked, early, console)
    records = account.records()
    used = next(each for each in records if each["eventName"] == "ApprovalUsed")
    assert request_id == used["additionalEventData"]["approvalRequestId"]
    assert 15 == used["additionalEventData"]["sessionMinutes"]
    seal = crown.operator("GET", f"/accounts/{account.id}/seal").json()
    assert (True, True, request_id) == (seal["review_is_due"], seal["password_is_due"], seal["last_request_id"])
    again = to_the_custodians(crown, account, seed, ahead=2)
    assert "has not been reviewed" in again.page.text
    reviews = crown.session(None, "approvals")
    reviews.sign_off_review(RequestId=request_id, Assertion=team.answer(team.people[2], request_id, ApprovalDecision.REVIEW))
    assert "password was not changed" in again.get("/signin/step/approval").text


def test_the_whole_story_from_invitations_to_the_review_by_http_alone(crown: Crown):
    account, _, seed = root_with_app(crown)
    arn, people = invited(account, crown)
    for each in people:
        each.join()
    crown.operator("PUT", f"/accounts/{account.id}/seal", {"team_arn": arn})
    browser = to_the_custodians(crown, account, seed, ahead=1)
    browser.submit({"reason": "quarterly review"}, form="Ask the custodians")
    request_id = latest(crown, account)

    answer = [each.decide(request_id, "approve").title for each in people[:2]]
    browser.submit({}, form="Continue once")
    console = browser.get("/console").title
    answer.append(people[2].decide(request_id, "review").title)

    assert ["You have approved the request"] * 2 + ["You have signed off the review"] == answer
    assert "Console home" == console
    assert not crown.operator("GET", f"/accounts/{account.id}/seal").json()["review_is_due"]


def test_the_session_of_a_sealed_root_ends_after_its_minutes(fresh_crown: Callable[[], Crown]):
    crown = fresh_crown()
    account, team, seed = sealed(crown, session_minutes=5)
    browser = to_the_custodians(crown, account, seed, ahead=1)
    browser.submit({"reason": "quarterly review"}, form="Ask the custodians")
    request_id = latest(crown, account)
    for person in team.people[:2]:
        team.approve(person, request_id)
    browser.submit({}, form="Continue once")
    before = browser.get("/console").title

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        after = browser.get("/console").title

    assert "Console home" == before
    assert "Console home" != after


def test_mfa_devices_from_before_the_last_use_let_a_sealed_root_in_no_more_where_its_seal_renews_them(
    fresh_crown: Callable[[], Crown],
):
    crown = fresh_crown()
    account, team, seed = sealed(crown, renews_mfa=True)
    browser = to_the_custodians(crown, account, seed, ahead=1)
    browser.submit({"reason": "quarterly review"}, form="Ask the custodians")
    request_id = latest(crown, account)
    for person in team.people[:2]:
        team.approve(person, request_id)
    browser.submit({}, form="Continue once")
    team.change(lambda db: seals.change(db, account.id, review_is_due=False))
    (old,) = devices(team)
    due = crown.operator("GET", f"/accounts/{account.id}/seal").json()["mfa_is_due"]
    barred = to_the_custodians(crown, account, seed, ahead=2).page.text

    alone = removed(browser, old.serial)
    browser.get("/console/mfa/add")
    enrol_app(browser, "second")
    (fresh,) = (each for each in devices(team) if each.serial != old.serial)
    newer = removed(browser, fresh.serial)
    renewed = removed(browser, old.serial)

    assert due
    assert "that its last use began with" in barred
    assert [True, True, False] == ["is sealed (root-mfa)" in each for each in (alone, newer, renewed)], (alone, newer, renewed)
    assert [fresh.serial] == [each.serial for each in devices(team)]
    assert not crown.operator("GET", f"/accounts/{account.id}/seal").json()["mfa_is_due"]


def devices(team: Custody) -> list[MfaDeviceRow]:
    found: list[MfaDeviceRow] = []
    team.change(lambda db: found.extend(mfa_devices.of_owner(db, team.account_id, team.account_id)))
    return found


def removed(browser: Browser, serial: str) -> str:
    """Remove a device on root's page, and return what the page says."""
    _, filled = browser.get("/console/security").form("Sign out")
    return browser.post("/console/mfa/remove", {"csrf": filled["csrf"], "serial": serial}).text


def test_an_access_key_and_a_session_from_before_the_seal_do_nothing_as_root(crown: Crown):
    account, browser, _ = root_with_app(crown)
    before = browser.get("/console").title
    custody.seat(crown, account.id).seal(what=["root-sign-in"])

    with pytest.raises(ClientError, match="is sealed"):
        account.root("iam").list_users()
    account.client("iam").list_users()

    assert "Console home" == before
    denied = [each for each in account.records() if each["eventName"] == "ListUsers" and "errorCode" in each]
    assert denied


def test_a_mailed_link_gives_a_sealed_root_no_password_without_approval(crown: Crown):
    account = crown.account()
    custody.seat(crown, account.id).seal(what=["root-recovery"])
    browser = Browser(crown)

    choose_root_password(browser, account)

    assert "not valid" in browser.page.text
