"""Root's access keys, which only root can take away: where the first page leads to them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crownkeep.console.pages.posture import last_root_use

_ON_THE_FIRST_PAGE = "/console#root-keys"


async def keys(request: Request) -> Response:
    """Send root to its keys among its credentials, and others to what the first page says of them."""
    return RedirectResponse(last_root_use.KEYS if last_root_use.is_root(request) else _ON_THE_FIRST_PAGE, 303)


ROUTES = [Route("/console/root-keys", keys, methods=["GET"])]
