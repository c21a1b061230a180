"""Command lines at the door: a page that says who is about to let which client act for them, and asks (`aws login`)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import security, web
from crownkeep.errors import AccessDenied
from crownkeep.signin import oauth
from crownkeep.signin.oauth import AuthorizationRequest, InvalidAuthorization
from crownkeep.translation import gettext

_PATH = "/v1/authorize"
_NAMES = ("response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "scope")


async def ask(request: Request) -> Response:
    """Show who would act through which client, to somebody who has signed in."""
    try:
        asked = _read(request, {name: request.query_params.getlist(name) for name in _NAMES})
    except InvalidAuthorization as fault:
        return _invalid(request, fault)
    session = web.signed_in(request)
    fields = {name: request.query_params[name] for name in _NAMES if name in request.query_params}
    page = web.page(request, "authorize.html", asked=asked, principal=session.principal, fields=fields)
    return _with_way_back(page, asked)


async def decide(request: Request) -> Response:
    """Send the client its code, show it, or send the client away."""
    form = web.form(request)
    try:
        asked = _read(request, {name: form.all(name) for name in _NAMES})
    except InvalidAuthorization as fault:
        return _invalid(request, fault)
    session, here = web.signed_in(request), web.of(request)
    if "allow" not in form:
        if asked.is_cross_device:
            return web.page(
                request,
                "authorize_refused.html",
                asked=asked,
                title=gettext("Refused"),
                text=gettext("The program gets no code."),
            )
        return RedirectResponse(asked.refusal(), 303)
    try:
        code = await oauth.grant(here.door, session, asked, origin=here.origin, now=here.now)
    except AccessDenied as refusal:
        title = gettext("You are not permitted to do this")
        return web.page(request, "authorize_refused.html", status=403, asked=asked, title=title, text=refusal.message)
    if asked.is_cross_device:
        minutes = int(oauth.CODE_LIFETIME.total_seconds() // 60)
        return web.page(request, "authorize_code.html", code=asked.spelled(code), minutes=minutes)
    return RedirectResponse(asked.answer(code), 303)


def _read(request: Request, parameters: dict[str, Sequence[str]]) -> AuthorizationRequest:
    here = web.of(request)
    given = {name: values for name, values in parameters.items() if values}
    return oauth.read(given, bases=(here.visited.base, here.settings.url))


def _invalid(request: Request, fault: InvalidAuthorization) -> Response:
    title = gettext("No command line has made this request")
    text = gettext("Nothing was sent anywhere: %(fault)s. Start again from the command line.", fault=fault)
    return web.page(request, "refused.html", status=400, title=title, text=text, home="/console")


def _with_way_back(page: Response, asked: AuthorizationRequest) -> Response:
    """Let the form of this page, and of no other, be answered by a redirect to the client's own computer."""
    if not asked.is_cross_device:
        policy = security.HEADERS["content-security-policy"]
        page.headers["content-security-policy"] = policy.replace("form-action 'self'", f"form-action 'self' {asked.origin}")
    return page


ROUTES = [Route(_PATH, ask, methods=["GET"]), Route(_PATH, decide, methods=["POST"])]
