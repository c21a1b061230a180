"""Members can't leave by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "members-cannot-leave",
    title="A control policy keeps members from leaving",
    topic="organization",
    severity=CheckSeverity.MEDIUM,
    why="An administrator of a member could otherwise leave, and all control policies with it.",
    fix=Fix(
        "AWS Organizations, Policies, Service control policies: deny organizations:LeaveOrganization",
        "aws organizations create-policy --type SERVICE_CONTROL_POLICY ...; aws organizations attach-policy ...",
        'resource "aws_organizations_policy", resource "aws_organizations_policy_attachment"',
    ),
    maps=cis(v7="2.1.2"),
)
def members_cannot_leave(view: View) -> Iterator[Verdict]:
    """Ask the engine what control policies say to an administrator."""
    for account_id, left in organization.undenied(view, organization.member_administrator, ("organizations:LeaveOrganization",)):
        arn = organization.member_root(account_id).arn
        yield failed(f"{account_id} may leave.", arn) if left else passed("It can't leave.", arn)
