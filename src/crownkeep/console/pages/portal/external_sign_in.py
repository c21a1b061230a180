"""Sign-in by an identity provider elsewhere: the browser is sent there, and comes back with an answer."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, entering, web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.credentials import saml_requests
from crownkeep.domain.single_sign_on import provider_settings
from crownkeep.signin import external_requests, external_sign_in
from crownkeep.signin.entry import Visit
from crownkeep.signin.external_requests import ExternalRequest, ProviderSilent
from crownkeep.signin.external_sign_in import ExternalRefused
from crownkeep.translation import gettext, gettext_noop

_TITLE = gettext_noop("You could not be signed in")
_REFUSED = gettext_noop(
    "Your organization's identity provider gave an answer that isn't accepted here. Try again, or ask your administrator."
)
_SILENT = gettext_noop("Your organization's identity provider can't be reached at the moment. Try again in a minute.")
_PARAMETERS = ("state", "code", "iss", "error")


async def begin(request: Request) -> Response:
    """Send the browser to the provider of a start URL's people."""
    here, start = web.of(request), request.path_params["start"]
    row = external_requests.provider_at(here.door, start)
    wanted = request.query_params.get("to", "")
    if row is None:
        return web.go(_path(request))
    try:
        begun = await external_requests.begin(
            here.door, row, to=destinations.ours(wanted) if wanted else _path(request), now=here.now
        )
    except ProviderSilent:
        return _message_page(request, gettext(_SILENT), 502)
    sealed = external_requests.seal(here.door.wiring.keyring, begun.request)
    here.set_cookie(Cookie.EXTERNAL, sealed, lasts=external_requests.LASTS)
    return RedirectResponse(begun.address, 303)


async def openid(request: Request) -> Response:
    """Take the answer of an OpenID Connect provider."""
    here, asked = web.of(request), _asked(request)
    given = request.query_params
    if any(len(given.getlist(name)) > 1 for name in _PARAMETERS):
        return _message_page(request, gettext(_REFUSED), 400)
    answer = {name: given[name] for name in _PARAMETERS if name in given}
    try:
        arrived = await external_sign_in.of_openid(here.door, _visit(request, asked), request.path_params["start"], asked, answer)
    except ExternalRefused:
        return _message_page(request, gettext(_REFUSED), 403)
    return await entering.arrive(request, arrived)


async def received(request: Request) -> Response:
    """Take a SAML response, and send the browser on to where it brings its cookies. Nothing that the form holds says where to."""
    here, form = web.of(request), web.form(request)
    try:
        response = await external_sign_in.receive(
            here.door, _visit(request, None), request.path_params["start"], form.one("SAMLResponse")
        )
        sealed = external_sign_in.seal(here.door.wiring.keyring, response)
    except ExternalRefused:
        return _message_page(request, gettext(_REFUSED), 403)
    here.set_cookie(Cookie.RECEIVED, sealed, lasts=timedelta(minutes=2))
    return web.go(f"{_path(request)}/saml")


async def saml(request: Request) -> Response:
    """Sign in by the response that was received, where it answers what this browser asked for."""
    here, asked = web.of(request), _asked(request)
    response = external_sign_in.unseal(here.door.wiring.keyring, here.cookie(Cookie.RECEIVED), now=here.now)
    here.drop_cookie(Cookie.RECEIVED)
    try:
        arrived = await external_sign_in.of_saml(here.door, _visit(request, asked), request.path_params["start"], asked, response)
    except ExternalRefused:
        return _message_page(request, gettext(_REFUSED), 403)
    return await entering.arrive(request, arrived)


async def metadata(request: Request) -> Response:
    """Show what a SAML provider is told about us, the same whether there is such a start URL or not."""
    ours = provider_settings.service_provider(web.of(request).settings.url, quote(request.path_params["start"][:64], safe=""))
    return Response(saml_requests.metadata(ours), media_type="application/samlmetadata+xml")


def _asked(request: Request) -> ExternalRequest | None:
    """Return what this browser has asked; it is asked for once, whatever comes of it."""
    here = web.of(request)
    asked = external_requests.unseal(here.door.wiring.keyring, here.cookie(Cookie.EXTERNAL), now=here.now)
    here.drop_cookie(Cookie.EXTERNAL)
    return asked


def _visit(request: Request, asked: ExternalRequest | None) -> Visit:
    return entering.visit(request, asked.to if asked is not None else _path(request))


def _message_page(request: Request, text: str, status: int) -> Response:
    return web.page(
        request,
        "message.html",
        status=status,
        title=gettext(_TITLE),
        text=text,
        to=_path(request),
        label=gettext("Back to sign in"),
    )


def _path(request: Request) -> str:
    return f"{web.PORTAL}/{quote(request.path_params['start'][:64], safe='')}"


ROUTES = [
    Route("/start/{start}/external", begin, methods=["GET"]),
    Route("/start/{start}/oidc", openid, methods=["GET"]),
    Route("/start/{start}/saml/acs", received, methods=["POST"]),
    Route("/start/{start}/saml", saml, methods=["GET"]),
    Route("/start/{start}/saml/metadata", metadata, methods=["GET"]),
]
