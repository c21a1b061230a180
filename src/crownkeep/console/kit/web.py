"""The request as pages see it: who is signed in, the form that came, the cookies to set, and the one door.

async def show(request: Request) -> Response:
    person = web.signed_in(request)
    users = await web.call(request, "iam", "ListUsers", {"MaxItems": 100})
    return web.page(request, "users.html", users=users["Users"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crownkeep import clock
from crownkeep.console.kit import cookies, destinations, forms, rendering
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.forms import Form, MalformedForm
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Purpose
from crownkeep.operations.call import Origin, Result
from crownkeep.operations.invoke import Door
from crownkeep.principals import PrincipalKind
from crownkeep.settings import Settings
from crownkeep.signin import acting, person_passwords
from crownkeep.signin.acting import Actor
from crownkeep.signin.hosts import Visited
from crownkeep.signin.sessions import BrowserSession, SessionBinding
from crownkeep.translation import gettext

Computed = TypeVar("Computed")

SIGN_IN = "/signin"
CONFIRM = "/console/confirm"
PORTAL = "/start"
CONFIRMED_NAME = "confirmed_account_name"
"""The field of a form that was sent once already, in which the account's name is typed to confirm it."""


class SignInNeeded(Exception):
    """The page is for people who have signed in; the browser is sent to do so, and comes back."""


class RoleNeeded(Exception):
    """The page is for whoever acts in an account; a person of single sign-on is sent to the access portal to take a role."""


class NameNeeded(Exception):
    """What is asked for would leave nobody to administer the account: the form is sent again with the account's name in it."""


class ProofNeeded(Exception):
    """What is asked for wants a fresh proof that its person is there; the browser is sent to give it, and comes back."""


@dataclass(slots=True)
class Web:
    """What is known of one request to a page."""

    door: Door
    now: datetime
    origin: Origin
    visited: Visited
    is_secure: bool
    cookie_header: str
    session: BrowserSession | None
    binding: str
    """What forms of this browser are bound to: its session's token, or its visit's."""
    form: Form | None = None
    set_cookies: list[str] = field(default_factory=list)
    computed: float = 0.0
    """Seconds that were computed for the page beside the event loop."""
    denied: set[str] = field(default_factory=set)
    """Actions that the page asked for and its person may not do."""

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.door.wiring.settings

    @property
    def form_token(self) -> str:
        """What every form must bring as the field `csrf`."""
        return forms.token(self.door.wiring.keyring, self.binding)

    def cookie(self, cookie: Cookie) -> str:
        """Return a cookie's value, empty where it is absent."""
        return cookies.read(self.cookie_header, cookie, secure=self.is_secure)

    def set_cookie(self, cookie: Cookie, value: str, *, lasts: timedelta | None = None, same_site: str = "Lax") -> None:
        """Set a cookie with the answer."""
        written = cookies.written(cookie, value, secure=self.is_secure, lasts=lasts, same_site=same_site)
        self.set_cookies.append(written)

    def drop_cookie(self, cookie: Cookie) -> None:
        """Take a cookie away with the answer."""
        self.set_cookies.append(cookies.expired(cookie, secure=self.is_secure))


def of(request: Request) -> Web:
    """Return what is known of a request."""
    found: Web = request.scope["crownkeep.web"]
    return found


def signed_in(request: Request) -> BrowserSession:
    """Return the session of the request; raises SignInNeeded, which sends the browser to sign in and back.

    Raises RoleNeeded for a person of single sign-on who acts as no role.
    """
    session = of(request).session
    if session is None:
        raise SignInNeeded
    if session.principal.kind is PrincipalKind.PERSON:
        raise RoleNeeded
    return session


def anybody(request: Request) -> BrowserSession:
    """Return the session of the request, of whatever kind of person; raises SignInNeeded."""
    session = of(request).session
    if session is None:
        raise SignInNeeded
    return session


def person(request: Request, start: str) -> BrowserSession | None:
    """Return the session of somebody who signs in at this start URL, whatever role it acts as; None for everybody else's."""
    session = of(request).session
    if session is None or session.person.kind is not PrincipalKind.PERSON:
        return None
    return session if session.person.path == f"/{person_passwords.store_at(of(request).door, start)}/" else None


