"""The page on which root changes its e-mail address."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, destinations, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.principals import PrincipalKind
from crownkeep.signin import email_change
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext

EMAIL = "/console/email"


async def email(request: Request) -> Response:
    """Ask for the new address, and for the code that went to it."""
    return _page(request, _session(request))


async def code_wanted(request: Request) -> Response:
    """Send a code to the new address."""
    return await _carry_out(request, "StartRootEmailUpdate", {"Email": web.form(request).one("email")}, then=EMAIL)


async def code_given(request: Request) -> Response:
    """Change the address."""
    return await _carry_out(request, "AcceptRootEmailUpdate", {"Otp": web.form(request).one("code")}, then=destinations.ACCOUNT)


async def _carry_out(request: Request, operation: str, parameters: Mapping[str, object], *, then: str) -> Response:
    session = _session(request)
    outcome = await parts.carry_out(request, [Equivalent("account-security", operation, parameters)])
    if outcome.refused is not None:
        return _page(request, session, refusal=outcome.refused)
    return calls.go(request, then, *outcome.made)


def _session(request: Request) -> BrowserSession:
    session = web.signed_in(request)
    return web.proven(request) if session.person.kind is PrincipalKind.ROOT else session


def _page(request: Request, session: BrowserSession, *, refusal: Refused | None = None) -> Response:
    here, person = web.of(request), session.person
    # Whoever switched to a role acts as the role, though root is the person at the browser.
    if person.kind is not PrincipalKind.ROOT or session.switched:
        return web.page(
            request,
            "refused.html",
            status=403,
            title=gettext("That was refused"),
            text=gettext(email_change.NOT_ROOT),
            home="/console",
        )
    addresses = email_change.of_account(here.door, person.account_id, now=here.now)
    return frame.page(
        request,
        "email.html",
        current=destinations.ACCOUNT,
        status=403 if refusal else 200,
        present=addresses.present,
        waiting=addresses.waiting,
        alert=refusal.message if refusal else "",
    )


ROUTES = [
    Route(EMAIL, email, methods=["GET"]),
    Route(EMAIL, code_wanted, methods=["POST"]),
    Route(f"{EMAIL}/code", code_given, methods=["POST"]),
]
