"""Security of the pages, in one place: every request passes here before a page sees it, and every answer on its way out.

1 the host must be one of ours            5 a form must be small, and sent by a page of ours (Origin, Sec-Fetch-Site)
2 only GET, HEAD and POST                 6 a form must bring the token of this session or visit
3 the session, if the cookie holds one    7 the answer gets its headers and cookies
4 a share of the server for its account
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from datetime import datetime
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from crownkeep import clock, ids, translation
from crownkeep.arn import GLOBAL_REGION
from crownkeep.console.kit import cookies, destinations, forms, rendering
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.forms import Form, MalformedForm
from crownkeep.console.kit.shares import Metered, PageShares
from crownkeep.console.kit.web import Web
from crownkeep.errors import AwsError, Throttling
from crownkeep.operations.call import Origin
from crownkeep.operations.invoke import Door, Unavailable
from crownkeep.signin import hosts, sessions
from crownkeep.signin.hosts import Visited
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext, gettext_noop

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

HEADERS = {
    # Nothing inline, nothing from elsewhere, no frame: what is injected does not run, and nobody clicks through a page.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
FOR_PROGRAMS = frozenset({"/federation"})
"""Where programs send forms: not from pages, so without a token; what they do there needs no cookie, and must heed none."""

_WIRE = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())
_WIRE_OVER_TLS = (*_WIRE, (b"strict-transport-security", b"max-age=31536000"))
_VISIT_BYTES = 24
_LONGEST_PAGE = 256


class Guard:
    """Stands before the pages' application."""

    def __init__(self, app: Application, door: Door, shares: PageShares) -> None:
        self._app = app
        self._door = door
        self._shares = shares

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead one request past every check, in the browser's language; answers itself where one fails."""
        headers = _joined(scope)
        with translation.speaking(translation.preferred(headers.get("accept-language", ""))):
            await self._lead(headers, scope, receive, send)

    async def _lead(self, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        scheme: str = scope["scheme"]
        # 1. The host.
        found = hosts.visited(self._settings, headers.get("host", ""), scheme)
        if found is None:
            refused = _refused(gettext("This server is not known by that name"), 421, _other_name(self._settings.url))
            await self._answer(refused, scope, receive, _sealed(send, None))
            return
        if found.account:
            await RedirectResponse(f"{found.base}/signin/{found.account}", 302)(scope, receive, _sealed(send, None))
            return
        # 2. The method.
        if scope["method"] not in ("GET", "HEAD", "POST"):
            await self._answer(_refused(gettext("That method is not used here"), 405), scope, receive, _sealed(send, None))
            return
        # 3. The session.
        now = clock.now()
        try:
            web = self._web(scope, headers, found, now)
        except Unavailable:
            # Whether the cookie is good can't be known: it stays as it is.
            await self._answer(unavailable(), scope, receive, _sealed(send, None, secure=self._is_secure(scope)))
            return
        outgoing = _sealed(send, web, secure=web.is_secure)
        try:
            # 4. The share.
            await self._share(web)
            await self._see(web)
            # 5. and 6. The form.
            web.form = await self._form(web, headers, receive, scope["path"]) if scope["method"] == "POST" else None
        except _Refusal as refusal:
            await self._answer(refusal.response, scope, receive, outgoing)
            return
        except AwsError:
            await self._answer(unavailable(), scope, receive, outgoing)
            return
        # 7. The answer.
        scope["crownkeep.web"] = web
        await self._serve(web, scope, receive, outgoing)

    @property
    def _settings(self) -> Any:
        return self._door.wiring.settings

    def _web(self, scope: Scope, headers: Mapping[str, str], found: Visited, now: datetime) -> Web:
        secure = self._is_secure(scope)
        cookie_header = headers.get("cookie", "")
        token = cookies.read(cookie_header, Cookie.SESSION, secure=secure)
        session = self._session(token, now)
        web = Web(self._door, now, _origin(scope, headers), found, secure, cookie_header, session, binding=token)
        if session is None:
            visit = web.cookie(Cookie.VISIT)
            if not visit:
                visit = base64.urlsafe_b64encode(clock.token_bytes(_VISIT_BYTES)).decode()
                web.set_cookie(Cookie.VISIT, visit)
            web.binding = f"visit {visit}"
        return web

    def _is_secure(self, scope: Scope) -> bool:
        return scope["scheme"] == "https" or bool(self._settings.url.startswith("https:"))

    def _session(self, token: str, now: datetime) -> BrowserSession | None:
        return sessions.current(self._door, token, now=now) if token else None

    async def _share(self, web: Web) -> None:
        """Take a page's share of the server for whoever is signed in, as a request of the API does."""
        if web.session is None:
            return
        person = web.session.principal
        try:
            self._shares.require(person)
        except Throttling as refusal:
            await self._shares.delay(person)
            raise _Refusal(_too_many()) from refusal

    async def _serve(self, web: Web, scope: Scope, receive: Receive, send: Send) -> None:
        served = Metered(self._app(scope, receive, send))
        try:
            await served
        finally:
            if web.session is not None:
                self._shares.charge(web.session.principal, served.seconds + web.computed)

    async def _see(self, web: Web) -> None:
        session = web.session
        if session is not None and web.now - session.last_seen_at >= sessions.SEEN_EVERY:
            await sessions.see(self._door, session, now=web.now)

    async def _form(self, web: Web, headers: Mapping[str, str], receive: Receive, path: str) -> Form:
        for_programs = path in FOR_PROGRAMS or forms.is_from_elsewhere(path)
        if not for_programs and not _is_from_our_page(headers, web.visited.base, self._settings.url):
            raise _Refusal(_refused(gettext("That form was not sent by a page of this server"), 403, gettext(_NOT_OURS)))
        # What is large is taken from people who have signed in alone.
        largest = forms.LARGEST if web.session is None and not for_programs else forms.largest(path)
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared[:20]) > largest:
            raise _Refusal(_refused(gettext("That form is too large"), 413))
        try:
            body = await _body(receive, largest)
            # Programs may also ask by the address alone.
            if for_programs and not body:
                return Form({})
            form = forms.parse(body, headers.get("content-type", ""))
            if not for_programs and not forms.is_ours(form, self._door.wiring.keyring, web.binding):
                raise _Refusal(_refused(gettext("This page has expired"), 403, gettext(_STALE)))
        except MalformedForm as error:
            raise _Refusal(_refused(gettext("That form can't be read"), 400)) from error
        return form

    async def _answer(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)


