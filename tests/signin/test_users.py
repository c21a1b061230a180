"""IAM users sign in: by account id and alias, with passwords that must be changed or expire, and with MFA where demanded."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.signin.people import (
    PASSWORD,
    code,
    enrol_app,
    root_with_app,
    sign_in_events,
    sign_in_user,
    user_with_password,
)

from crownkeep import clock

ANOTHER = "another Horse battery 8"
MANAGES_ITS_DEVICES = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["iam:*MFADevice"], "Resource": "*"},
}


def test_a_user_signs_in_by_account_id(account: Account):
    user_with_password(account)
    browser = Browser(account.crown)

    page = sign_in_user(browser, account.id, "bob")

    assert f"arn:aws:iam::{account.id}:user/bob" in page.text
    login = sign_in_events(account, "ConsoleLogin")[0]
    assert ("IAMUser", "bob", "No") == (
        login["userIdentity"]["type"],
        login["userIdentity"]["userName"],
        login["additionalEventData"]["MFAUsed"],
    )


def test_a_user_signs_in_by_alias_whatever_the_letters_case(account: Account):
    user_with_password(account)
    account.client("iam").create_account_alias(AccountAlias=f"acme-{account.id}")

    page = sign_in_user(Browser(account.crown), f"ACME-{account.id}", "BOB")

    assert "Console home" == page.title


def test_the_aliass_own_host_leads_to_its_sign_in_page(account: Account):
    browser = Browser(account.crown, host="acme.signin.localhost:4747")

    answer = browser.send("GET", "/console/", {})

    assert (302, "http://localhost:4747/signin/acme") == (answer.status, answer.header("location"))


def test_the_account_is_remembered_on_request_and_forgotten_again(account: Account):
    browser = Browser(account.crown)
    browser.get(f"/signin/{account.id}")

    browser.submit({"account": account.id, "name": "nobody", "password": "x", "remember": "on"})
    remembered = browser.get("/signin").path
    browser.submit({"account": account.id, "name": "nobody", "password": "x"})

    assert f"/signin/{account.id}" == remembered
    assert "/signin" == browser.get("/signin").path


def test_the_last_use_of_the_password_is_remembered(account: Account):
    user_with_password(account)

    sign_in_user(Browser(account.crown), account.id, "bob")

    assert account.client("iam").get_user(UserName="bob")["User"]["PasswordLastUsed"]


def test_a_password_that_must_be_reset_is_changed_before_anything_else(account: Account):
    user_with_password(account, PasswordResetRequired=True)
    browser = Browser(account.crown)

    asked = sign_in_user(browser, account.id, "bob")
    outside = browser.get("/console")
    browser.get("/signin/step/password")
    page = browser.submit({"old": PASSWORD, "new": ANOTHER, "again": ANOTHER})

    assert "You must change your password to continue" == asked.title
    assert "Sign in" == outside.title
    assert "Console home" == page.title
    change = sign_in_events(account, "ChangePassword")[0]
    assert ("bob", "true") == (change["userIdentity"]["userName"], change["sessionCredentialFromConsole"])


def test_a_user_who_may_not_change_passwords_is_told_so(account: Account):
    account.user("bob")
    account.client("iam").create_login_profile(UserName="bob", Password=PASSWORD, PasswordResetRequired=True)
    browser = Browser(account.crown)
    sign_in_user(browser, account.id, "bob")

    page = browser.submit({"old": PASSWORD, "new": ANOTHER, "again": ANOTHER})

    assert "is not authorized to perform: iam:ChangePassword" in page.text


def test_an_expired_password_is_changed_while_signing_in(account: Account):
    user_with_password(account)
    account.client("iam").update_account_password_policy(MaxPasswordAge=90, AllowUsersToChangePassword=True)

    with time_machine.travel(clock.now() + timedelta(days=91)):
        page = sign_in_user(Browser(account.crown), account.id, "bob")

    assert "You must change your password to continue" == page.title


def test_a_password_that_expired_for_good_lets_nobody_in(account: Account):
    user_with_password(account)
    account.client("iam").update_account_password_policy(MaxPasswordAge=90, HardExpiry=True)

    with time_machine.travel(clock.now() + timedelta(days=91)):
        page = sign_in_user(Browser(account.crown), account.id, "bob")

    assert "Your password has expired" == page.title
    assert {"ConsoleLogin": "Failure"} == sign_in_events(account, "ConsoleLogin")[0]["responseElements"]


def test_a_password_in_its_last_days_is_warned_about(account: Account):
    user_with_password(account)
    account.client("iam").update_account_password_policy(MaxPasswordAge=90)

    with time_machine.travel(clock.now() + timedelta(days=76)):
        page = sign_in_user(Browser(account.crown), account.id, "bob")

    assert "Your password expires on" in page.text


def test_a_changed_password_ends_the_users_other_sessions(account: Account):
    user_with_password(account)
    here, there = Browser(account.crown), Browser(account.crown)
    sign_in_user(here, account.id, "bob")
    sign_in_user(there, account.id, "bob")

    here.get("/console/password")
    changed = here.submit({"old": PASSWORD, "new": ANOTHER, "again": ANOTHER})

    assert "Your password was changed" in changed.text
    assert "Console home" == here.get("/console").title
    assert "Sign in" == there.get("/console").title


def test_a_password_that_an_administrator_sets_ends_every_session(account: Account):
    user_with_password(account)
    browser = Browser(account.crown)
    sign_in_user(browser, account.id, "bob")

    account.client("iam").update_login_profile(UserName="bob", Password=ANOTHER)

    assert "Sign in" == browser.get("/console").title


def test_a_deleted_user_is_signed_out(account: Account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.create_login_profile(UserName="bob", Password=PASSWORD)
    browser = Browser(account.crown)
    sign_in_user(browser, account.id, "bob")

    iam.delete_login_profile(UserName="bob")
    iam.delete_user(UserName="bob")

    assert "Sign in" == browser.get("/console").title


def test_an_account_can_demand_mfa_of_its_users(crown: Crown):
    account, root, _ = root_with_app(crown)
    user_with_password(account)
    account.client("iam").put_user_policy(
        UserName="bob", PolicyName="devices", PolicyDocument=str(MANAGES_ITS_DEVICES).replace("'", '"')
    )
    root.get("/console/account")
    root.submit({"required": "1"}, form="Require MFA for all users")
    browser = Browser(crown)

    asked = sign_in_user(browser, account.id, "bob")
    seed = enrol_app(browser, "bob")
    browser.get("/console")
    again = Browser(crown)
    sign_in_user(again, account.id, "bob")
    page = again.submit({"code": code(seed, ahead=1)})

    assert "Register an MFA device" == asked.title
    assert "Console home" == browser.page.title
    assert "Console home" == page.title or "Recovery codes" == page.title
    assert sign_in_events(account, "UpdateSignInSettings")


def test_a_closed_accounts_people_cannot_sign_in(account: Account):
    user_with_password(account)
    account.crown.operator("POST", f"/accounts/{account.id}/close")

    page = sign_in_user(Browser(account.crown), account.id, "bob")

    assert "Your authentication information is incorrect" in page.text


@pytest.mark.parametrize("host", ["localhost:4747", "127.0.0.1:4747", "[::1]:4747"])
def test_a_user_signs_in_by_the_name_and_by_the_addresses_of_this_computer(account: Account, host: str):
    user_with_password(account)

    page = sign_in_user(Browser(account.crown, host=host), account.id, "bob")

    assert "Console home" == page.title
