"""Consent: a person lets a program act for them (`aws sso login`), by a redirect to their computer or by a code that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import parts, security, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.credentials import code_challenges
from crownkeep.domain.single_sign_on import clients
from crownkeep.domain.single_sign_on.clients import Client
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext

_SERVICE = "access-portal"
_NAMES = ("response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "scopes", "scope")


@dataclass(frozen=True, slots=True)
class ConsentAsked:
    """What a program asks for."""

    client_id: str
    client: Client
    redirect_uri: str
    state: str
    code_challenge: str

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of AuthorizeProgram."""
        return {"ClientId": self.client_id, "RedirectUri": self.redirect_uri, "CodeChallenge": self.code_challenge}


async def ask(request: Request) -> Response:
    """Ask a person whether a program may act for them; whoever isn't signed in at its start URL signs in first."""
    given = {name: request.query_params[name] for name in _NAMES if name in request.query_params}
    asked = _read(request, given)
    if asked is None:
        return _invalid(request)
    session = web.person(request, asked.client.start)
    if session is None:
        return _to_sign_in(asked.client.start, f"/authorize?{urlencode(given)}")
    page = _page(request, "consent.html", session, asked=asked, origin=clients.origin_of(asked.redirect_uri), fields=given)
    # The form of this page, and of no other, is answered by a redirect to the program's own computer.
    policy = security.HEADERS["content-security-policy"]
    way_back = f"form-action 'self' {clients.origin_of(asked.redirect_uri)}"
    page.headers["content-security-policy"] = policy.replace("form-action 'self'", way_back)
    return page


async def decide(request: Request) -> Response:
    """Send the program its code, or send it away."""
    form = web.form(request)
    asked = _read(request, {name: form.one(name) for name in _NAMES})
    session = web.person(request, asked.client.start) if asked is not None else None
    if asked is None or session is None:
        return _invalid(request)
    if "allow" not in form:
        return _back(asked, {"error": "access_denied", "state": asked.state})
    wanted = Equivalent(_SERVICE, "AuthorizeProgram", asked.parameters)
    found, outcome = await parts.obtain(request, wanted, actor=web.as_person(request, session))
    if outcome.refused is not None:
        return _message_page(request, session, gettext("Refused"), outcome.refused.sentence, status=403)
    return _back(asked, {"code": str(found["AuthorizationCode"]), "state": asked.state})


async def device(request: Request) -> Response:
    """Ask for the code that a program shows, then whether it may act for the person; it says from where it was asked for."""
    session, code = web.person(request, _store(request)), request.query_params.get("user_code", "")[:32]
    if session is None:
        query = f"?{urlencode({'user_code': code})}" if code else ""
        return _to_sign_in(_store(request), f"{_path(request)}/device{query}")
    if not code:
        return _page(request, "device.html", session, alert="")
    wanted = Equivalent(_SERVICE, "GetDeviceRequest", {"UserCode": code})
    found, outcome = await parts.obtain(request, wanted, actor=web.as_person(request, session))
    if outcome.refused is not None:
        return _page(request, "device.html", session, status=404, alert=outcome.refused.message)
    return _page(request, "device_consent.html", session, asked=found)


async def device_decided(request: Request) -> Response:
    """Let the program act for the person, or refuse it for good."""
    form, session = web.form(request), web.person(request, _store(request))
    if session is None:
        return web.go(_path(request))
    parameters = {"UserCode": form.one("user_code")}
    allowed = "allow" in form
    wanted = Equivalent(_SERVICE, "RefuseDevice", parameters)
    if allowed:
        wanted = Equivalent(_SERVICE, "AllowDevice", parameters)
    _, outcome = await parts.obtain(request, wanted, actor=web.as_person(request, session))
    if isinstance(outcome.refused, Refused):
        return _page(request, "device.html", session, status=404, alert=outcome.refused.message)
    if allowed:
        return _message_page(
            request, session, gettext("Request approved"), gettext("The program goes on by itself. You can close this window.")
        )
    return _message_page(
        request, session, gettext("Request refused"), gettext("The program gets nothing. You can close this window.")
    )


def _read(request: Request, given: Mapping[str, str]) -> ConsentAsked | None:
    """Return what a program asks for; None where anything is wrong with it: then nobody is sent anywhere (RFC 9700, 4.11)."""
    here, client_id = web.of(request), given.get("client_id", "")
    client = clients.known(here.door.wiring.keyring, client_id, now=here.now)
    uri, challenge, state = given.get("redirect_uri", ""), given.get("code_challenge", ""), given.get("state", "")
    if client is None or not client.start or not clients.may_receive(client, uri):
        return None
    is_code = given.get("response_type") == "code" and given.get("code_challenge_method") in code_challenges.METHODS
    if not is_code or not code_challenges.is_challenge(challenge) or not code_challenges.is_state(state):
        return None
    return ConsentAsked(client_id, client, uri, state, challenge)


def _back(asked: ConsentAsked, answer: Mapping[str, str]) -> Response:
    return RedirectResponse(f"{asked.redirect_uri}?{urlencode(answer)}", 303)


def _invalid(request: Request) -> Response:
    text = gettext("Nothing was sent anywhere. Start again from the command line.")
    title = gettext("No program has made this request")
    return web.page(request, "refused.html", status=400, title=title, text=text, home="/console")


def _to_sign_in(store_id: str, to: str) -> Response:
    return web.go(f"{web.PORTAL}/{quote(store_id[:64], safe='')}?to={quote(to, safe='')}")


def _message_page(request: Request, session: BrowserSession, title: str, text: str, *, status: int = 200) -> Response:
    start = f"{web.PORTAL}{session.person.path.rstrip('/')}"
    return web.page(request, "message.html", status=status, title=title, text=text, to=start, label=gettext("Access portal"))


def _page(request: Request, template: str, session: BrowserSession, *, status: int = 200, **values: object) -> Response:
    start = f"{web.PORTAL}{session.person.path.rstrip('/')}"
    return web.page(request, template, status=status, start=start, person=session.person, **values)


def _store(request: Request) -> str:
    return str(request.path_params["start"])


def _path(request: Request) -> str:
    return f"{web.PORTAL}/{quote(_store(request)[:64], safe='')}"


ROUTES = [
    Route("/authorize", ask, methods=["GET"]),
    Route("/authorize", decide, methods=["POST"]),
    Route("/start/{start}/device", device, methods=["GET"]),
    Route("/start/{start}/device", device_decided, methods=["POST"]),
]
