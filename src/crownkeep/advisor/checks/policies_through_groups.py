"""Permissions are given to groups."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "policies-through-groups",
    title="Users have their policies through groups",
    topic="users",
    severity=CheckSeverity.LOW,
    why="What hangs on single users is overlooked when somebody changes work.",
    fix=Fix(
        "IAM, User groups: make a group with the policy, add the user; then take the policy from the user",
        "aws iam add-user-to-group --user-name NAME --group-name GROUP; "
        "aws iam detach-user-policy --user-name NAME --policy-arn ARN",
        'resource "aws_iam_group_policy_attachment", resource "aws_iam_user_group_membership"',
    ),
    maps={
        **cis(v1="1.15", v5="1.14", v6="2.14", v7="2.13"),
        "security-hub": ("IAM.2",),
        "config": ("iam-user-no-policies-check",),
    },
)
def policies_through_groups(view: View) -> Iterator[Verdict]:
    """Look at policies of users' own, inline and attached."""
    own = [user for user in entities.of(view).users if user.own]
    for user in own:
        yield failed(f"{user.name} has {user.own[0].name} directly.", user.arn)
    if not own:
        yield passed("All have.")
