"""Invitations: what the organization asks of accounts, and what this account is asked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, web
from crownkeep.console.pages.organization import places


async def show(request: Request) -> Response:
    """List the invitations of the organization, the open ones with a button that takes them back."""
    web.signed_in(request)
    marker = request.query_params.get("marker", "")
    listed = await places.ask(request, "ListHandshakesForOrganization", NextToken=marker, MaxResults=places.MOST)
    return places.page(
        request,
        "organization_invitations.html",
        current=places.INVITATIONS,
        same=[listed.call, places.call("CancelHandshake", HandshakeId="HANDSHAKE")],
        listed=listed,
        first=places.INVITATIONS if marker else "",
        next_page=parts.address(places.INVITATIONS, marker=listed.marker) if listed.marker else "",
    )


async def accepted(request: Request) -> Response:
    """Accept what this account is asked: to join, or to let the organization have all features."""
    wanted = places.call("AcceptHandshake", HandshakeId=_named(request))
    return await parts.change(request, [wanted], then=places.FOLDER, current=places.FOLDER)


async def declined(request: Request) -> Response:
    """Decline what this account is asked."""
    wanted = places.call("DeclineHandshake", HandshakeId=_named(request))
    return await parts.change(request, [wanted], then=places.FOLDER, current=places.FOLDER)


async def canceled(request: Request) -> Response:
    """Take an invitation back."""
    wanted = places.call("CancelHandshake", HandshakeId=_named(request))
    return await parts.change(request, [wanted], then=places.INVITATIONS, current=places.FOLDER)


def _named(request: Request) -> str:
    return web.form(request).one("handshake")


ROUTES = [
    Route(places.INVITATIONS, show, methods=["GET"]),
    Route(f"{places.INVITATIONS}/accept", accepted, methods=["POST"]),
    Route(f"{places.INVITATIONS}/decline", declined, methods=["POST"]),
    Route(f"{places.INVITATIONS}/cancel", canceled, methods=["POST"]),
]
