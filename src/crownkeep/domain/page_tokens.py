"""Page tokens: opaque markers that only the account and the very list they were made for can use."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import TypeVar

from crownkeep import base64url, errors, paging
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Purpose
from crownkeep.errors import AwsError
from crownkeep.operations.call import Call

Item = TypeVar("Item")

_TAG_SIZE = 16


def write(call: Call, key: str, *, list_name: str, filters: Sequence[str]) -> str:
    """Return a token that says "after `key`" in this list of this account with these filters."""
    text = key.encode()
    return base64url.encode(_tag(call, text, list_name, filters) + text)


def read(call: Call, token: str, *, list_name: str, filters: Sequence[str]) -> str:
    """Return the key in a token; raises ValidationError for one that was not made for this list."""
    try:
        raw = base64url.decode(token)
        tag, text = raw[:_TAG_SIZE], raw[_TAG_SIZE:]
        if not compare_digest(tag, _tag(call, text, list_name, filters)):
            raise errors.ValidationError("Invalid Marker.")
        return text.decode()
    except (binascii.Error, ValueError) as error:
        raise errors.ValidationError("Invalid Marker.") from error


def page(
    call: Call,
    *,
    list_name: str,
    filters: Sequence[str] = (),
    marker: str | None,
    max_items: int | None,
    fetch: Callable[[str, int], Sequence[Item]],
    key: Callable[[Item], str],
) -> tuple[Sequence[Item], dict[str, object]]:
    """Return one page of a list and what IAM says of it: `IsTruncated` always, `Marker` where there is more.

    `fetch(after, limit)` returns up to `limit` rows in the order of their `key`, from the first one after `after`.
    """
    after = read(call, marker, list_name=list_name, filters=filters) if marker is not None else ""
    size = max_items if max_items is not None else paging.DEFAULT_SIZE
    cut = paging.cut(fetch(after, size + 1), size, key)
    if cut.next_key is None:
        return cut.items, {"IsTruncated": False}
    return cut.items, {"IsTruncated": True, "Marker": write(call, cut.next_key, list_name=list_name, filters=filters)}


def page_by_next_token(
    call: Call,
    *,
    list_name: str,
    filters: Sequence[str] = (),
    next_token: str | None,
    size: int,
    fetch: Callable[[str, int], Sequence[Item]],
    key: Callable[[Item], str],
    refusal: AwsError,
    member: str = "NextToken",
) -> tuple[Sequence[Item], dict[str, object]]:
    """Return one page of a list as later services have it: the token where there is more, and nothing where that is all.

    `fetch(after, limit)` returns up to `limit` rows in the order of their `key`, from the first one after `after`. The refusal is
    what the service says of a token that was made for another list, and is raised.
    """
    try:
        after = read(call, next_token, list_name=list_name, filters=filters) if next_token is not None else ""
    except errors.ValidationError as error:
        raise refusal from error
    cut = paging.cut(fetch(after, size + 1), size, key)
    if cut.next_key is None:
        return cut.items, {}
    return cut.items, {member: write(call, cut.next_key, list_name=list_name, filters=filters)}


def _tag(call: Call, text: bytes, list_name: str, filters: Sequence[str]) -> bytes:
    message = sealing.context_of(call.account_id, list_name, *filters) + text
    return sealing.fingerprint(call.keyring, message, purpose=Purpose.PAGE_TOKEN)[:_TAG_SIZE]
