"""Members can't switch the trail off."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

_ACTIONS = ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")


@check(
    "members-trail-protected",
    title="A control policy protects the trail in members",
    topic="organization",
    severity=CheckSeverity.MEDIUM,
    why="The first thing that an intruder does is to stop the record.",
    fix=Fix(
        "AWS Organizations, Policies, Service control policies: deny cloudtrail:StopLogging and cloudtrail:DeleteTrail",
        "aws organizations create-policy --type SERVICE_CONTROL_POLICY ...; aws organizations attach-policy ...",
        'resource "aws_organizations_policy", resource "aws_organizations_policy_attachment"',
    ),
    maps=cis(v7="2.1.2"),
)
def members_trail_protected(view: View) -> Iterator[Verdict]:
    """Ask the engine what control policies say to an administrator."""
    for account_id, left in organization.undenied(view, organization.member_administrator, _ACTIONS):
        arn = organization.member_root(account_id).arn
        yield failed(f"{account_id} may {', '.join(left)}.", arn) if left else passed("It can't.", arn)
