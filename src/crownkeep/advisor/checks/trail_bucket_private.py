"""Strangers can't read the record."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import DoesNotApply, View

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_EVERYONE = ("AllUsers", "AuthenticatedUsers")


@check(
    "trail-bucket-private",
    title="The trail's bucket is not public",
    topic="trail",
    severity=CheckSeverity.CRITICAL,
    why="The record says who may do what, from where, and when nobody is looking.",
    fix=Fix(
        "S3, the bucket, Permissions, Block public access: On",
        "aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration BlockPublicAcls=true,"
        "IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        'resource "aws_s3_bucket_public_access_block"',
    ),
    maps={**cis(v1="3.3"), "security-hub": ("CloudTrail.6",)},
)
def trail_bucket_private(view: View) -> Iterator[Verdict]:
    """Read the block; where it is not complete, the bucket's grants and its policy's status."""
    buckets = sorted({trail.bucket for trail in trails.of(view) if trail.bucket})
    if not buckets:
        raise DoesNotApply("No trail writes to a bucket.")
    for bucket in buckets:
        arn = f"arn:aws:s3:::{bucket}"
        block = (view.find(calls.of_bucket("GetPublicAccessBlock", bucket)) or {}).get("PublicAccessBlockConfiguration", {})
        if all(block.get(each) for each in _BLOCKS):
            yield passed("Public access is blocked.", arn)
            continue
        grants = view.get(calls.of_bucket("GetBucketAcl", bucket)).get("Grants", [])
        status = (view.find(calls.of_bucket("GetBucketPolicyStatus", bucket)) or {}).get("PolicyStatus", {})
        is_granted = any(str(each.get("Grantee", {}).get("URI", "")).endswith(_EVERYONE) for each in grants)
        if is_granted or status.get("IsPublic"):
            yield failed(f"{bucket} is public.", arn)
        else:
            yield passed("It is not public, but nothing keeps it from becoming so.", arn)
