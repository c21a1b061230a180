"""Whose credentials the pages of one's own credentials are about."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import destinations, frame, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext

LIST_SESSIONS = Equivalent("account-security", "ListSessions")


def has_credentials(session: BrowserSession) -> bool:
    """Tell whether whoever acts has credentials of their own: root and users have, roles and federated users have not."""
    return not session.switched and session.person.kind in (PrincipalKind.ROOT, PrincipalKind.USER)


def owner(request: Request) -> Principal:
    """Return whose credentials the page is about; raises MalformedForm for who has none."""
    session = web.signed_in(request)
    if not has_credentials(session):
        raise MalformedForm(gettext("this session has no credentials of its own"))
    return session.person


def none(request: Request) -> Response:
    """Say that a role has no credentials of its own."""
    return frame.page(request, "no_credentials.html", current=destinations.SECURITY)


def named(person: Principal) -> dict[str, str]:
    """Return how IAM's operations are told whose credentials are meant; root is whoever is not named."""
    return {"UserName": person.name} if person.kind is PrincipalKind.USER else {}
