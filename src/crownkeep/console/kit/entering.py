"""What sign-in's pages share: who comes from where, and which page follows from what came of a step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.credentials.webauthn import RelyingParty
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import browsers, progress, sessions
from crownkeep.signin.entry import Entered, Visit
from crownkeep.signin.flow import ApprovalStep, ChangePasswordStep, EnrolStep, FactorStep
from crownkeep.signin.progress import LASTS, Arrived, Expired, Next, Progress, Stale, Wrong
from crownkeep.signin.throttle import Waiting
from crownkeep.translation import gettext

STEPS = "/signin/step"
PATHS = {
    FactorStep: f"{STEPS}/mfa",
    EnrolStep: f"{STEPS}/enrol",
    ChangePasswordStep: f"{STEPS}/password",
    ApprovalStep: f"{STEPS}/approval",
}

_KNOWN_FOR = timedelta(days=365)


def visit(request: Request, to: str) -> Visit:
    """Return from where, when and with which known browser somebody signs in, on the way to a page of ours."""
    here = web.of(request)
    return Visit(here.origin, here.now, to, here.cookie(Cookie.DEVICE))


async def follow(request: Request, outcome: Entered | Stale, wrong: Callable[[], Response], *, root: str = "") -> Response:
    """Return the page that follows from a step; `wrong` makes the one that asks again.

    `root` is the address of the root user that somebody claims to be, who is offered a way around a wait.
    """
    match outcome:
        case Wrong():
            return wrong()
        case Waiting():
            return wait(request, outcome, root=root)
        case Next():
            keep(request, outcome.progress)
            return web.go(PATHS[type(outcome.step)])
        case Arrived():
            return await arrive(request, outcome)
        case Expired():
            web.of(request).drop_cookie(Cookie.FLOW)
            text = gettext("An administrator of your account must set a new one for you.")
            return web.page(
                request, "refused.html", status=403, title=gettext("Your password has expired"), text=text, home=web.SIGN_IN
            )
        case Stale():
            return stale(request)


def wait(request: Request, waiting: Waiting, *, root: str = "") -> Response:
    """Say how long somebody must wait; the same for names that nobody has."""
    # Rounded up: who comes back after so many seconds must not find that some of the last one is left.
    seconds = -(-waiting.wait // timedelta(seconds=1))
    response = web.page(request, "wait.html", status=429, seconds=seconds, email=root)
    response.headers["retry-after"] = str(seconds)
    return response


def stale(request: Request) -> Response:
    """Say that a sign-in must begin anew."""
    web.of(request).drop_cookie(Cookie.FLOW)
    return web.page(request, "stale.html", status=403)


def too_many_links(request: Request, back: str = web.SIGN_IN) -> Response:
    """Say that an address asked for too many mailed links, and lead back."""
    return web.page(
        request,
        "message.html",
        status=429,
        title=gettext("Too many requests"),
        text=gettext("Too many links were asked for from your address. Try again in an hour."),
        to=back,
        label=gettext("Back to sign in"),
    )


def keep(request: Request, begun: Progress) -> None:
    """Keep the progress of a sign-in for its next page."""
    here = web.of(request)
    # Strict: a link on another site must not lead anybody into the middle of a sign-in.
    here.set_cookie(Cookie.FLOW, progress.seal(here.door.wiring.keyring, begun), lasts=LASTS, same_site="Strict")


def begun_anywhere(request: Request) -> Progress | None:
    """Return the progress of the sign-in that the browser is in the middle of, whatever it waits for."""
    here = web.of(request)
    return progress.unseal(here.door.wiring.keyring, here.cookie(Cookie.FLOW), now=here.now)


def begun(request: Request) -> Next | None:
    """Return the sign-in that the browser is in the middle of, with the step it stands at."""
    here = web.of(request)
    found = progress.unseal(here.door.wiring.keyring, here.cookie(Cookie.FLOW), now=here.now)
    if found is None:
        return None
    looked = progress.stands_at(here.door, found, now=here.now)
    return looked if isinstance(looked, Next) else None


async def arrive(request: Request, arrived: Arrived) -> Response:
    """Give the browser its new session, never one that it brought, and send it where it wanted to go."""
    here = web.of(request)
    # Ended, and not only replaced: the session that the browser brought may have been planted there (session fixation).
    if here.session is not None:
        await sessions.sign_out(here.door, here.session, origin=here.origin, now=here.now)
    here.set_cookie(Cookie.SESSION, arrived.opened.token.reveal())
    for passing in (Cookie.FLOW, Cookie.VISIT):
        here.drop_cookie(passing)
    known = browsers.remember(here.door.wiring.keyring, here.cookie(Cookie.DEVICE), arrived.claim.name, arrived.browser)
    here.set_cookie(Cookie.DEVICE, known, lasts=_KNOWN_FOR, same_site="Strict")
    if arrived.is_offered_codes:
        return web.go(f"{_codes(arrived.person)}?to={quote(arrived.to, safe='')}")
    return web.go(arrived.to)


def _codes(person: Principal) -> str:
    if person.kind is PrincipalKind.PERSON:
        return f"{web.PORTAL}{person.path}recovery-codes"
    return "/console/recovery-codes"


def party(request: Request) -> RelyingParty | None:
    """Return in whose name passkeys are asked for: this host's; None where it is an address, to which no passkey can be bound."""
    visited = web.of(request).visited
    return None if visited.is_address else RelyingParty(visited.name, "Crownkeep", frozenset({visited.base}))


def passkey_address(request: Request) -> str:
    """Return where the same page can be found under a name, for a browser that came to an address of this computer."""
    here = web.of(request)
    _, colon, port = here.visited.base.rpartition(":")
    # Browsers bind passkeys to `localhost` without TLS, and to no IP address (WebAuthn, "effective domain").
    is_this_computer = here.visited.name in ("127.0.0.1", "::1")
    return f"http://localhost{colon}{port}" if is_this_computer and port.isdigit() and not here.settings.public_url else ""
