"""The trail: what happened in the account, what root did, and one event as JSON and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import acts, frame, parts, trail_standing, web
from crownkeep.console.kit.parts import Part

TRAIL = "/console/trail"
ATTRIBUTES = {
    "Username": "User name",
    "EventName": "Event name",
    "EventSource": "Event source",
    "EventId": "Event ID",
    "ReadOnly": "Read-only (true or false)",
    "ResourceName": "Resource name",
    "ResourceType": "Resource type",
    "AccessKeyId": "Access key",
}
_ROOT = [{"AttributeKey": "Username", "AttributeValue": "root"}]


async def events(request: Request) -> Response:
    """Look events up by one attribute and a range of days, the newest first."""
    web.signed_in(request)
    query = request.query_params
    by, value = parts.chosen(request, "by", tuple(ATTRIBUTES)), query.get("value", "").strip()
    first, last = _day(query.get("first", "")), _day(query.get("last", ""))
    listed = await parts.ask(
        request,
        "LookupEvents",
        service="cloudtrail",
        LookupAttributes=[{"AttributeKey": by, "AttributeValue": value}] if value else None,
        StartTime=first,
        EndTime=last + timedelta(days=1, seconds=-1) if last else None,
        MaxResults=parts.ROWS,
        NextToken=query.get("marker", ""),
    )
    here = {"by": by, "value": value, "first": _written(first), "last": _written(last)}
    standing = await trail_standing.ask(request)
    return frame.page(
        request,
        "trail.html",
        current=TRAIL,
        same=[listed.call, trail_standing.CALL],
        standing=standing,
        attributes=ATTRIBUTES,
        here=here,
        listed=listed,
        first=parts.address(TRAIL, **here) if query.get("marker") else "",
        next_page=parts.address(TRAIL, **here, marker=listed.marker) if listed.marker else "",
    )


async def root(request: Request) -> Response:
    """Show what root did: when, from where, and whether with MFA."""
    web.signed_in(request)
    marker, changes = request.query_params.get("marker", ""), "1" if request.query_params.get("changes") else ""
    listed = await parts.ask(
        request, "LookupEvents", service="cloudtrail", LookupAttributes=_ROOT, MaxResults=parts.ROWS, NextToken=marker
    )
    # A user may be called root, too; the record knows which of them it was.
    found = [acts.of(json.loads(each["CloudTrailEvent"])) for each in listed.rows("Events") if not changes or _changes(each)]
    here = parts.address(f"{TRAIL}/root", changes=changes)
    return frame.page(
        request,
        "trail_root.html",
        current=TRAIL,
        same=[listed.call],
        listed=listed,
        acts=[act for act in found if act.is_root],
        changes=changes,
        first=here if marker else "",
        next_page=parts.address(f"{TRAIL}/root", changes=changes, marker=listed.marker) if listed.marker else "",
    )


async def event(request: Request) -> Response:
    """Show one event in words, and as it was recorded."""
    web.signed_in(request)
    event_id = request.query_params.get("id", "")
    by_id = [{"AttributeKey": "EventId", "AttributeValue": event_id or "none"}]
    found = await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_id)
    record = _record(found)
    return frame.page(
        request,
        "trail_event.html",
        current=TRAIL,
        status=200 if record or found.refusal else 404,
        same=[found.call],
        found=found,
        act=acts.of(record) if record else None,
        record=json.dumps(record, indent=2, ensure_ascii=False),
        resources=record.get("resources") or [],
        record_id=record.get("eventID", ""),
    )


def _changes(event: Mapping[str, Any]) -> bool:
    return bool(event["ReadOnly"] == "false")


def _record(found: Part) -> dict[str, Any]:
    rows = found.rows("Events")
    record: dict[str, Any] = json.loads(rows[0]["CloudTrailEvent"]) if rows else {}
    return record


def _day(text: str) -> datetime | None:
    """Read a day as browsers send it; anything else counts as not given."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _written(day: datetime | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


ROUTES = [
    Route(TRAIL, events, methods=["GET"]),
    Route(f"{TRAIL}/root", root, methods=["GET"]),
    Route(f"{TRAIL}/event", event, methods=["GET"]),
]
