"""The console's first page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import web
from crownkeep.signin import password_age


async def dashboard(request: Request) -> Response:
    """Say who is signed in."""
    session, here = web.signed_in(request), web.of(request)
    identity = await web.call(request, "sts", "GetCallerIdentity")
    expires_at = password_age.expires_soon(here.door, session.person, now=here.now)
    return web.page(request, "dashboard.html", identity=identity, expires_at=expires_at)


ROUTES = [Route("/console", dashboard), Route("/console/", dashboard)]
