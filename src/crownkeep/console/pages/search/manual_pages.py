"""The manual's pages: all its documents by their titles, and one of them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, manual, web


async def contents(request: Request) -> Response:
    """List the documents."""
    web.signed_in(request)
    listed = [(title, manual.address(name)) for name, title in manual.titles().items()]
    return frame.page(request, "manual.html", current=manual.PLACE, listed=sorted(listed), document=None)


async def document(request: Request) -> Response:
    """Show one document."""
    web.signed_in(request)
    found = manual.find(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return frame.page(request, "manual.html", current=manual.PLACE, listed=[], document=found)


ROUTES = [
    Route(manual.PLACE, contents, methods=["GET"]),
    Route(f"{manual.PLACE}/{{name:path}}", document, methods=["GET"]),
]