def as_person(request: Request, session: BrowserSession) -> Actor:
    """Return a person of single sign-on as who acts, whatever role their session acts as."""
    web = of(request)
    return Actor(session.person, web.origin, web.now, SessionBinding(session))


def portal_path(request: Request) -> str:
    """Return where the access portal of whoever is signed in is; sign-in's own page where nobody is, or no such person."""
    session = of(request).session
    if session is None or session.person.kind is not PrincipalKind.PERSON:
        return SIGN_IN
    return f"{PORTAL}{session.person.path.rstrip('/')}"


def proven(request: Request) -> BrowserSession:
    """Return the session, of a person who proved lately to be there; raises ProofNeeded, for root-only and dangerous acts."""
    session = signed_in(request)
    if not session.is_fresh(of(request).now):
        raise ProofNeeded
    return session


def actor(request: Request) -> Actor:
    """Return who acts in this request, as the session's principal."""
    session, web = signed_in(request), of(request)
    confirmed = web.form.one(CONFIRMED_NAME) if web.form is not None else ""
    return Actor(session.principal, web.origin, web.now, SessionBinding(session), confirmed)


def person_acting(request: Request) -> Actor:
    """Return the person who signed in as who acts, whatever role they have switched to: for what is theirs, such as sessions."""
    return replace(actor(request), principal=signed_in(request).person)


async def compute(request: Request, work: Callable[[], Computed]) -> Computed:
    """Compute for a page what takes long, beside the event loop, where accounts take turns; it takes from their share.

    Raises Throttling where too much of the account's waits already.
    """
    here, person = of(request), signed_in(request).principal

    def measured() -> tuple[Computed, float]:
        began = clock.cpu_seconds()
        return work(), clock.cpu_seconds() - began

    found, seconds = await here.door.compute_long(measured, account_id=person.account_id)
    here.computed += seconds
    return found


async def call(request: Request, service: str, operation: str, parameters: Mapping[str, object] | None = None) -> Result:
    """Call an AWS operation as whoever is signed in; raises the AwsError that a caller of the API would be told."""
    return await acting.call(of(request).door, actor(request), service, operation, parameters or {})


def form(request: Request) -> Form:
    """Return the form that came, proved to be one of ours; raises MalformedForm where there is none."""
    found = of(request).form
    if found is None:
        raise MalformedForm(gettext("a form is expected here"))
    return found


def page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Render a template; it knows `web`, `session` and `now` beside the values."""
    web = of(request)
    return HTMLResponse(rendering.render(template, web=web, session=web.session, now=web.now, **values), status)


def go(path: str) -> Response:
    """Send the browser to another page of ours, by GET; anything that is no page of ours becomes the console."""
    # 303 and not 302: the browser comes by GET, and a reload sends no form again (RFC 9110, 15.4.4).
    return RedirectResponse(destinations.ours(path), 303)


def sign_in_path(request: Request) -> str:
    """Return where to sign in so as to come back to this page, which must be one that can be asked for by GET."""
    start = request.path_params.get("start") if request.url.path.startswith(f"{PORTAL}/") else None
    door = SIGN_IN if start is None else f"{PORTAL}/{quote(start[:64], safe='')}"
    return f"{door}?to={quote(_here(request), safe='')}"


def confirm_path(request: Request) -> str:
    """Return where to prove one's presence so as to come back to this page."""
    return f"{CONFIRM}?to={quote(_here(request), safe='')}"


def _here(request: Request) -> str:
    if request.method != "GET":
        # A form's own address can't be asked for by GET: back to the page that it stood on.
        return destinations.ours(request.headers.get("referer", "").removeprefix(of(request).visited.base))
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"


def seal(request: Request, text: str) -> str:
    """Return what only this server can write beside a text, and only for this browser's session; the text says what it is for."""
    here = of(request)
    message = f"{here.binding}: {text}".encode()
    return sealing.fingerprint(here.door.wiring.keyring, message, purpose=Purpose.COOKIE).hex()[:32]
