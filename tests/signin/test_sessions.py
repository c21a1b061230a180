"""Sessions: listed and ended, bound to the credentials they began with, and over when they are idle or old."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.signin import browser as browser_of_a_test
from tests.signin.people import PASSWORD, code, root_with_app, sign_in_events, sign_in_root, sign_in_user, user_with_password

from crownkeep import clock
from crownkeep.signin.sessions import LIFETIME


def signed_in(account: Account, name: str = "bob", agent: str = "Mozilla/5.0") -> Browser:
    browser = Browser(account.crown, agent=agent)
    assert "Console home" == sign_in_user(browser, account.id, name).title
    return browser


def test_sessions_are_listed_with_browser_and_address(account: Account):
    user_with_password(account)
    here = signed_in(account, agent="Here/1.0")
    there = signed_in(account, agent="There/2.0")

    page = here.get("/console/sessions")

    assert all(each in page.text for each in ("Here/1.0 This one", "There/2.0", here.address, there.address))


def test_another_session_is_ended_from_the_list(account: Account):
    user_with_password(account)
    here, there = signed_in(account), signed_in(account, agent="There/2.0")
    here.get("/console/sessions")

    here.submit(form="End<")

    assert "Sign in" == there.get("/console").title
    assert "Console home" == here.get("/console").title


def test_all_other_sessions_are_ended_at_once(account: Account):
    user_with_password(account)
    here, others = signed_in(account), [signed_in(account) for _ in range(2)]
    here.get("/console/sessions")

    here.submit({"others": "1"}, form="End all others")

    assert ["Sign in", "Sign in"] == [each.get("/console").title for each in others]
    assert {"EndedSessions": 2} == sign_in_events(account, "EndOtherSessions")[0]["additionalEventData"]


def test_nobody_ends_a_session_of_somebody_else(account: Account):
    user_with_password(account)
    user_with_password(account, "eve")
    bob, eve = signed_in(account), signed_in(account, "eve")
    found = re.search(r'name="session" value="([0-9a-f]{32})"', bob.get("/console/sessions").response.text)
    assert found is not None
    eve.get("/console/sessions")

    eve.submit({"session": found[1]}, form='name="session"')

    assert "Console home" == bob.get("/console").title


def test_signing_out_ends_the_session_on_the_server(account: Account):
    user_with_password(account)
    browser = signed_in(account)
    kept = dict(browser.cookies)

    page = browser.submit(form="Sign out")
    browser.cookies = kept

    assert "You are signed out" == page.title
    assert "Sign in" == browser.get("/console").title
    assert sign_in_events(account, "SignOut")


def test_an_idle_session_ends(account: Account):
    user_with_password(account)
    browser = signed_in(account)

    with time_machine.travel(clock.now() + timedelta(minutes=61)):
        page = browser.get("/console")

    assert "Sign in" == page.title


def test_a_session_that_is_used_does_not_idle_and_ends_after_twelve_hours(account: Account):
    user_with_password(account)
    browser = signed_in(account)
    began = clock.now()

    titles = []
    for minutes in range(50, 720, 50):
        with time_machine.travel(began + timedelta(minutes=minutes)):
            titles.append(browser.get("/console").title)
    with time_machine.travel(began + LIFETIME + timedelta(seconds=1)):
        last = browser.get("/console").title

    assert {"Console home"} == set(titles)
    assert "Sign in" == last


def test_a_device_that_is_added_ends_the_other_sessions_and_not_this_one(crown: Crown):
    account, here, seed = root_with_app(crown)
    there = Browser(crown)
    sign_in_root(there, account)
    there.submit({"code": code(seed, ahead=1)})
    here.get("/console/mfa/add")

    here.submit({"name": "second", "app": "1"}, form="Set up an authenticator app")
    second = here.page.seed
    page = here.submit({"code1": code(second, ahead=-1), "code2": code(second)})

    assert "My security credentials" == page.title
    assert "mfa/second" in page.text
    assert "Sign in" == there.get("/console").title


def test_a_device_is_removed_after_a_proof_with_it(crown: Crown):
    account, browser, _ = root_with_app(crown)
    browser.get("/console/security")

    page = browser.submit(form="Remove")

    assert "You have no MFA device" in page.text
    assert [] == account.root("iam").list_mfa_devices()["MFADevices"]


def test_root_changes_its_password_and_its_other_sessions_end(crown: Crown):
    account, here, seed = root_with_app(crown)
    there = Browser(crown)
    sign_in_root(there, account)
    there.submit({"code": code(seed, ahead=1)})
    here.get("/console/password")

    wrong = here.submit({"old": "not it", "new": "another Horse battery 8", "again": "another Horse battery 8"})
    weak = here.submit({"old": PASSWORD, "new": "Password123", "again": "Password123"})
    changed = here.submit({"old": PASSWORD, "new": "another Horse battery 8", "again": "another Horse battery 8"})

    assert "The present password was incorrect." in wrong.text
    assert "one of the most used passwords" in weak.text
    assert "Your password was changed" in changed.text
    assert "Console home" == here.get("/console").title
    assert "Sign in" == there.get("/console").title


def test_what_the_browser_does_is_recorded_like_any_call(crown: Crown):
    account, browser, _ = root_with_app(crown)
    browser.get("/console")

    called = sign_in_events(account, "GetCallerIdentity")[0]

    assert ("AwsApiCall", "true") == (called["eventType"], called["sessionCredentialFromConsole"])
    assert called["userIdentity"]["accessKeyId"].startswith("ASIA")
    assert "true" == called["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"]


def test_the_well_known_address_leads_to_where_a_password_is_changed(account: Account):
    answer = Browser(account.crown).send("GET", "/.well-known/change-password", {})

    assert (302, "/console/password") == (answer.status, answer.header("location"))


def test_policies_may_ask_for_the_session_that_the_browser_signed_in_with(account: Account):
    like = {"StringLike": {"aws:SignInSessionArn": f"arn:aws:signin:us-east-1:{account.id}:session/*"}}
    statement = [{"Effect": "Allow", "Action": "iam:List*", "Resource": "*", "Condition": like}]
    user = account.user("ann", policy={"Version": "2012-10-17", "Statement": statement})
    user_with_password(account)

    page = browser_of_a_test.signed_in(account, user="ann").get("/console/users")

    assert "/console/users/bob" in page.text
    with pytest.raises(ClientError, match="AccessDenied"):
        user.client("iam").list_users()


@pytest.mark.parametrize("hours", [1, 20])
def test_a_users_console_session_lasts_as_long_as_its_login_profile_says(account: Account, hours: int):
    user_with_password(account, MaxSigninSessionDuration=hours * 3600)
    browser = signed_in(account)
    began = clock.now()

    titles = []
    for minutes in range(50, hours * 60, 50):
        with time_machine.travel(began + timedelta(minutes=minutes)):
            titles.append(browser.get("/console").title)
    with time_machine.travel(began + timedelta(hours=hours, seconds=1)):
        last = browser.get("/console").title

    assert {"Console home"} == set(titles)
    assert "Sign in" == last


def test_a_changed_session_length_is_for_new_sessions(account: Account):
    user_with_password(account)
    before = signed_in(account)
    account.client("iam").update_login_profile(UserName="bob", MaxSigninSessionDuration=3600)
    after = signed_in(account)
    began = clock.now()

    with time_machine.travel(began + timedelta(minutes=40)):
        before.get("/console")
        after.get("/console")
    with time_machine.travel(began + timedelta(minutes=61)):
        titles = [before.get("/console").title, after.get("/console").title]

    assert ["Console home", "Sign in"] == titles
