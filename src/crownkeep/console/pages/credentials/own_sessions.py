"""One's own recovery codes and sessions, for which AWS has no operations."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, frame, parts, web
from crownkeep.console.kit.calls import Done, Refused
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.destinations import SECURITY
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.credentials import own
from crownkeep.console.pages.credentials.own import LIST_SESSIONS
from crownkeep.signin import recovery_codes, sessions
from crownkeep.translation import gettext

CODES = "/console/recovery-codes"
SESSIONS = "/console/sessions"

_CREATE_CODES = Equivalent("account-security", "CreateRecoveryCodes")


async def codes(request: Request) -> Response:
    """Offer recovery codes."""
    person = own.owner(request)
    left = recovery_codes.remaining(web.of(request).door, person)
    return _codes_page(request, to=destinations.ours(request.query_params.get("to", "")), left=left)


async def codes_made(request: Request) -> Response:
    """Make recovery codes and show them this once, or remember that they are not wanted."""
    person, here = own.owner(request), web.of(request)
    to = destinations.ours(web.form(request).one("to"))
    if "decline" in web.form(request):
        await recovery_codes.decline(here.door, person, origin=here.origin, now=here.now)
        return web.go(to)
    web.proven(request)
    found, outcome = await parts.obtain(request, _CREATE_CODES)
    if outcome.refused is not None:
        left = recovery_codes.remaining(here.door, person)
        return _codes_page(request, to=to, left=left, refusal=outcome.refused)
    shown = found["RecoveryCodes"]
    heading = gettext(
        "Crownkeep recovery codes of %(user)s, account %(account)s, %(day)s",
        user=person.name or gettext("root user"),
        account=person.account_id,
        day=here.now.date(),
    )
    text = "\n".join([heading, *shown, ""])
    # In the page itself: no address on the server ever answers with the codes.
    download = "data:text/plain;base64," + base64.b64encode(text.encode()).decode()
    return _codes_page(request, to=to, codes=shown, download=download, made=outcome.made)


async def list_sessions(request: Request) -> Response:
    """Show where somebody is signed in."""
    found, outcome = await parts.obtain(request, LIST_SESSIONS, actor=web.person_acting(request))
    return frame.page(
        request, "sessions.html", current=SECURITY, refusal=outcome.refused, status=200, sessions=found.get("Sessions", ())
    )


async def end_session(request: Request) -> Response:
    """End one session, or every other."""
    session, form = web.signed_in(request), web.form(request)
    if "others" in form:
        wanted = Equivalent("account-security", "EndOtherSessions")
    # One's own is signed out, so that the cookie goes and the trail says so.
    elif form.one("session") == session.session_id:
        return await _signed_out(request)
    else:
        wanted = Equivalent("account-security", "EndSession", {"SessionId": form.one("session")})
    _, outcome = await parts.obtain(request, wanted, actor=web.person_acting(request))
    return parts.after(request, outcome, then=SESSIONS, current=SECURITY)


async def _signed_out(request: Request) -> Response:
    session, here = web.signed_in(request), web.of(request)
    await sessions.sign_out(here.door, session, origin=here.origin, now=here.now)
    here.drop_cookie(Cookie.SESSION)
    return web.go(f"{web.SIGN_IN}/step/signed-out")


def _codes_page(
    request: Request,
    *,
    to: str,
    left: int = 0,
    codes: Sequence[str] = (),
    download: str = "",
    made: Sequence[Done] = (),
    refusal: Refused | None = None,
) -> Response:
    return frame.page(
        request,
        "recovery_codes.html",
        current=SECURITY,
        refusal=refusal,
        left=left,
        declinable=not left and recovery_codes.may_decline(web.of(request).door, web.signed_in(request).person),
        to=to,
        codes=codes,
        download=download,
        made=made,
    )


ROUTES = [
    Route(CODES, codes, methods=["GET"]),
    Route(CODES, codes_made, methods=["POST"]),
    Route(SESSIONS, list_sessions, methods=["GET"]),
    Route(SESSIONS, end_session, methods=["POST"]),
]
