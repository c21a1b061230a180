"""Find anything: the page that the search box leads to, and what the box suggests while somebody types."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.pages.search import hits
from crownkeep.translation import gettext, gettext_noop

PATH = "/console/find"
_MOST = 25
_MOST_SUGGESTED = 4
"""Suggestions of each kind: the box shows a few, the page shows more."""
_PLURALS = {
    "Page": gettext_noop("Pages"),
    "User": gettext_noop("Users"),
    "Group": gettext_noop("Groups"),
    "Role": gettext_noop("Roles"),
    "Policy": gettext_noop("Policies"),
    "Account": gettext_noop("Accounts"),
    "Access key": gettext_noop("Access keys"),
    "Event": gettext_noop("Events"),
    "Events": gettext_noop("Events"),
}
"""What several of a kind are called, by what one is called."""


async def found(request: Request) -> Response:
    """Show all that a text names; the id of one thing leads straight to it."""
    web.signed_in(request)
    sought = request.query_params.get("q", "").strip()[: hits.LONGEST]
    named = await hits.find(request, sought, most=_MOST)
    if named.is_exact:
        return web.go(named.hits[0].path)
    return frame.page(
        request,
        "search.html",
        current=PATH,
        same=parts.equivalents(named.asked),
        sought=sought,
        groups={gettext(_PLURALS[kind]): each for kind, each in hits.by_kind(named.hits).items()},
        unseen=named.unseen,
        refused=next((part for part in named.asked if part.refusal and part.call.operation == hits.SEARCH), None),
        is_key=hits.is_key(sought),
        most=_MOST,
    )


async def suggestions(request: Request) -> Response:
    """Return what the box suggests, as options of its list."""
    web.signed_in(request)
    sought = request.query_params.get("q", "").strip()
    named = await hits.find(request, sought, most=_MOST_SUGGESTED)
    return web.page(request, "suggestions.html", hits=hits.likeliest_first(named.hits, sought))


ROUTES = [
    Route(PATH, found, methods=["GET"]),
    Route(f"{PATH}/suggestions", suggestions, methods=["GET"]),
]
