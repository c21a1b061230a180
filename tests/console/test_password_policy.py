"""The password policy's pages: what it means, presets, the difference before saving, and who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import Page, expect
from tests.console.members import NOTHING, READER, Served, administrator, member
from tests.fixtures.crown import Crown
from tests.fixtures.process import Process

from crownkeep import clock
from crownkeep.advisor import credential_report, posture
from crownkeep.advisor.credential_report import Line, ReportedKey
from crownkeep.console.pages.account import password_policy

Visit = Callable[..., Page]
PATH = "/console/password-policy"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_policy_is_chosen_from_a_preset_and_saved_after_its_difference_was_seen(visit: Visit, served: Process):
    page, account = visit(), Served(served)
    account.enter(page)

    page.goto(PATH)
    page.get_by_role("link", name="Use CIS AWS Foundations").click()
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_role("row", name="Minimum length 8 14")).to_be_visible()
    page.get_by_role("button", name="Save the policy").click()

    expect(page.get_by_text("A password has at least 14 characters, of any kind.")).to_be_visible()
    expect(page.get_by_text("iam:UpdateAccountPasswordPolicy").first).to_be_visible()
    policy = account.iam.get_account_password_policy()["PasswordPolicy"]
    assert (14, 24) == (policy["MinimumPasswordLength"], policy["PasswordReusePrevention"])


def test_the_event_that_a_page_names_after_a_change_is_the_one_in_the_trail(crown: Crown):
    account, browser = administrator(crown)
    browser.get(f"{PATH}/review?MinimumPasswordLength=20")

    browser.submit(form="Save the policy")

    named = re.search(r"trail is ([0-9a-f-]{36})", browser.page.text)
    record = next(each for each in account.records() if each["eventName"] == "UpdateAccountPasswordPolicy")
    assert named is not None
    assert record["eventID"] == named[1]


@pytest.mark.parametrize("length", [None, 20])
def test_a_policy_that_was_saved_or_deleted_is_brought_back_by_one_click(crown: Crown, length: int | None):
    account, browser = administrator(crown)
    if length:
        account.client("iam").update_account_password_policy(MinimumPasswordLength=length, MaxPasswordAge=90)
    browser.get(f"{PATH}/review?MinimumPasswordLength=8&HardExpiry=true")
    browser.submit(form="Save the policy")

    browser.submit(form="Undo")

    assert f"at least {length or 8} characters" in browser.page.text
    assert ("It expires after 90 days" if length else "AWS's default") in browser.page.text


def test_an_address_that_somebody_made_up_says_of_no_change_that_it_was_made(crown: Crown):
    _, browser = administrator(crown)
    made_up = "iam:DeleteUser:00000000-0000-4000-8000-000000000000." + "0" * 32

    browser.get(f"{PATH}?done={made_up}")

    assert "DeleteUser" not in browser.page.text


def test_deleting_the_policy_brings_the_default_back(crown: Crown):
    account, browser = administrator(crown)
    account.client("iam").update_account_password_policy(MinimumPasswordLength=30)
    browser.get(f"{PATH}/review?to=default")

    browser.submit(form="Delete the account")

    assert "AWS's default" in browser.page.text
    assert "at least 8 characters" in browser.page.text


@pytest.mark.parametrize("length", ["", "5", "129", "-8", "١٢", "1e1", "99999999999999999999"])
def test_a_length_that_aws_does_not_take_is_refused_with_the_form_shown_again(crown: Crown, length: str):
    _, browser = administrator(crown)

    browser.get(f"{PATH}/review?MinimumPasswordLength={length}")

    assert browser.page.status == 400
    assert "6 to 128" in browser.page.text
    assert browser.page.title == "Edit password policy"


def test_markup_in_the_form_is_shown_as_text(crown: Crown):
    _, browser = administrator(crown)

    browser.get(f"{PATH}/review?MinimumPasswordLength=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>alert" not in browser.page.response.text


def test_a_reader_sees_the_policy_and_is_told_which_permission_saving_needs(crown: Crown):
    account = crown.account()
    account.client("iam").update_account_password_policy(MinimumPasswordLength=17)
    browser = member(account, policy=READER)
    browser.get(f"{PATH}/review?MinimumPasswordLength=6")

    browser.submit(form="Save the policy")

    assert browser.page.status == 403
    assert "iam:UpdateAccountPasswordPolicy" in browser.page.text
    assert "at least 17 characters" in browser.page.text
    assert account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 17


def test_somebody_without_permissions_sees_the_page_and_the_name_of_what_is_missing(crown: Crown):
    browser = member(crown.account(), policy=NOTHING)

    browser.get(PATH)

    assert browser.page.status == 200
    assert "This needs the permission iam:GetAccountPasswordPolicy" in browser.page.text
    assert "Start from a recommendation" in browser.page.text


@pytest.mark.parametrize("path", [PATH, f"{PATH}/delete"])
def test_a_form_without_the_session_s_token_is_refused(crown: Crown, path: str):
    account, browser = administrator(crown)
    account.client("iam").update_account_password_policy(MinimumPasswordLength=17)

    browser.post(path, {"MinimumPasswordLength": "6"})

    assert browser.page.status == 403
    assert account.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 17


def test_the_page_shows_the_command_that_does_the_same(crown: Crown):
    _, browser = administrator(crown)

    browser.get(f"{PATH}/review?MinimumPasswordLength=20&RequireNumbers=true")

    assert "aws iam update-account-password-policy --minimum-password-length 20" in browser.page.text
    assert "--require-numbers" in browser.page.text


def test_a_policy_in_words_says_when_passwords_end_and_what_happens_then():
    words = password_policy.in_words(
        {"MinimumPasswordLength": 12, "RequireNumbers": True, "MaxPasswordAge": 90, "HardExpiry": True}
    )

    assert "A password has at least 12 characters, among them a number." in words
    assert "It expires after 90 days; then only an administrator can let the user in again." in words


def line(days: int, *, has_password: bool = True, user: str = "bob") -> Line:
    changed = NOW - timedelta(days=days)
    keys = (ReportedKey(1, False, None, None), ReportedKey(2, False, None, None))
    return Line(user, f"arn:aws:iam::111122223333:user/{user}", changed, has_password, None, changed, False, keys)


def test_a_password_is_out_of_policy_from_the_day_on_which_it_expires():
    lines = [line(89), line(90), line(400), line(400, has_password=False), line(400, user=credential_report.ROOT)]

    assert (3, 2) == posture.out_of_policy(lines, 90, now=NOW)
    assert (3, 0) == posture.out_of_policy(lines, 0, now=NOW)


def test_the_page_counts_who_is_out_of_policy_by_the_report_and_says_how_old_that_is(crown: Crown):
    account, browser = administrator(crown)
    account.client("iam").update_account_password_policy(MinimumPasswordLength=14, MaxPasswordAge=30)
    browser.get(PATH)
    asked = browser.page.text
    browser.submit(form="Generate a credential report")

    now = browser.get(PATH).text
    would = browser.get(f"{PATH}/review?MinimumPasswordLength=14&MaxPasswordAge=1").text
    with time_machine.travel(clock.now() + timedelta(minutes=50)):
        later = browser.get(PATH).text

    assert "There is no recent credential report" in asked
    assert "the only password there is is younger than 30 days" in now
    assert "less than a minute old" in now
    assert "only hashes are kept" in now
    assert "Who would be out of policy" in would
    assert "50 minutes old" in later


def test_a_reader_without_the_report_is_told_the_permission(crown: Crown):
    account = crown.account()
    allowed = {"Effect": "Allow", "Action": "iam:GetAccountPasswordPolicy", "Resource": "*"}
    browser = member(account, policy={"Version": "2012-10-17", "Statement": allowed})

    browser.get(PATH)

    assert browser.page.status == 200
    assert "This needs the permission iam:GetCredentialReport" in browser.page.text
