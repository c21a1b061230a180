"""Buckets for trails: the operator gives one to an account, which then may let its trails deliver there, and nowhere else."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from crownkeep import clock, errors
from crownkeep.arn import GLOBAL_REGION
from crownkeep.credentials.secret import Secret
from crownkeep.operations import registry, sealed
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts, list_pages
from crownkeep.services.operator.service import operator
from crownkeep.storage.trail import buckets, trails
from crownkeep.storage.trail.buckets import BucketRow
from crownkeep.trail import buckets as places


@operator.operation("AddTrailBucket", resource=registry.everything, effect=Effect.STATE)
def add_trail_bucket(
    call: Call,
    *,
    name: str,
    account_id: str,
    directory: str = "",
    endpoint: str = "",
    endpoint_region: str = GLOBAL_REGION,
    endpoint_bucket: str | None = None,
    access_key_id: str = "",
    secret_access_key: str = "",
) -> Result:
    """Give an account a bucket: kept in the data directory, in another directory, or by an S3-compatible server."""
    known_accounts.held(call, account_id)
    call.notes.account_id = account_id
    _require_free(call, name)
    if directory:
        _require_directory(call, directory)
    if endpoint or access_key_id or secret_access_key or endpoint_bucket:
        _require_endpoint(endpoint, directory, access_key_id, secret_access_key)
    bucket_id = clock.token_bytes(16).hex()
    blob = None
    if endpoint:
        blob = sealed.seal_bucket_secret(call.keyring, Secret(secret_access_key), account_id=account_id, bucket_id=bucket_id)
    row = BucketRow(
        name,
        bucket_id,
        account_id,
        directory,
        endpoint.rstrip("/"),
        endpoint_region if endpoint else "",
        (endpoint_bucket or name) if endpoint else "",
        access_key_id,
        blob,
        call.now,
    )
    buckets.add(call.db, row)
    return _describe(call, row)


@operator.operation("ListTrailBuckets", resource=registry.everything)
def list_trail_buckets(call: Call, *, max_results: int = list_pages.MOST_ROWS, next_token: str | None = None) -> Result:
    """Return the buckets of all accounts by name, and which trails deliver to each."""
    found, following = list_pages.page(
        call, buckets.page, next_token, max_results, list_name="ListTrailBuckets", key=lambda row: row.name
    )
    return {"buckets": [_describe(call, row) for row in found], **following}


@operator.operation("RemoveTrailBucket", resource=registry.everything, effect=Effect.STATE)
def remove_trail_bucket(call: Call, *, name: str) -> Result:
    """Take a bucket away: what is in it stays where it is, and trails that deliver there say that there is no such bucket."""
    row = buckets.named(call.db, name)
    if row is None:
        raise errors.ResourceNotFound(f"there is no bucket `{name}`; `crownkeep trail bucket list` shows them all")
    call.notes.account_id = row.account_id
    described = _describe(call, row)
    buckets.remove(call.db, name)
    return described


def _require_free(call: Call, name: str) -> None:
    # S3 forbids such names, too (S3 user guide, "General purpose bucket naming rules"): clients would take them for a host.
    if _is_address(name):
        raise errors.ValidationError(f"a bucket can't be called `{name}`, as an address is written; choose another name")
    if buckets.named(call.db, name) is not None:
        raise errors.Conflict(f"there is a bucket `{name}` already; choose another name")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _require_directory(call: Call, directory: str) -> None:
    """Raise ValidationError for a directory whose files an account must not read."""
    given = Path(directory)
    if not given.is_absolute() or "\0" in directory:
        raise errors.ValidationError(f"`{directory}` is no absolute path; name the directory from the root on")
    # Both resolved: a symbolic link must not lead an account to the keys and the database.
    ours, wanted = call.settings.data_directory.resolve(), given.resolve()
    if ours.is_relative_to(wanted) or wanted.is_relative_to(ours):
        raise errors.ValidationError(
            f"`{directory}` and the data directory overlap, and the account may read everything in the bucket; name another"
        )
    if not wanted.is_dir():
        raise errors.ValidationError(f"`{directory}` is no directory; make it first")


def _require_endpoint(endpoint: str, directory: str, access_key_id: str, secret_access_key: str) -> None:
    if directory:
        raise errors.ValidationError("a bucket is in a directory or at an endpoint; give one of them")
    if not (endpoint and access_key_id and secret_access_key):
        raise errors.ValidationError("an endpoint takes its URL, an access key id and the secret access key")
    try:
        parts = urlsplit(endpoint)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and endpoint.isprintable()
    # An unfinished `[` of an IPv6 address, or a port beyond 65,535.
    except ValueError:
        is_usable, parts = False, urlsplit("")
    if not is_usable or parts.username or parts.query or parts.fragment or " " in endpoint:
        raise errors.ValidationError(f"`{endpoint}` is no endpoint; write it as `https://HOST` or `https://HOST:PORT`")


def _describe(call: Call, row: BucketRow) -> dict[str, object]:
    place = f"{row.endpoint}/{row.endpoint_bucket}" if row.endpoint else str(places.root_of(call.settings, row))
    described: dict[str, object] = {
        "name": row.name,
        "account_id": row.account_id,
        "kind": "s3" if row.endpoint else "directory",
        "place": place,
        "created_at": row.created_at,
        "trails": [each.arn for each in trails.delivering_to(call.db, row.account_id, row.name)],
    }
    return described | ({"access_key_id": row.access_key_id} if row.endpoint else {})
