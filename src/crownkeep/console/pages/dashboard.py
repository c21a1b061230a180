"""The console's first page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import web


async def dashboard(request: Request) -> Response:
    """Say who is signed in."""
    web.signed_in(request)
    identity = await web.call(request, "sts", "GetCallerIdentity")
    return web.page(request, "dashboard.html", identity=identity)


ROUTES = [Route("/console", dashboard), Route("/console/", dashboard)]
