"""Changed log files are noticed."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trail-validation",
    title="Log files are validated",
    topic="trail",
    severity=CheckSeverity.MEDIUM,
    why="Without digests a file that was changed or deleted looks like any other.",
    fix=Fix(
        "CloudTrail, the trail, Edit: Log file validation",
        "aws cloudtrail update-trail --name NAME --enable-log-file-validation",
        'resource "aws_cloudtrail", enable_log_file_validation = true',
    ),
    maps={
        **cis(v1="3.2", v5="3.2", v7="4.2"),
        "security-hub": ("CloudTrail.4",),
        "config": ("cloud-trail-log-file-validation-enabled",),
    },
)
def trail_validation(view: View) -> Iterator[Verdict]:
    """Judge each trail."""
    found = trails.of(view)
    if not found:
        raise DoesNotApply("There is no trail.")
    for trail in found:
        yield passed("They are.", trail.arn) if trail.is_validated else failed(f"Those of {trail.name} are not.", trail.arn)
