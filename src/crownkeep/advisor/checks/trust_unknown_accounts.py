"""Other accounts that are trusted are known ones."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trusts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "trust-unknown-accounts",
    title="Roles trust accounts of the organization alone",
    topic="roles",
    severity=CheckSeverity.MEDIUM,
    why="An account that somebody trusted years ago may be anybody's now.",
    fix=Fix(
        "IAM, Roles, the role, Trust relationships: remove the account, or accept the finding with whose it is",
        "aws iam update-assume-role-policy --role-name NAME --policy-document file://trust.json",
        'resource "aws_iam_role", assume_role_policy',
    ),
)
def trust_unknown_accounts(view: View) -> Iterator[Verdict]:
    """Compare the accounts that are trusted with this one and those of its organization."""
    known = trusts.known_accounts(view)
    is_clean = True
    for role in trusts.roles(view):
        strangers = sorted(trusts.accounts(role) - known)
        if strangers:
            is_clean = False
            yield failed(f"{role.name} trusts {', '.join(strangers)}.", role.arn)
    if is_clean:
        yield passed("No other account is trusted.")
