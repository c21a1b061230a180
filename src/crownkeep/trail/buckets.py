"""Buckets opened: from the row that the operator made to what takes and gives objects."""

from __future__ import annotations

import shutil
from pathlib import Path

from crownkeep.credentials.sealing import Keyring, Unsealable
from crownkeep.operations import sealed
from crownkeep.settings import Settings
from crownkeep.storage.trail.buckets import BucketRow
from crownkeep.trail.directories import BucketRefused, DirectoryBucket
from crownkeep.trail.endpoints import EndpointBucket

FOLDER = "trail-buckets"
"""Where the data directory keeps buckets, each in a directory that has its id."""


def root_of(settings: Settings, row: BucketRow) -> Path:
    """Return the directory that holds a bucket's objects."""
    return Path(row.directory) if row.directory else settings.data_directory / FOLDER / row.bucket_id


def readable(settings: Settings, row: BucketRow) -> DirectoryBucket | None:
    """Return a bucket to read from; None where a server elsewhere has it, which is to be asked itself."""
    return None if row.endpoint else DirectoryBucket(root_of(settings, row))


def writable(settings: Settings, keyring: Keyring, row: BucketRow) -> DirectoryBucket | EndpointBucket:
    """Return a bucket to deliver to; raises BucketRefused where its secret can't be opened."""
    if not row.endpoint:
        return DirectoryBucket(root_of(settings, row))
    try:
        secret = sealed.open_bucket_secret(keyring, row.sealed_secret or b"", account_id=row.account_id, bucket_id=row.bucket_id)
    except Unsealable as error:
        raise BucketRefused("InvalidAccessKeyId: the secret key of the bucket can't be opened; add the bucket again") from error
    return EndpointBucket(row.endpoint, row.endpoint_region, row.endpoint_bucket, row.access_key_id, secret)


def sweep(settings: Settings, discarded: set[str]) -> int:
    """Remove what this data directory keeps of buckets whose account is gone, and return how many there were."""
    removed = 0
    for bucket_id in discarded:
        place = settings.data_directory / FOLDER / bucket_id
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
            removed += 1
    return removed
