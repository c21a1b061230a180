"""Buckets: the account has those that the operator gave it for its trails; they are read, and nothing else."""

from __future__ import annotations

import hashlib

from crownkeep import errors
from crownkeep.arn import GLOBAL_REGION
from crownkeep.models import regions
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Target
from crownkeep.services.s3 import context, holding
from crownkeep.services.s3.service import s3
from crownkeep.storage.trail import buckets


def all_buckets(call: Call, **_: object) -> Target:
    """The target of ListBuckets: no resource, with the keys that S3 has for every request."""
    return Target(None, context=context.of_request(call))


def a_bucket(call: Call, *, bucket: str, **_: object) -> Target:
    """The bucket with this name."""
    return Target(f"arn:aws:s3:::{bucket}", context=context.of_request(call), account_id=call.account_id)


@s3.operation("ListBuckets", resource=all_buckets, action="s3:ListAllMyBuckets")
def list_buckets(
    call: Call,
    *,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> Result:
    """Return the account's buckets, all in us-east-1, and who owns them."""
    if continuation_token is not None:
        raise errors.InvalidArgument("The continuation token provided is incorrect")
    if bucket_region is not None and bucket_region not in regions.names():
        raise errors.InvalidArgument(f"Argument value {bucket_region} is not a valid AWS Region")
    found = [row for row in buckets.of_account(call.db, call.account_id) if row.name.startswith(prefix or "")]
    shown = found if bucket_region in (None, GLOBAL_REGION) else []
    if max_buckets is not None and len(shown) > max_buckets:
        raise errors.InvalidArgument(f"the account has {len(shown)} buckets, and they are listed on one page: ask for as many")
    described = [{"Name": row.name, "CreationDate": row.created_at, "BucketRegion": GLOBAL_REGION} for row in shown]
    result: dict[str, object] = {"Buckets": described, "Owner": {"ID": canonical_user_id(call.account_id)}}
    return result if prefix is None else result | {"Prefix": prefix}


@s3.operation("GetBucketLocation", resource=a_bucket)
def get_bucket_location(call: Call, *, bucket: str, expected_bucket_owner: str | None = None) -> Result:
    """Say that a bucket is in us-east-1, which S3 says by saying nothing."""
    holding.required(call, bucket, expected_bucket_owner)
    return {}


@s3.operation("HeadBucket", resource=a_bucket, action="s3:ListBucket")
def head_bucket(call: Call, *, bucket: str, expected_bucket_owner: str | None = None) -> Result:
    """Say that a bucket is there, and where."""
    holding.required(call, bucket, expected_bucket_owner)
    return {"BucketRegion": GLOBAL_REGION}


def canonical_user_id(account_id: str) -> str:
    """Return the account's name in S3's access control lists: 64 hexadecimal digits, the same for ever."""
    return hashlib.sha256(f"canonical user of {account_id}".encode()).hexdigest()
