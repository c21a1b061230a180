"""Regions: which of them the account has opted into."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, destinations, frame, parts, undo, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.errors import AwsError
from crownkeep.translation import gettext_noop

PATH = f"{destinations.ACCOUNT}/regions"

MEANINGS = {
    "ENABLED": gettext_noop("Enabled"),
    "ENABLED_BY_DEFAULT": gettext_noop("Enabled by default"),
    "DISABLED": gettext_noop("Disabled"),
    "ENABLING": gettext_noop("Being enabled"),
    "DISABLING": gettext_noop("Being disabled"),
}
"""AWS's statuses for people."""

_CHANGES = {"ENABLED": "EnableRegion", "DISABLED": "DisableRegion"}
_PAGE = 50


async def show(request: Request) -> Response:
    """List the Regions: those that may be chosen first."""
    return await _page(request)


async def choose(request: Request) -> Response:
    """Opt into a Region, or out of it."""
    form = web.form(request)
    # For anything else the safer of the two: a Region that is off can be switched on again.
    operation = _CHANGES.get(form.one("to"), "DisableRegion")
    wanted = Equivalent("account", operation, {"RegionName": form.one("region")})
    opposite = "DisableRegion" if operation == "EnableRegion" else "EnableRegion"
    back = [Equivalent("account", opposite, wanted.parameters)]
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await _page(request, refusal=calls.refused(request, wanted, error))
    return calls.go(request, PATH, done, undo=undo.offer(request, back, then=PATH))


async def _page(request: Request, *, refusal: Refused | None = None) -> Response:
    web.signed_in(request)
    listed = await parts.ask(request, "ListRegions", service="account", MaxResults=_PAGE)
    rows = sorted(listed.rows("Regions"), key=lambda row: (row["RegionOptStatus"] == "ENABLED_BY_DEFAULT", row["RegionName"]))
    region = next((row["RegionName"] for row in rows if row["RegionOptStatus"] != "ENABLED_BY_DEFAULT"), "eu-south-1")
    changes = [Equivalent("account", operation, {"RegionName": region}) for operation in _CHANGES.values()]
    return frame.page(
        request,
        "regions.html",
        current=destinations.ACCOUNT,
        same=[listed.call, *changes],
        refusal=refusal,
        listed=listed,
        rows=rows,
        meanings=MEANINGS,
    )


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(PATH, choose, methods=["POST"]),
]
