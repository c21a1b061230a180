"""Undoing: the button beside what was just done, which calls what takes it back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, parts, undo, web
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.translation import gettext

UNDO = "/console/undo"


async def undone(request: Request) -> Response:
    """Take a change back, which IAM may refuse like any other change."""
    web.signed_in(request)
    found = undo.read(request, web.form(request).one("undo"))
    if found is None:
        raise MalformedForm(gettext("this can't be undone from here"))
    return await parts.change(request, found.calls, then=found.then, current=destinations.HOME)


ROUTES = [Route(UNDO, undone, methods=["POST"])]
