"""ListObjects and ListObjectsV2: the objects of a bucket in the order of their keys, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from crownkeep import errors
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.s3 import buckets, context, holding
from crownkeep.services.s3.service import s3
from crownkeep.trail.directories import DirectoryBucket, ObjectSummary

MOST = 1_000
_AFTER_ALL = "\U0010ffff"
"""The last character there is: behind a common prefix, it stands after every key that begins so."""


@dataclass(slots=True)
class ListingPage:
    """One page of a listing."""

    objects: list[ObjectSummary] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""
    """The key or the common prefix that the next page begins after."""
    is_truncated: bool = False


def listed_bucket(
    call: Call,
    *,
    bucket: str,
    prefix: str | None = None,
    delimiter: str | None = None,
    max_keys: int | None = None,
    **_: object,
) -> Target:
    """The bucket that is listed, with what S3's policies ask of a listing."""
    keys = context.of_request(call, prefix=prefix, delimiter=delimiter, max_keys=max_keys)
    return Target(f"arn:aws:s3:::{bucket}", context=keys, account_id=call.account_id)


@s3.operation("ListObjects", resource=listed_bucket, mode=Mode.LONG_READ, action="s3:ListBucket", is_data_event=True)
def list_objects(
    call: Call,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    request_payer: str | None = None,
    expected_bucket_owner: str | None = None,
    optional_object_attributes: Sequence[str] = (),
) -> Result:
    """List the objects after the key `marker`."""
    holding.refuse_unserved({"optional_object_attributes": optional_object_attributes or None})
    held = holding.required(call, bucket, expected_bucket_owner)
    size = _size(max_keys)
    page = cut(held, prefix=prefix or "", delimiter=delimiter or "", after=marker or "", size=size)
    answer: dict[str, object] = {"Marker": _encoded(marker or "", encoding_type)}
    if page.is_truncated and delimiter:
        # Without a delimiter the last key says it (API_ListObjects).
        answer["NextMarker"] = _encoded(page.last, encoding_type)
    return answer | _described(page, bucket, prefix, delimiter, size, encoding_type)


@s3.operation("ListObjectsV2", resource=listed_bucket, mode=Mode.LONG_READ, action="s3:ListBucket", is_data_event=True)
def list_objects_v2(
    call: Call,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    continuation_token: str | None = None,
    fetch_owner: bool | None = None,
    start_after: str | None = None,
    request_payer: str | None = None,
    expected_bucket_owner: str | None = None,
    optional_object_attributes: Sequence[str] = (),
) -> Result:
    """List the objects that a token leads to, or those after the key `start_after`."""
    holding.refuse_unserved({"optional_object_attributes": optional_object_attributes or None})
    held = holding.required(call, bucket, expected_bucket_owner)
    filters = (bucket, prefix or "", delimiter or "")
    after = start_after or ""
    answer: dict[str, object] = {} if start_after is None else {"StartAfter": _encoded(start_after, encoding_type)}
    if continuation_token is not None:
        after = _read(call, continuation_token, filters)
        answer["ContinuationToken"] = continuation_token
    size = _size(max_keys)
    page = cut(held, prefix=prefix or "", delimiter=delimiter or "", after=after, size=size)
    answer["KeyCount"] = len(page.objects) + len(page.prefixes)
    if page.is_truncated:
        answer["NextContinuationToken"] = page_tokens.write(call, page.last, list_name="ListObjectsV2", filters=filters)
    described = _described(page, bucket, prefix, delimiter, size, encoding_type)
    if fetch_owner:
        owner = {"ID": buckets.canonical_user_id(call.account_id)}
        described["Contents"] = [each | {"Owner": owner} for each in _contents(page, encoding_type)]
    return answer | described


def cut(held: DirectoryBucket, *, prefix: str, delimiter: str, after: str, size: int) -> ListingPage:
    """Return one page: keys that have the delimiter behind the prefix count once, as the prefix that they share."""
    page = ListingPage(last=after)
    # The page before ended with a common prefix: this one goes on behind everything that it stands for.
    if delimiter and after.endswith(delimiter):
        after += _AFTER_ALL
    # Each round begins behind the last common prefix: what lies below one is skipped and not read, however much it is.
    while True:
        shared = ""
        for each in held.objects(prefix=prefix, after=after):
            if len(page.objects) + len(page.prefixes) >= size:
                page.is_truncated = size > 0
                return page
            place = each.key.find(delimiter, len(prefix)) if delimiter else -1
            if place >= 0:
                shared = each.key[: place + len(delimiter)]
                break
            page.objects.append(each)
            page.last = each.key
        if not shared:
            return page
        page.prefixes.append(shared)
        page.last, after = shared, shared + _AFTER_ALL


def _size(max_keys: int | None) -> int:
    if max_keys is None:
        return MOST
    if max_keys < 0:
        raise errors.InvalidArgument("Argument maxKeys must be an integer between 0 and 2147483647")
    return min(max_keys, MOST)


def _read(call: Call, token: str, filters: Sequence[str]) -> str:
    try:
        return page_tokens.read(call, token, list_name="ListObjectsV2", filters=filters)
    except errors.ValidationError as error:
        raise errors.InvalidArgument("The continuation token provided is incorrect") from error


def _described(
    page: ListingPage, bucket: str, prefix: str | None, delimiter: str | None, size: int, encoding: str | None
) -> dict[str, object]:
    described: dict[str, object] = {
        "IsTruncated": page.is_truncated,
        "Name": bucket,
        "Prefix": _encoded(prefix or "", encoding),
        "MaxKeys": size,
        "Contents": _contents(page, encoding),
        "CommonPrefixes": [{"Prefix": _encoded(each, encoding)} for each in page.prefixes],
    }
    if delimiter:
        described["Delimiter"] = _encoded(delimiter, encoding)
    return described if encoding is None else described | {"EncodingType": encoding}


def _contents(page: ListingPage, encoding: str | None) -> list[dict[str, object]]:
    return [
        {
            "Key": _encoded(each.key, encoding),
            "LastModified": each.modified_at,
            "ETag": each.etag,
            "Size": each.size,
            "StorageClass": "STANDARD",
        }
        for each in page.objects
    ]


def _encoded(text: str, encoding: str | None) -> str:
    return text if encoding is None else quote(text, safe="/-_.~*")
