"""What a trail covers: its Region or all of them, global services, and the selectors that it was given.

The rules are CloudTrail's (API_EventSelector, API_AdvancedFieldSelector, API_CreateTrail). Data events are never covered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from crownkeep.arn import GLOBAL_REGION

GLOBAL_SOURCES = frozenset({"account.amazonaws.com", "iam.amazonaws.com", "organizations.amazonaws.com", "signin.amazonaws.com"})
"""Services that are in no Region: their events count as made to us-east-1."""


MANAGEMENT = "Management"


class TrailScope(msgspec.Struct, frozen=True):
    """What a trail covers since it was made or changed."""

    home_region: str
    is_multi_region: bool
    has_global_events: bool
    selectors: tuple[dict[str, Any], ...] = ()
    """Basic event selectors; an event that one of them takes is covered, and every event where there are none of either kind."""
    advanced: tuple[dict[str, Any], ...] = ()


class Seen(msgspec.Struct, rename="camel"):
    """What of a record decides whether a trail covers it, and where it is filed."""

    aws_region: str
    event_category: str
    event_source: str
    event_time: datetime
    read_only: bool


def read_scope(document: str) -> TrailScope:
    """Read what `write_scope` wrote."""
    return msgspec.json.decode(document, type=TrailScope)


def write_scope(scope: TrailScope) -> str:
    """Write a scope as it is kept."""
    return msgspec.json.encode(scope).decode()


_seen = msgspec.json.Decoder(Seen)


def seen_in(record: bytes) -> Seen | None:
    """Read a CloudTrail record as far as a scope looks at it, None where somebody has made it no record."""
    try:
        return _seen.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def covers(scope: TrailScope, event: Seen) -> bool:
    """Tell whether a trail delivers an event."""
    if event.event_category != MANAGEMENT:
        return False
    if not scope.is_multi_region and event.aws_region != scope.home_region:
        return False
    if not scope.has_global_events and _is_global(event):
        return False
    if scope.advanced:
        return any(all(_takes(field, event) for field in each["FieldSelectors"]) for each in scope.advanced)
    return not scope.selectors or any(_selects(each, event) for each in scope.selectors)


def _is_global(event: Seen) -> bool:
    if event.event_source == "sts.amazonaws.com":
        return event.aws_region == GLOBAL_REGION
    return event.event_source in GLOBAL_SOURCES


def _selects(selector: dict[str, Any], event: Seen) -> bool:
    wanted = {"ReadOnly": (True,), "WriteOnly": (False,)}.get(selector["ReadWriteType"], (True, False))
    is_excluded = event.event_source in selector["ExcludeManagementEventSources"]
    return bool(selector["IncludeManagementEvents"]) and event.read_only in wanted and not is_excluded


def _takes(field: dict[str, Any], event: Seen) -> bool:
    value = {
        "eventCategory": event.event_category,
        "readOnly": "true" if event.read_only else "false",
        "eventSource": event.event_source,
    }[field["Field"]]
    return (not field.get("Equals") or value in field["Equals"]) and value not in (field.get("NotEquals") or ())
