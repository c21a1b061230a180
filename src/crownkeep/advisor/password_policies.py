"""The account's password policy as evidence has it; without one of its own, AWS's default holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crownkeep.advisor import calls
from crownkeep.advisor.check import Verdict, failed, passed
from crownkeep.advisor.view import View

STRONG: Mapping[str, Any] = {
    "MinimumPasswordLength": 14,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True,
    "MaxPasswordAge": 90,
    "PasswordReusePrevention": 24,
    "HardExpiry": False,
}
"""What the checks ask for, as UpdateAccountPasswordPolicy takes it."""

CONSOLE = "IAM, Account settings, Password policy, Edit"
CLI = (
    "aws iam update-account-password-policy --minimum-password-length 14 --require-symbols --require-numbers "
    "--require-uppercase-characters --require-lowercase-characters --allow-users-to-change-password "
    "--max-password-age 90 --password-reuse-prevention 24"
)
TERRAFORM = 'resource "aws_iam_account_password_policy"'


def of(view: View) -> Mapping[str, Any]:
    """Return the account's own policy; empty where there is none, so that AWS's default holds."""
    found = view.find(calls.PASSWORD_POLICY)
    policy: Mapping[str, Any] = found["PasswordPolicy"] if found is not None else {}
    return policy


def requires(view: View, member: str, what: str) -> Iterator[Verdict]:
    """Judge a member that is either on or off."""
    if of(view).get(member):
        yield passed(f"Passwords need {what}.")
    else:
        yield failed(f"Passwords don't need {what}.")
