"""No policy of one's own grants everything."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "policies-everything",
    title="No policy of the account's own grants everything",
    topic="permissions",
    severity=CheckSeverity.HIGH,
    why="Administrators are known by AdministratorAccess; a policy of another name that grants the same is overlooked.",
    fix=Fix(
        "IAM, Policies, the policy, Edit: name actions and resources; or use AdministratorAccess where it is meant",
        "aws iam create-policy-version --policy-arn ARN --policy-document file://policy.json --set-as-default",
        'resource "aws_iam_policy"',
    ),
    maps={
        **cis(v1="1.16", v5="1.15", v6="2.15", v7="2.14"),
        "security-hub": ("IAM.1",),
        "config": ("iam-policy-no-statements-with-admin-access",),
    },
)
def policies_everything(view: View) -> Iterator[Verdict]:
    """Look at attached policies and inline ones, AWS's own left out; a statement with NotAction that spares nothing counts."""
    found = list(dict.fromkeys(_granting(entities.of(view))))
    for name, arn in found:
        yield failed(f"{name} grants every action on every resource.", arn)
    if not found:
        yield passed("None does.")


def _granting(found: entities.Entities) -> Iterator[tuple[str, str]]:
    for holder in found.holders:
        for held in holder.own:
            if not held.is_managed_by_aws and any(_is_everything(each) for each in entities.statements(held.document)):
                yield held.name, held.arn or holder.arn


def _is_everything(statement: dict[str, object] | object) -> bool:
    # A condition may leave little of it: what a policy amounts to is the engine's to say, and other checks ask that.
    if not isinstance(statement, dict) or statement.get("Effect") != "Allow" or statement.get("Condition"):
        return False
    # `**` and `*:*` mean the same as `*`, and a check that looks for one star misses them.
    all_actions = any(set(each) <= {"*"} or each == "*:*" for each in entities.listed(statement.get("Action")))
    all_resources = any(set(each) <= {"*"} for each in entities.listed(statement.get("Resource")))
    return all_actions and all_resources
