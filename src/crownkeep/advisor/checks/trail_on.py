"""What happens is recorded."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "trail-on",
    title="A trail records all Regions",
    topic="trail",
    severity=CheckSeverity.HIGH,
    why="CloudTrail's own history ends after 90 days, and an intruder works in the Region that nobody looks at.",
    fix=Fix(
        "CloudTrail, Create trail: all Regions, management events read and write",
        "aws cloudtrail create-trail --name NAME --s3-bucket-name BUCKET --is-multi-region-trail --enable-log-file-validation; "
        "aws cloudtrail start-logging --name NAME",
        'resource "aws_cloudtrail", is_multi_region_trail = true',
    ),
    maps={
        **cis(v1="3.1", v5="3.1", v7="4.1"),
        "security-hub": ("CloudTrail.1",),
        "config": ("multi-region-cloudtrail-enabled",),
        "trusted-advisor": ("vjafUGJ9H0",),
    },
)
def trail_on(view: View) -> Iterator[Verdict]:
    """Look for one trail that is on, covers all Regions and leaves no management event out."""
    found = trails.of(view)
    for trail in found:
        if trail.is_multi_region and trails.is_logging(view, trail) and trails.records_management(view, trail):
            yield passed(f"{trail.name} does.", trail.arn)
            return
    yield failed("None of the trails does." if found else "There is no trail.")
