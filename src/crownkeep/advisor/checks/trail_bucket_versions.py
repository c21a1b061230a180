"""A deleted log file can be had back."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trail-bucket-versions",
    title="The trail's bucket keeps versions",
    topic="trail",
    severity=CheckSeverity.MEDIUM,
    why="Digests say that a file is gone; versions still have it.",
    fix=Fix(
        "S3, the bucket, Properties, Bucket Versioning: Enable; MFA delete only root can switch on",
        "aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
        'resource "aws_s3_bucket_versioning"',
    ),
)
def trail_bucket_versions(view: View) -> Iterator[Verdict]:
    """Ask of each bucket."""
    buckets = sorted({trail.bucket for trail in trails.of(view) if trail.bucket})
    if not buckets:
        raise DoesNotApply("No trail writes to a bucket.")
    for bucket in buckets:
        kept = view.get(calls.of_bucket("GetBucketVersioning", bucket)).get("Status") == "Enabled"
        arn = f"arn:aws:s3:::{bucket}"
        yield passed("It does.", arn) if kept else failed(f"{bucket} does not.", arn)
