"""Root's use: when it was used before, a picture of the last 90 days, and its access keys, which only root can take away."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, frame, rendering, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind

KEYS = "/console/root-keys"
PICTURE = "/console/root-use.svg"
DAYS = 90

LIST_KEYS = Equivalent("iam", "ListAccessKeys")
_ATTRIBUTES = [{"AttributeKey": "Username", "AttributeValue": "root"}]
LOOKUP = Equivalent("cloudtrail", "LookupEvents", {"LookupAttributes": _ATTRIBUTES, "MaxResults": 1})


def is_root(request: Request) -> bool:
    """Tell whether it is root who acts."""
    return web.signed_in(request).principal.kind is PrincipalKind.ROOT


async def last_use(request: Request) -> dict[str, Any] | Refused | None:
    """Answer the record of root's last act before this session, None where there was none in 90 days."""
    session = web.signed_in(request)
    began = session.created_at if session.person.kind is PrincipalKind.ROOT else web.of(request).now
    found = await _before(request, began - timedelta(seconds=1))
    if found is None or isinstance(found, Refused):
        return found
    record: dict[str, Any] = json.loads(found["CloudTrailEvent"])
    return {"at": found["EventTime"], "name": found["EventName"], "address": record.get("sourceIPAddress", "")}


async def picture(request: Request) -> Response:
    """Draw the days on which root was used. Each day that it was costs one lookup, days that it wasn't cost none."""
    now = web.of(request).now
    days: set[int] = set()
    end = now
    while len(days) < DAYS:
        found = await _before(request, end)
        if found is None or isinstance(found, Refused):
            break
        at: datetime = found["EventTime"]
        days.add((now.date() - at.date()).days)
        end = datetime.combine(at.date(), time(), at.tzinfo) - timedelta(seconds=1)
    drawn = rendering.render("root_use.svg", days=days, count=DAYS)
    return Response(drawn, media_type="image/svg+xml")


async def keys(request: Request) -> Response:
    """List root's access keys."""
    return await _keys_page(request)


async def delete(request: Request) -> Response:
    """Delete one of root's access keys, or turn it off first."""
    form = web.form(request)
    key = {"AccessKeyId": form.one("key")}
    wanted = (
        Equivalent("iam", "UpdateAccessKey", {**key, "Status": "Inactive"})
        if "deactivate" in form
        else Equivalent("iam", "DeleteAccessKey", key)
    )
    if not is_root(request):
        # Without a user's name the operation means the caller's own keys, and those of a user are no business of this page.
        return await _keys_page(request)
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await _keys_page(request, refusal=calls.refused(request, wanted, error))
    return calls.go(request, KEYS, done)


async def _keys_page(request: Request, *, refusal: Refused | None = None) -> Response:
    found = await calls.ask(request, LIST_KEYS.service, LIST_KEYS.operation) if is_root(request) else None
    return frame.page(
        request,
        "root_keys.html",
        current="/console",
        same=[LIST_KEYS, Equivalent("iam", "DeleteAccessKey", {"AccessKeyId": "AKIA..."})],
        refusal=refusal,
        is_root=is_root(request),
        missing=found if isinstance(found, Refused) else None,
        keys=[] if found is None or isinstance(found, Refused) else found["AccessKeyMetadata"],
    )


async def _before(request: Request, end: datetime) -> Any:
    """Answer root's last event until a moment: a Refused, or None where there is none."""
    found = await calls.ask(request, LOOKUP.service, LOOKUP.operation, {**LOOKUP.parameters, "EndTime": end})
    if isinstance(found, Refused):
        return found
    return next(iter(found["Events"]), None)


ROUTES = [
    Route(PICTURE, picture, methods=["GET"]),
    Route(KEYS, keys, methods=["GET"]),
    Route(KEYS, delete, methods=["POST"]),
]
