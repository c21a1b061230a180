"""What holds a bucket's objects: the account's own buckets in a directory; to everybody else there is no such bucket."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.storage.trail import buckets
from crownkeep.trail import buckets as places
from crownkeep.trail.directories import DirectoryBucket


def required(call: Call, name: str, owner: str | None = None) -> DirectoryBucket:
    """Return a bucket of the caller's account to read from; raises NoSuchBucket.

    `owner` is the account that the caller believes to have it (`x-amz-expected-bucket-owner`).
    """
    if owner is not None and owner != call.account_id:
        raise errors.AccessDenied("Access Denied")
    row = buckets.of(call.db, call.account_id, name)
    # The same for another account's bucket and for none: who has which is nobody else's business.
    if row is None:
        raise errors.NoSuchBucket("The specified bucket does not exist", members={"BucketName": name})
    found = places.readable(call.settings, row)
    if found is None:
        raise errors.NoSuchBucket(f"the bucket is kept by `{row.endpoint}`: set AWS_ENDPOINT_URL_S3 to that, and ask it")
    return found


def refuse_unserved(given: Mapping[str, object]) -> None:
    """Raise InvalidArgument for a header or parameter that would change the answer and does nothing here."""
    for name, value in given.items():
        if value is not None:
            raise errors.InvalidArgument(
                f"A header or parameter you provided implies functionality that is not implemented: {name.replace('_', '-')}"
            )
