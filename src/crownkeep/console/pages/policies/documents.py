"""Policy documents, checked while they are typed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import policy_documents, web
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.policy_documents import Sort
from crownkeep.translation import gettext

CHECK = "/console/check-document"


async def checked_while_typed(request: Request) -> Response:
    """Return the findings about a document as a part of the page that it is typed on."""
    web.signed_in(request)
    try:
        sort = Sort(web.form(request).one("sort"))
    except ValueError as error:
        raise MalformedForm(gettext("there is no such sort of document")) from error
    document = policy_documents.typed(request)
    checked = await policy_documents.check(request, document, sort) if document.strip() else None
    return web.page(request, "checked.html", checked=checked)


ROUTES = [Route(CHECK, checked_while_typed, methods=["POST"])]
