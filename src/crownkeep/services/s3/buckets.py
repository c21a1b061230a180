"""ListBuckets: there are none, for nothing is stored here; scanners ask all the same."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from crownkeep import errors
from crownkeep.models import regions
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Target
from crownkeep.services.s3.service import s3


def all_buckets(call: Call, **_: object) -> Target:
    """The target of ListBuckets: no resource, with the keys that S3 has for every request."""
    origin = call.origin
    context = {"s3:ResourceAccount": call.account_id}
    if origin.tls_version:
        context["s3:TlsVersion"] = origin.tls_version.removeprefix("TLSv")
    signing = origin.signing
    if signing is not None:
        context["s3:authType"] = "REST-QUERY-STRING" if signing.is_presigned else "REST-HEADER"
        context["s3:signatureversion"] = signing.algorithm
        context["s3:signatureAge"] = str(max(0, (call.now - signing.signed_at) // timedelta(milliseconds=1)))
        if signing.payload_hash:
            context["s3:x-amz-content-sha256"] = signing.payload_hash
    return Target(None, context=context)


@s3.operation("ListBuckets", resource=all_buckets, action="s3:ListAllMyBuckets")
def list_buckets(
    call: Call,
    *,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> Result:
    """Return the account's buckets, of which there are none in any Region, and who would own them."""
    if continuation_token is not None:
        raise errors.InvalidArgument("The continuation token provided is incorrect")
    if bucket_region is not None and bucket_region not in regions.names():
        raise errors.InvalidArgument(f"Argument value {bucket_region} is not a valid AWS Region")
    result: dict[str, object] = {"Buckets": [], "Owner": {"ID": _canonical_user_id(call.account_id)}}
    return result if prefix is None else result | {"Prefix": prefix}


def _canonical_user_id(account_id: str) -> str:
    """Return the account's name in S3's access control lists: 64 hexadecimal digits, the same for ever."""
    return hashlib.sha256(f"canonical user of {account_id}".encode()).hexdigest()
