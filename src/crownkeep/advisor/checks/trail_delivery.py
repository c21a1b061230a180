"""The record arrives."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trail-delivery",
    title="Log files arrive in their bucket",
    topic="trail",
    severity=CheckSeverity.HIGH,
    why="A trail that is on, and whose bucket refuses its files, records nothing.",
    fix=Fix("S3, the bucket, Permissions, Bucket policy: let cloudtrail.amazonaws.com write to it"),
)
def trail_delivery(view: View) -> Iterator[Verdict]:
    """Read what each trail says of its last delivery."""
    found = trails.of(view)
    if not found:
        raise DoesNotApply("There is no trail.")
    for trail in found:
        error = trails.status(view, trail).get("LatestDeliveryError")
        yield failed(f"The last delivery of {trail.name} failed: {error}.", trail.arn) if error else passed("They do.", trail.arn)
