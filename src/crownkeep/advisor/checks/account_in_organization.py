"""Somebody above the account can bind it."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "account-in-organization",
    title="The account is in an organization",
    topic="account",
    severity=CheckSeverity.MEDIUM,
    why="Only an organization's policies bind a root user, and only its management account can take one's credentials away.",
    fix=Fix(
        "AWS Organizations, Create an organization; or accept an invitation of yours",
        "aws organizations create-organization --feature-set ALL",
        'resource "aws_organizations_organization"',
    ),
    maps={"security-hub": ("Account.2",), "config": ("account-part-of-organizations",)},
)
def account_in_organization(view: View) -> Iterator[Verdict]:
    """Ask for it."""
    found = view.find(calls.ORGANIZATION)
    if found is None:
        yield failed("It is in none.")
    else:
        yield passed(f"It is in {found['Organization']['Id']}.")
