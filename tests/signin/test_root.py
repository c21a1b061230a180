"""Root signs in: first by its link, then by e-mail address and password, always with a second factor."""

from __future__ import annotations

import pytest
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown
from tests.signin.people import PASSWORD, choose_root_password, code, root_with_app, sign_in_events, sign_in_root


def test_the_first_sign_in_leads_from_the_link_over_a_device_to_the_console(crown: Crown):
    account, browser, _ = root_with_app(crown)

    page = browser.get("/console")

    assert "Console home" == page.title
    assert f"arn:aws:iam::{account.id}:root" in page.text
    assert "Signed in with MFA" in page.text


def test_the_first_device_leads_to_recovery_codes(crown: Crown):
    _, browser, _ = root_with_app(crown)

    assert "Recovery codes" == browser.page.title


def test_root_signs_in_again_with_password_and_code(crown: Crown):
    account, _, seed = root_with_app(crown)
    browser = Browser(crown)

    asked = sign_in_root(browser, account)
    browser.submit({"code": code(seed, ahead=1)})

    assert "Multi-factor authentication" == asked.title
    assert "Console home" == browser.get("/console").title
    login = sign_in_events(account, "ConsoleLogin")[0]
    assert {"ConsoleLogin": "Success"} == login["responseElements"]
    assert "Yes" == login["additionalEventData"]["MFAUsed"]
    assert f"arn:aws:iam::{account.id}:mfa/phone" == login["additionalEventData"]["MFAIdentifier"]
    assert {"type": "Root", "principalId": account.id, "arn": f"arn:aws:iam::{account.id}:root", "accountId": account.id} == {
        key: value for key, value in login["userIdentity"].items() if key != "accessKeyId"
    }


def test_a_wrong_password_is_refused_in_awss_words_and_recorded(crown: Crown):
    account, _, _ = root_with_app(crown)
    browser = Browser(crown)

    page = sign_in_root(browser, account, "not the password 1A")

    assert "Your authentication information is incorrect. Please try again." in page.text
    login = sign_in_events(account, "ConsoleLogin")[0]
    assert ("Failed authentication", {"ConsoleLogin": "Failure"}) == (login["errorMessage"], login["responseElements"])
    assert "errorCode" not in login


def test_root_without_a_device_cannot_pass(crown: Crown):
    account = crown.account()
    browser = Browser(crown)

    choose_root_password(browser, account)
    page = browser.get("/console")

    assert "Sign in" == page.title


def test_a_common_password_is_refused_with_the_reason(crown: Crown):
    page = choose_root_password(Browser(crown), crown.account(), "Password123")

    assert "one of the most used passwords" in page.text


@pytest.mark.parametrize("password", ["Summer2026!", "Summer2026!!"])
def test_a_guessable_password_is_refused_although_it_obeys_aws_s_rules(crown: Crown, password: str):
    page = choose_root_password(Browser(crown), crown.account(), password)

    assert "Password should not be easy to guess" in page.text


def test_the_e_mail_address_is_no_password(crown: Crown):
    account = crown.account()

    page = choose_root_password(Browser(crown), account, account.email)

    assert "should not be the same as the account name, email address" in page.text


def test_choosing_a_password_is_recorded(crown: Crown):
    account, _, _ = root_with_app(crown)

    assert [{"PasswordUpdated": "Success"}] == [each["responseElements"] for each in sign_in_events(account, "PasswordUpdated")]
    assert PASSWORD not in str(account.records())
