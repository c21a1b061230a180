"""Proofs of the trail's records, as files for whoever is to check them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import ids
from crownkeep.console.kit import calls, web
from crownkeep.console.kit.calls import Refused
from crownkeep.translation import gettext

PROOF = "/console/trail/proof"
_HEADERS = {"content-type": "text/plain; charset=utf-8"}


async def proof(request: Request) -> Response:
    """Give the proof of one event as a file."""
    web.signed_in(request)
    event_id = request.query_params.get("id", "")
    if not ids.is_event_id(event_id):
        return web.page(
            request, "refused.html", status=404, title=gettext("There is no such event"), text="", home="/console/trail"
        )
    found = await calls.ask(request, "trail", "GetProof", {"EventId": event_id})
    if isinstance(found, Refused):
        status = 403 if found.is_denied else 404
        return web.page(
            request, "refused.html", status=status, title=gettext("There is no proof"), text=found.sentence, home="/console/trail"
        )
    named = {"content-disposition": f'attachment; filename="{event_id}.tlog-proof"'}
    return Response(str(found["Proof"]), headers=_HEADERS | named)


ROUTES = [Route(PROOF, proof, methods=["GET"])]
