"""Log files are encrypted with a key of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "trail-encryption",
    title="Log files are encrypted with a key of the account's own",
    topic="trail",
    severity=CheckSeverity.LOW,
    why="People who may read the bucket may then still not read the record.",
    fix=Fix(
        "CloudTrail, the trail, Edit: SSE-KMS encryption",
        "aws cloudtrail update-trail --name NAME --kms-key-id KEY",
        'resource "aws_cloudtrail", kms_key_id',
    ),
    maps={**cis(v1="3.7", v3="3.5", v5="3.5", v7="4.5"), "security-hub": ("CloudTrail.2",)},
)
def trail_encryption(view: View) -> Iterator[Verdict]:
    """Judge each trail."""
    found = trails.of(view)
    if not found:
        raise DoesNotApply("There is no trail.")
    for trail in found:
        yield passed("They are.", trail.arn) if trail.is_encrypted else failed(f"Those of {trail.name} are not.", trail.arn)
