"""A role for a provider's tokens says which tokens."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trusts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trust-federated",
    title="Roles for identity providers say whose tokens they take",
    topic="roles",
    severity=CheckSeverity.HIGH,
    why="A role that takes every token of a public provider can be taken on by everybody who has an account there.",
    fix=Fix(
        'IAM, Roles, the role, Trust relationships: add conditions on the provider\'s "sub" and "aud"',
        "aws iam update-assume-role-policy --role-name NAME --policy-document file://trust.json",
        'resource "aws_iam_role", assume_role_policy',
    ),
)
def trust_federated(view: View) -> Iterator[Verdict]:
    """Look for a condition on the subject where a provider is trusted to take a role on with its tokens."""
    found = [(role, each) for role in trusts.roles(view) for each in trusts.web_statements(role)]
    if not found:
        raise DoesNotApply("No role takes tokens of an identity provider.")
    for role, statement in found:
        if trusts.limits_subject(statement):
            yield passed(f"{role.name} does.", role.arn)
        else:
            yield failed(f"{role.name} takes any token of the provider.", role.arn)
