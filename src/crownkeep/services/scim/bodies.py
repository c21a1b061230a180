"""Bodies: JSON that is read strictly, and what is sent back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crownkeep import canonical_json, errors

LARGEST = 64 * 1024
"""Bytes: a hundred members with their names take a quarter of it."""

MOST_RESULTS = 100
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_CONTENT_TYPE = "application/json"
Json = dict[str, Any]


def read(body: bytes | None, schema: str) -> Json:
    """Return a body's object; raises ValidationException for what is none, is too large, or doesn't name its schema."""
    if not body or len(body) > LARGEST:
        raise unparsable(f"send a JSON object of at most {LARGEST:,} bytes")
    try:
        content = msgspec.json.decode(body)
        is_storable = canonical_json.is_storable(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unparsable("the body is no JSON") from error
    # RFC 7643, 3: every resource and message names its schemas, which is how a user sent to /Groups is noticed.
    named = content.get("schemas") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(named, list) or schema not in named:
        raise unparsable(f"`schemas` must name {schema}")
    if not is_storable:
        raise unparsable("a text has a null character or half a character in it")
    return content


def unparsable(reason: str) -> errors.ServiceValidation:
    """Return the refusal of a request: AWS's sentence, and then what is wrong, which AWS leaves people to guess."""
    return errors.ServiceValidation(f"Request is unparsable, syntactically incorrect, or violates schema. ({reason})")


def sent(resource: Mapping[str, Any], *, location: str = "") -> dict[str, object]:
    """Return an answer that holds a resource."""
    answer: dict[str, object] = {"ContentType": _CONTENT_TYPE, "Resource": msgspec.json.encode(resource)}
    return {**answer, "Location": location} if location else answer


def listed(resources: Sequence[Json], *, cursor: str | None, next_cursor: str | None) -> dict[str, object]:
    """Return an answer that lists resources: by pages where a cursor was given, however empty, and otherwise as one page."""
    page: Json = {"schemas": [_LIST], "itemsPerPage": len(resources), "Resources": list(resources)}
    if cursor is None:
        return sent({**page, "totalResults": len(resources), "startIndex": 1})
    return sent({**page, "nextCursor": next_cursor} if next_cursor else page)
