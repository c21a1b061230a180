"""Guessing with a key or a session in hand: old passwords and one-time codes are counted, and each next try waits longer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.signin.people import PASSWORD, code, root_with_app

from crownkeep import clock

NEW = "another Horse battery 9"
INVALID_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
START = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_guessing_the_old_password_with_a_stolen_key_ends_in_a_wait_that_hides_the_right_one(account: Account):
    iam = bobs(account)
    guesses = [change(iam, f"wrong {number}") for number in range(5)]

    right = change(iam, PASSWORD)
    with time_machine.travel(clock.now() + timedelta(seconds=3)):
        later = change(iam, PASSWORD)

    assert (["AccessDenied"] * 5, "Throttling", "") == (guesses, right, later)
    assert 6 == len([each for each in account.records() if each["eventName"] == "ChangePassword" and "errorCode" in each])


def test_guessing_the_old_password_by_many_at_once_is_five_tries(account: Account):
    iam = bobs(account)

    with ThreadPoolExecutor(12) as threads:
        came_to = sorted(threads.map(lambda number: change(iam, f"wrong {number}"), range(12)))

    assert ["AccessDenied"] * 5 + ["Throttling"] * 7 == came_to


def test_guessing_the_old_password_beside_a_new_one_that_is_refused_is_counted_too(account: Account):
    iam = bobs(account)

    came_to = [change(iam, f"wrong {number}", "short") for number in range(6)]

    assert [*["AccessDenied"] * 5, "Throttling"] == came_to


def test_looking_for_a_new_password_that_is_taken_is_no_guessing(account: Account):
    iam = bobs(account)

    came_to = [change(iam, PASSWORD, "short") for _ in range(7)]

    assert ["PasswordPolicyViolation"] * 7 == came_to
    assert "" == change(iam, PASSWORD)


def test_guessing_one_time_codes_by_get_session_token_waits_longer_and_longer(crown: Crown):
    with time_machine.travel(START, tick=False):
        account, _, seed = root_with_app(crown)
        assert [INVALID_CODE] * 9 == [guess(account, "000000") for _ in range(9)]
    with time_machine.travel(START + timedelta(minutes=3), tick=False):
        assert INVALID_CODE == guess(account, "000000")
    with time_machine.travel(START + timedelta(minutes=6), tick=False):
        assert INVALID_CODE == guess(account, code(seed))
    with time_machine.travel(START + timedelta(minutes=9), tick=False):
        assert "" == guess(account, code(seed))


def bobs(account: Account) -> Any:
    """Make a user with a password and a key, and return a client that signs as it."""
    bob = account.user("bob", arn="arn:aws:iam::aws:policy/IAMUserChangePassword")
    account.client("iam").create_login_profile(UserName="bob", Password=PASSWORD)
    return bob.client("iam")


def change(iam: Any, old: str, new: str = NEW) -> str:
    """Try to change the password, and return what it came to: nothing, or the refusal's code."""
    try:
        iam.change_password(OldPassword=old, NewPassword=new)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return ""


def guess(account: Account, shown: str) -> str:
    """Present a one-time code of root's device, and return what it came to: nothing, or the refusal's text."""
    try:
        account.root("sts").get_session_token(SerialNumber=f"arn:aws:iam::{account.id}:mfa/phone", TokenCode=shown)
    except ClientError as refused:
        return str(refused.response["Error"]["Message"])
    return ""
