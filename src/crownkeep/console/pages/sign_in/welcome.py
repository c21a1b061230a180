"""What a browser that finds this server sees first, and what browsers and password managers look for by themselves."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import rendering, web


async def welcome(request: Request) -> Response:
    """Send people on to where they can do something."""
    return web.go("/console" if web.of(request).session else web.SIGN_IN)


async def change_password(_: Request) -> Response:
    """Tell password managers where a password is changed (W3C, "A well-known URL for changing passwords")."""
    return RedirectResponse("/console/password", 302)


async def icon(_: Request) -> Response:
    """Show the icon to browsers that look for it where it always was."""
    return RedirectResponse(f"/static/icon.svg?v={rendering.version()}", 301)


ROUTES = [
    Route("/", welcome),
    Route("/.well-known/change-password", change_password),
    Route("/favicon.ico", icon),
]
