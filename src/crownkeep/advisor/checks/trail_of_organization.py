"""One trail for all accounts."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import organization, trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "trail-of-organization",
    title="A trail records all accounts of the organization",
    topic="trail",
    severity=CheckSeverity.MEDIUM,
    why="Members can't switch it off, and a new account is in it from its first minute.",
    fix=Fix(
        "CloudTrail in the management account, Create trail: Enable for all accounts in my organization",
        "aws cloudtrail create-trail --name NAME --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail",
        'resource "aws_cloudtrail", is_organization_trail = true',
    ),
)
def trail_of_organization(view: View) -> Iterator[Verdict]:
    """Look for one that is on."""
    organization.lead(view)
    for trail in trails.of(view):
        if trail.is_of_organization and trails.is_logging(view, trail):
            yield passed(f"{trail.name} does.", trail.arn)
            return
    yield failed("None does.")
