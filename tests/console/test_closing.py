"""Closing an account: by root alone, after a fresh proof and its name; then nothing of it works until the operator reopens it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError
from playwright.sync_api import Page, expect
from tests.alerts.office import Mailbox
from tests.console.members import MARKUP, Served, administrator
from tests.console.test_sign_in import People
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.process import Process
from tests.signin.people import PASSWORD, choose_root_password, enrol_app, root_with_app, sign_in_root, user_with_password

from crownkeep import clock
from crownkeep.signin.sessions import FRESH_FOR

Visit = Callable[..., Page]
FreshCrown = Callable[..., Crown]
CLOSE = "/console/account/close"


def name_of(account: Account) -> str:
    return str(account.client("account").get_account_information()["AccountName"])


def test_root_closes_its_account_and_nothing_of_it_works_any_more(crown: Crown):
    account, root, _ = root_with_app(crown)
    user_with_password(account)
    browser = Browser(crown)
    browser.get(f"/signin/{account.id}")
    browser.submit({"account": account.id, "name": "bob", "password": PASSWORD})
    root.get(CLOSE)

    page = root.submit({"name": name_of(account)}, form="Close the account")

    assert "is closed" in page.title
    assert f"crownkeep account reopen {account.id}" in page.text
    assert ["Sign in", "Sign in"] == [each.get("/console").title for each in (root, browser)]
    assert "information is incorrect" in sign_in_root(Browser(crown), account).text
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        account.client("iam").list_users()
    (record,) = [each for each in account.records() if each["eventName"] == "CloseAccount"]
    assert ("account.amazonaws.com", "AwsConsoleAction") == (record["eventSource"], record["eventType"])
    assert "true" == record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"]
    assert record["eventID"] in page.text
    assert Mailbox(crown, account.email).wait("The account was closed")


def test_the_operator_reopens_it_and_all_works_as_before(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get(CLOSE)
    root.submit({"name": name_of(account)}, form="Close the account")

    assert 200 == crown.operator("POST", f"/accounts/{account.id}/reopen").status

    assert account.client("iam").list_users()["Users"]
    assert "Multi-factor authentication" == sign_in_root(Browser(crown), account).title


@pytest.mark.parametrize("typed", ["", "somebody else's", MARKUP])
def test_a_wrong_name_closes_nothing(crown: Crown, typed: str):
    account, root, _ = root_with_app(crown)
    root.get(CLOSE)

    page = root.submit({"name": typed}, form="Close the account")

    assert page.status == 403
    assert "not the account's name" in page.text
    assert "<img src=x" not in page.response.text
    assert account.client("iam").list_users()["Users"]
    assert ["Failure"] == [
        "Failure" if each.get("errorMessage") else "Success" for each in account.records() if each["eventName"] == "CloseAccount"
    ]


def test_an_unattended_browser_root_is_asked_for_a_fresh_proof_first(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get(CLOSE)
    _, filled = root.page.form("Close the account")

    with time_machine.travel(clock.now() + FRESH_FOR + timedelta(seconds=1)):
        asked = root.get(CLOSE)
        sent = root.post(CLOSE, {**filled, "name": name_of(account)})

    assert "Confirm that it is you" == asked.title == sent.title
    assert account.client("iam").list_users()["Users"]


def test_a_password_alone_does_not_close_an_account(fresh_crown: FreshCrown):
    crown = fresh_crown(root_mfa_grace_days=35)
    account, root = crown.account(), Browser(crown)
    choose_root_password(root, account)
    root.submit({"put-off": "1"}, form="Not now")
    root.get(CLOSE)
    _, filled = root.page.form("Sign out")

    page = root.post(CLOSE, {"csrf": filled["csrf"], "name": name_of(account)})

    assert "Assign an MFA device first" in page.text
    assert account.client("iam").list_users()["Users"]


def test_privilege_escalation_an_administrator_does_not_close_the_account(crown: Crown):
    account, browser = administrator(crown)
    browser.get("/console/account/name")
    _, filled = browser.page.form("csrf")

    page = browser.post(CLOSE, {"csrf": filled["csrf"], "name": name_of(account)})

    assert page.status == 403
    assert "Only the root user closes its account" in page.text
    assert account.client("iam").list_users()["Users"]


def test_a_second_device_s_root_session_ends_with_the_account(crown: Crown):
    account, root, _ = root_with_app(crown)
    root.get("/console/mfa/add")
    enrol_app(root, "second")
    root.get(CLOSE)

    root.submit({"name": name_of(account)}, form="Close the account")

    assert "Sign in" == root.get("/console").title


def test_an_account_that_manages_others_stays_open_until_they_are_gone(crown: Crown):
    account, root, _ = root_with_app(crown)
    client = account.client("organizations")
    client.create_organization()
    alone = root.get(CLOSE).text
    client.create_account(Email=f"member-of-{account.id}@test.example", AccountName="member")

    page = root.get(CLOSE)

    assert "Type the account's name" in alone
    assert "manages an organization with other accounts" in page.text
    assert "Type the account's name" not in page.text


def test_root_closes_its_account_by_clicks_and_can_not_come_back(visit: Visit, served: Process):
    page, people = visit(), People(served)
    people.choose_password(page)
    people.enrol_app(page)
    page.goto("/console/account")
    name = page.get_by_text(people.email.partition("@")[0], exact=True).first.inner_text()

    page.get_by_role("link", name="Close account").click()
    page.get_by_label("Type the account's name").fill(name)
    page.get_by_role("button", name="Close the account").click()
    expect(page.get_by_role("heading", name="is closed")).to_be_visible()
    people.enter_as_root(page)

    expect(page.get_by_text("Your authentication information is incorrect")).to_be_visible()


def test_a_person_reads_what_closing_means_and_can_turn_back(visit: Visit, served: Process):
    page, account = visit(), Served(served)
    account.enter(page)
    page.goto("/console/account")

    page.get_by_role("link", name="Close account").click()

    expect(page.get_by_text("Nothing is deleted")).to_be_visible()
    expect(page.get_by_text("Only the root user closes its account.")).to_be_visible()