class _Refusal(Exception):
    """A request that no page gets to see."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


_NOT_OURS = gettext_noop("Another site may have tried to make you do something here. Nothing was done.")
_COME_AGAIN = gettext_noop("It can't reach its database at the moment, and nothing was done. Try again in a few seconds.")
_RATE = gettext_noop(
    "Your account asks for too much at once, and others wait for their share. Nothing was done: try again in a second."
)
_STALE = gettext_noop("You signed in or out since it was opened. Nothing was done: go back, reload the page and try again.")


def unavailable() -> Response:
    """Make the page for as long as the database can't be used: nothing was done, and the browser may come again soon."""
    response = _refused(gettext("The server is busy"), 503, gettext(_COME_AGAIN))
    response.headers["retry-after"] = "5"
    return response


def _too_many() -> Response:
    response = _refused(gettext("The server is busy"), 503, gettext(_RATE))
    response.headers["retry-after"] = "1"
    return response


def _other_name(url: str) -> str:
    return gettext("It is reached at %(url)s. Its operator can set another address with the setting public_url.", url=url)


def _refused(title: str, status: int, text: str = "") -> Response:
    return HTMLResponse(rendering.render("refused.html", title=title, text=text, home=destinations.HOME), status)


def _sealed(send: Send, web: Web | None, *, secure: bool = False) -> Send:
    """Return a `send` that adds the headers of every answer, and the cookies that the request has set."""

    async def outgoing(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            # A page may set a header of these itself, such as what may be cached; what it says stays.
            added = [each for each in (_WIRE_OVER_TLS if secure else _WIRE) if each[0] not in present]
            added += [(b"set-cookie", value.encode("latin-1")) for value in (web.set_cookies if web else ())]
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return outgoing


def _joined(scope: Scope) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        # Cookies may come in several headers (RFC 9113, 8.2.3); of any other the first would do, but two Hosts are an attack.
        separator = "; " if key == "cookie" else ", "
        joined[key] = f"{joined[key]}{separator}{text}" if key in joined else text
    return joined


def _origin(scope: Scope, headers: Mapping[str, str]) -> Origin:
    tls_version, tls_cipher = scope.get("crownkeep.tls", ("", ""))
    return Origin(
        source_ip=scope["client"][0],
        user_agent=headers.get("user-agent", ""),
        region=GLOBAL_REGION,
        request_id=ids.request_id(clock.token_bytes(16)),
        host=headers.get("host", ""),
        referer=headers.get("referer", ""),
        scheme=scope["scheme"],
        tls_version=tls_version,
        tls_cipher=tls_cipher,
        page=_page(scope),
    )


def _page(scope: Scope) -> str:
    """Return which page of the console a browser asks for; other paths may hold what is secret, and a query may everywhere."""
    path: str = scope["path"]
    is_drawn = scope["method"] != "POST" and f"{path}/".startswith("/console/")
    return path[:_LONGEST_PAGE] if is_drawn else ""


def _is_from_our_page(headers: Mapping[str, str], base: str, public: str) -> bool:
    """Tell whether the browser says that a page of ours sent this."""
    # Browsers that don't send it are judged by Origin alone; `none` is what somebody typed or opened from a bookmark. A client
    # that sends neither is no browser that another site could use: the form's token (6) decides on it alone.
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return headers.get("origin", base) in (base, public)


async def _body(receive: Receive, largest: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            # What came so far may look like a whole form.
            raise MalformedForm(gettext("the form was cut off"))
        body += bytes(message.get("body", b""))
        if len(body) > largest:
            raise _Refusal(_refused(gettext("That form is too large"), 413))
        if not message.get("more_body", False):
            return body
