"""GetObject and HeadObject: a delivered file with its metadata, which is how its digest is verified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.s3 import context, holding
from crownkeep.services.s3.service import s3
from crownkeep.trail import directories
from crownkeep.trail.directories import ObjectContents

_GZIP = "application/x-gzip"
_PLAIN = "binary/octet-stream"
_SERVED = frozenset({"checksum_mode", "expected_bucket_owner", "request_payer"})
"""Parameters that are taken into account, or change nothing: no object has a checksum that was sent with it, and nobody pays."""


def an_object(call: Call, *, bucket: str, key: str, **given: object) -> Target:
    """The object with this key; raises InvalidArgument for what would change the answer and does nothing here."""
    holding.refuse_unserved({name: value for name, value in given.items() if name not in _SERVED})
    return Target(f"arn:aws:s3:::{bucket}/{key}", context=context.of_request(call), account_id=call.account_id)


@s3.operation("GetObject", resource=an_object, mode=Mode.LONG_READ, is_data_event=True)
def get_object(
    call: Call,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: datetime | None = None,
    range: str | None = None,
    response_cache_control: str | None = None,
    response_content_disposition: str | None = None,
    response_content_encoding: str | None = None,
    response_content_language: str | None = None,
    response_content_type: str | None = None,
    response_expires: datetime | None = None,
    version_id: str | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    request_payer: str | None = None,
    part_number: int | None = None,
    expected_bucket_owner: str | None = None,
    checksum_mode: str | None = None,
) -> Result:
    """Return an object, whole."""
    found = _found(call, bucket, key, expected_bucket_owner)
    return {"Body": found.body, **_described(found)}


@s3.operation("HeadObject", resource=an_object, mode=Mode.LONG_READ, action="s3:GetObject", is_data_event=True)
def head_object(
    call: Call,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_modified_since: datetime | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: datetime | None = None,
    range: str | None = None,
    response_cache_control: str | None = None,
    response_content_disposition: str | None = None,
    response_content_encoding: str | None = None,
    response_content_language: str | None = None,
    response_content_type: str | None = None,
    response_expires: datetime | None = None,
    version_id: str | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    request_payer: str | None = None,
    part_number: int | None = None,
    expected_bucket_owner: str | None = None,
    checksum_mode: str | None = None,
) -> Result:
    """Return what GetObject says of an object beside its contents."""
    found = _found(call, bucket, key, expected_bucket_owner)
    return {"ContentLength": len(found.body), **_described(found)}


def _found(call: Call, bucket: str, key: str, owner: str | None) -> ObjectContents:
    held = holding.required(call, bucket, owner)
    try:
        found = held.get(key)
    except directories.TooLarge as error:
        raise errors.InvalidArgument(f"objects of more than {directories.LARGEST} bytes are not served here") from error
    if found is None:
        raise errors.NoSuchKey("The specified key does not exist.", members={"Key": key})
    return found


def _described(found: ObjectContents) -> Mapping[str, object]:
    listed = found.listed
    return {
        "AcceptRanges": "none",
        "LastModified": listed.modified_at,
        "ETag": listed.etag,
        "ContentType": _GZIP if listed.key.endswith(".gz") else _PLAIN,
        "Metadata": found.metadata,
    }
