"""People can read the address at which they sign in."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "account-alias",
    title="The account has an alias",
    topic="account",
    severity=CheckSeverity.LOW,
    why="People check an address that they can read; twelve digits they can't.",
    fix=Fix(
        "IAM, Dashboard, Account Alias, Create",
        "aws iam create-account-alias --account-alias ALIAS",
        'resource "aws_iam_account_alias"',
    ),
)
def account_alias(view: View) -> Iterator[Verdict]:
    """Ask for it."""
    found = view.get(calls.ALIASES)["AccountAliases"]
    yield passed(f"It is {found[0]}.") if found else failed("It has none.")
