"""One's own recovery codes and sessions, for which AWS has no operations."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, destinations, frame, web
from crownkeep.console.kit.calls import Done
from crownkeep.console.pages.credentials import security_credentials
from crownkeep.console.pages.credentials.security_credentials import SECURITY
from crownkeep.signin import recovery_codes, sessions

CODES = "/console/recovery-codes"
SESSIONS = "/console/sessions"


async def codes(request: Request) -> Response:
    """Offer recovery codes."""
    session = web.signed_in(request)
    security_credentials.owner(request)
    door, person = web.of(request).door, session.person
    left, declinable = recovery_codes.remaining(door, person), recovery_codes.may_decline(door, person)
    to = destinations.ours(request.query_params.get("to", ""))
    return frame.page(
        request, "recovery_codes.html", current=SECURITY, left=left, declinable=declinable, to=to, codes=(), download="", made=()
    )


async def codes_made(request: Request) -> Response:
    """Make recovery codes and show them this once, or remember that they are not wanted."""
    here = web.of(request)
    if "decline" in web.form(request):
        security_credentials.owner(request)
        await recovery_codes.decline(here.door, web.signed_in(request), origin=here.origin, now=here.now)
        return web.go(destinations.ours(web.form(request).one("to")))
    session = web.proven(request)
    person = security_credentials.owner(request)
    to = destinations.ours(web.form(request).one("to"))
    made = await recovery_codes.make(here.door, session, origin=here.origin, now=here.now)
    shown = [code.reveal() for code in made.codes]
    heading = f"Crownkeep recovery codes of {person.name or 'root user'}, account {person.account_id}, {here.now:%Y-%m-%d}"
    text = "\n".join([heading, *shown, ""])
    return frame.page(
        request,
        "recovery_codes.html",
        current=SECURITY,
        left=0,
        to=to,
        codes=shown,
        download="data:text/plain;base64," + base64.b64encode(text.encode()).decode(),
        made=[calls.own(recovery_codes.CREATED, made.event_id)],
    )


async def list_sessions(request: Request) -> Response:
    """Show where somebody is signed in."""
    session, here = web.signed_in(request), web.of(request)
    found = sessions.of_person(here.door, session.person, now=here.now)
    return frame.page(request, "sessions.html", current=SECURITY, sessions=found, this=session.session_id)


async def end_session(request: Request) -> Response:
    """End one session, or every other."""
    session, form, here = web.signed_in(request), web.form(request), web.of(request)
    made: list[Done] = []
    if "others" in form:
        event_id = await sessions.end_others(here.door, session, origin=here.origin, now=here.now)
        made = [calls.own(sessions.OTHERS_ENDED, event_id)]
    else:
        event_id = await sessions.end(here.door, session, form.one("session"), origin=here.origin, now=here.now)
        made = [calls.own(sessions.ENDED, event_id)] if event_id else []
    return calls.go(request, SESSIONS, *made) if made else web.go(SESSIONS)


ROUTES = [
    Route(CODES, codes, methods=["GET"]),
    Route(CODES, codes_made, methods=["POST"]),
    Route(SESSIONS, list_sessions, methods=["GET"]),
    Route(SESSIONS, end_session, methods=["POST"]),
]
