"""A stranger's service can't be talked into using a role."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trusts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trust-external-id",
    title="Roles for other companies ask for an external id or MFA",
    topic="roles",
    severity=CheckSeverity.LOW,
    why="Another customer of that company could otherwise tell it your role's ARN (the confused deputy).",
    fix=Fix(
        'IAM, Roles, the role, Trust relationships: add the condition "sts:ExternalId"',
        "aws iam update-assume-role-policy --role-name NAME --policy-document file://trust.json",
        'resource "aws_iam_role", assume_role_policy',
    ),
)
def trust_external_id(view: View) -> Iterator[Verdict]:
    """Look at statements that trust accounts from outside."""
    known = trusts.known_accounts(view)
    found = [role for role in trusts.roles(view) if trusts.accounts(role) - known]
    if not found:
        raise DoesNotApply("No role trusts an account from outside.")
    for role in found:
        if trusts.has_bare_statement(role, known):
            yield failed(f"{role.name} asks for neither.", role.arn)
        else:
            yield passed(f"{role.name} does.", role.arn)
