"""The trail: what happened in the account, what root did, and one event as JSON and in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import translation
from crownkeep.console.kit import acts, csv_files, frame, parts, trail_standing, web
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.trail import kept_lookups, lookups
from crownkeep.translation import gettext

TRAIL = kept_lookups.TRAIL
_LOOKUPS_OF_A_FILE = 8
_COLUMNS = ("time", "event", "source", "user", "outcome", "address", "region", "mfa", "id")
_ROOT = [{"AttributeKey": "Username", "AttributeValue": "root"}]


async def events(request: Request) -> Response:
    """Look events up by one attribute and a range of days, the newest first; reads only where they are asked for."""
    web.signed_in(request)
    wanted = lookups.asked(request)
    (listed, found), standing, kept = await asyncio.gather(
        lookups.look_up(request, wanted), trail_standing.ask(request), kept_lookups.ask(request, wanted)
    )
    here, lines = wanted.query, lookups.gathered(found)
    return frame.page(
        request,
        "trail.html",
        current=TRAIL,
        same=[listed.call, trail_standing.CALL, *([] if kept is None else [kept_lookups.LIST])],
        kept=kept,
        standing=standing,
        attributes=lookups.ATTRIBUTES,
        here=here,
        listed=listed,
        lines=lines,
        is_followed=bool(lines) and not (wanted.value or wanted.marker or wanted.last),
        reads=parts.address(TRAIL, **{**here, "reads": "" if wanted.has_reads else "1"}),
        failures=parts.address(TRAIL, **{**here, "failed": "" if wanted.has_failures_alone else "1"}),
        file=parts.address(f"{TRAIL}/download", **here),
        first=parts.address(TRAIL, **here) if wanted.marker else "",
        next_page=parts.address(TRAIL, **here, marker=listed.marker) if listed.marker else "",
    )


async def download(request: Request) -> Response:
    """Return the newest events of a lookup as a file, 400 at most."""
    web.signed_in(request)
    with translation.speaking(translation.ENGLISH):
        # Programs read the file: it is the same in every language.
        listed, found = await lookups.look_up(request, lookups.asked(request), lookups=_LOOKUPS_OF_A_FILE)
        rows = [
            (act.at.isoformat(), act.name, act.source, act.who, act.outcome, act.address, act.region, act.has_mfa, act.event_id)
            for act in found
        ]
    if listed.refusal is not None:
        return parts.missing(request, listed, current=TRAIL, title=gettext("The trail can't be read"), back=TRAIL)
    return csv_files.answer("trail.csv", _COLUMNS, rows)


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


ROUTES = [
    Route(TRAIL, events, methods=["GET"]),
    Route(f"{TRAIL}/download", download, methods=["GET"]),
    Route(f"{TRAIL}/keep", kept_lookups.keep, methods=["POST"]),
    Route(f"{TRAIL}/forget", kept_lookups.forget, methods=["POST"]),
    Route(f"{TRAIL}/root", root, methods=["GET"]),
    Route(f"{TRAIL}/event", event, methods=["GET"]),
]
