"""The federation endpoint: what console-federation scripts call, and the address that they open (AWS's `/federation`).

getSigninToken    programs, GET or POST: temporary credentials for a sign-in token
login             browsers, GET: the sign-in token for a session
logout            browsers, GET: the end of the session
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.signin import federation, sessions
from crownkeep.signin.federation import FederationRefused
from crownkeep.translation import gettext, gettext_noop

CONFIRMED = "/signin/step/federated"

_LONGEST_DURATION = 6
_UNUSABLE = gettext_noop("That sign-in link can't be used")


async def federate(request: Request) -> Response:
    """Do what the parameter `Action` says."""
    try:
        action = _one(request, "Action").lower()
        if action == "getsignintoken":
            return await _sign_in_token(request)
    except FederationRefused as refusal:
        return PlainTextResponse(f"{refusal}\n", 400)
    if request.method == "POST" or action not in ("login", "logout"):
        return PlainTextResponse("give the parameter `Action`: getSigninToken, or in a browser login or logout\n", 400)
    return await (_login(request) if action == "login" else _logout(request))


async def confirmed(request: Request) -> Response:
    """Sign in with a token that the person at the browser has agreed to."""
    form = web.form(request)
    return await _sign_in(request, form.one("token"), destinations.ours(form.one("to")))


async def _sign_in_token(request: Request) -> Response:
    here = web.of(request)
    duration = _one(request, "SessionDuration")
    if duration and not (duration.isascii() and duration.isdigit() and len(duration) <= _LONGEST_DURATION):
        raise FederationRefused("SessionDuration must be a number of seconds")
    seconds = int(duration) if duration else None
    token = await federation.sign_in_token(here.door, _one(request, "Session"), seconds=seconds, origin=here.origin, now=here.now)
    return JSONResponse({"SigninToken": token.reveal()})


async def _login(request: Request) -> Response:
    """Sign in at once, unless another site sent the browser here or somebody is signed in: then ask.

    Whoever can make a browser open an address could otherwise sign it in as somebody of theirs, and read what is entered there.
    """
    here = web.of(request)
    try:
        token, issuer = _one(request, "SigninToken"), _one(request, "Issuer")
        to = _destination(request, _one(request, "Destination"))
        opened = federation.read(here.door.wiring.keyring, token, now=here.now)
    except FederationRefused as refusal:
        return web.page(request, "refused.html", status=400, title=gettext(_UNUSABLE), text=str(refusal), home="/signin")
    if here.session is None and not _is_from_elsewhere(request):
        return await _sign_in(request, token, to)
    names = {"token": token, "to": to, "issuer": issuer[:256], "action": CONFIRMED}
    return web.page(request, "federation.html", principal=opened.principal, current=here.session, names=names)


async def _sign_in(request: Request, token: str, to: str) -> Response:
    here = web.of(request)
    try:
        read = federation.read(here.door.wiring.keyring, token, now=here.now)
        opened = await federation.sign_in(here.door, read, to=f"{here.visited.base}{to}", origin=here.origin, now=here.now)
    except FederationRefused as refusal:
        return web.page(request, "refused.html", status=403, title=gettext(_UNUSABLE), text=str(refusal), home="/signin")
    if here.session is not None:
        await sessions.sign_out(here.door, here.session, origin=here.origin, now=here.now)
    here.set_cookie(Cookie.SESSION, opened.token.reveal())
    here.drop_cookie(Cookie.VISIT)
    return web.go(to)


async def _logout(request: Request) -> Response:
    """End the session, unless another site sent the browser here: then ask."""
    here = web.of(request)
    if here.session is not None and _is_from_elsewhere(request):
        return web.page(request, "federation_logout.html")
    if here.session is not None:
        await sessions.sign_out(here.door, here.session, origin=here.origin, now=here.now)
        here.drop_cookie(Cookie.SESSION)
    return web.go("/signin")


def _one(request: Request, name: str) -> str:
    """Return a parameter of the address or the form, empty where it is absent; raises FederationRefused where it comes twice."""
    form = web.of(request).form
    values = [*request.query_params.getlist(name), *(form.all(name) if form else [])]
    if len(values) > 1:
        raise FederationRefused(f"the parameter `{name}` comes more than once")
    return values[0] if values else ""


def _destination(request: Request, destination: str) -> str:
    """Return where the browser goes: a page of this server, whatever host the address names."""
    here = web.of(request)
    for base in (here.visited.base, here.settings.url):
        if destination.startswith(f"{base}/"):
            return destinations.ours(destination.removeprefix(base))
    return destinations.ours(destination)


def _is_from_elsewhere(request: Request) -> bool:
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


ROUTES = [
    Route("/federation", federate, methods=["GET", "POST"]),
    Route(CONFIRMED, confirmed, methods=["POST"]),
]
