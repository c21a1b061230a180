"""Who reads the record is recorded."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trail-bucket-logging",
    title="Accesses to the trail's bucket are logged",
    topic="trail",
    severity=CheckSeverity.LOW,
    why="Reading or deleting the record leaves a trace.",
    fix=Fix(
        "S3, the bucket, Properties, Server access logging: Enable",
        "aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status file://logging.json",
        'resource "aws_s3_bucket_logging"',
    ),
    maps={**cis(v1="3.6", v3="3.4", v5="3.4", v7="4.4"), "security-hub": ("CloudTrail.7",)},
)
def trail_bucket_logging(view: View) -> Iterator[Verdict]:
    """Ask of each bucket."""
    buckets = sorted({trail.bucket for trail in trails.of(view) if trail.bucket})
    if not buckets:
        raise DoesNotApply("No trail writes to a bucket.")
    for bucket in buckets:
        is_logged = "LoggingEnabled" in view.get(calls.of_bucket("GetBucketLogging", bucket))
        arn = f"arn:aws:s3:::{bucket}"
        yield passed("They are.", arn) if is_logged else failed(f"Those to {bucket} are not.", arn)
