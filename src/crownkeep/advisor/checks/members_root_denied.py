"""A control policy stops members' root users."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

# Samples of several services: what is looked for is the absence of a guard, and a guard denies all of them. A policy that denies
# these to root, and nothing else, passes.
_ACTIONS = ("iam:CreateAccessKey", "iam:CreateUser", "s3:DeleteBucket", "ec2:RunInstances")


@check(
    "members-root-denied",
    title="A control policy denies members' root users",
    topic="organization",
    severity=CheckSeverity.HIGH,
    why="A member's root user whose password somebody resets by mail can then do nothing.",
    fix=Fix(
        "AWS Organizations, Policies, Service control policies: deny everything where aws:PrincipalArn is like arn:*:iam::*:root",
        "aws organizations create-policy --type SERVICE_CONTROL_POLICY ...; aws organizations attach-policy ...",
        'resource "aws_organizations_policy", resource "aws_organizations_policy_attachment"',
    ),
    maps=cis(v7="2.1.2"),
)
def members_root_denied(view: View) -> Iterator[Verdict]:
    """Ask the engine what control policies say to root, however they are written."""
    for account_id, left in organization.undenied(view, organization.member_root, _ACTIONS):
        arn = organization.member_root(account_id).arn
        yield failed(f"Root of {account_id} may {', '.join(left)}.", arn) if left else passed("It is denied.", arn)
