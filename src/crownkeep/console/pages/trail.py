"""The trail: what happened in the account, what root did, and one event as JSON and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.pages import parts
from crownkeep.console.pages.parts import Part

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


@dataclass(frozen=True, slots=True)
class Deed:
    """One event, read from its record."""

    event_id: str
    name: str
    source: str
    at: datetime
    who: str
    address: str
    agent: str
    has_mfa: bool
    error: str
    error_message: str


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
    return frame.page(
        request,
        "trail.html",
        current=TRAIL,
        same=[listed.call],
        attributes=ATTRIBUTES,
        here=here,
        listed=listed,
        first=parts.address(TRAIL, **here) if query.get("marker") else "",
        next_page=parts.address(TRAIL, **here, marker=listed.marker) if listed.marker else "",
    )


async def root(request: Request) -> Response:
    """Show what root did: when, from where, and whether with MFA."""
    web.signed_in(request)
    marker = request.query_params.get("marker", "")
    listed = await parts.ask(
        request, "LookupEvents", service="cloudtrail", LookupAttributes=_ROOT, MaxResults=parts.ROWS, NextToken=marker
    )
    # A user may be called root, too; the record knows which of them it was.
    records = [json.loads(each["CloudTrailEvent"]) for each in listed.rows("Events")]
    here = f"{TRAIL}/root"
    return frame.page(
        request,
        "trail_root.html",
        current=TRAIL,
        same=[listed.call],
        listed=listed,
        deeds=[_deed(record) for record in records if record["userIdentity"].get("type") == "Root"],
        first=here if marker else "",
        next_page=parts.address(here, marker=listed.marker) if listed.marker else "",
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
        deed=_deed(record) if record else None,
        record=json.dumps(record, indent=2, ensure_ascii=False),
        parameters=_flat(record.get("requestParameters")),
        resources=record.get("resources") or [],
    )


def _record(found: Part) -> dict[str, Any]:
    rows = found.rows("Events")
    record: dict[str, Any] = json.loads(rows[0]["CloudTrailEvent"]) if rows else {}
    return record


def _deed(record: Mapping[str, Any]) -> Deed:
    identity = record.get("userIdentity") or {}
    session = (identity.get("sessionContext") or {}).get("attributes") or {}
    signed_in_with = (record.get("additionalEventData") or {}).get("MFAUsed", "")
    return Deed(
        event_id=str(record["eventID"]),
        name=str(record["eventName"]),
        source=str(record["eventSource"]),
        at=datetime.fromisoformat(str(record["eventTime"])),
        who=_who(identity),
        address=str(record.get("sourceIPAddress") or ""),
        agent=str(record.get("userAgent") or ""),
        has_mfa=str(session.get("mfaAuthenticated")).lower() == "true" or signed_in_with == "Yes",
        error=str(record.get("errorCode") or ""),
        error_message=str(record.get("errorMessage") or ""),
    )


def _who(identity: Mapping[str, Any]) -> str:
    if identity.get("type") == "Root":
        return "The root user"
    name = identity.get("userName") or identity.get("arn") or identity.get("invokedBy") or "Somebody unknown"
    return f"The user {name}" if identity.get("type") == "IAMUser" else str(name)


def _flat(parameters: object) -> list[tuple[str, str]]:
    if not isinstance(parameters, Mapping):
        return []
    return [
        (str(name), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in parameters.items()
    ]


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
