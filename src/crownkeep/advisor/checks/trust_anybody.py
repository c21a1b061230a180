"""No role lets anybody in."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trusts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "trust-anybody",
    title="No role can be taken on by anybody",
    topic="roles",
    severity=CheckSeverity.CRITICAL,
    why="A role that trusts everyone is open to every AWS account there is.",
    fix=Fix(
        "IAM, Roles, the role, Trust relationships, Edit: name accounts, or ask for aws:PrincipalOrgID",
        "aws iam update-assume-role-policy --role-name NAME --policy-document file://trust.json",
        'resource "aws_iam_role", assume_role_policy',
    ),
    maps=cis(v7="2.21"),
)
def trust_anybody(view: View) -> Iterator[Verdict]:
    """Look for `*` among principals with no condition beside it that names an account, an organization or a secret."""
    found = [role for role in trusts.roles(view) if trusts.lets_anybody_in(role)]
    for role in found:
        yield failed(f"{role.name} trusts everyone.", role.arn)
    if not found:
        yield passed("None can.")
