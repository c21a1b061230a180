"""The page on which root changes its e-mail address."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, web
from crownkeep.console.pages.account import contacts
from crownkeep.principals import PrincipalKind
from crownkeep.signin import email_change
from crownkeep.signin.email_change import Changed, Refusal, Sent
from crownkeep.signin.sessions import BrowserSession

EMAIL = "/console/email"


async def email(request: Request) -> Response:
    """Ask for the new address, and for the code that went to it."""
    return _page(request, _session(request))


async def code_wanted(request: Request) -> Response:
    """Send a code to the new address."""
    session, form, here = _session(request), web.form(request), web.of(request)
    match await email_change.start(here.door, session, form.one("email"), origin=here.origin, now=here.now):
        case Sent(event_id=event_id):
            return calls.go(request, EMAIL, calls.own("EmailUpdateRequested", event_id))
        case refusal:
            return _page(request, session, refusal=refusal)


async def code_given(request: Request) -> Response:
    """Change the address."""
    session, form, here = _session(request), web.form(request), web.of(request)
    match await email_change.accept(here.door, session, form.one("code"), origin=here.origin, now=here.now):
        case Changed(event_id=event_id):
            return calls.go(request, contacts.ACCOUNT, calls.own("EmailUpdated", event_id))
        case refusal:
            return _page(request, session, refusal=refusal)


def _session(request: Request) -> BrowserSession:
    session = web.signed_in(request)
    return web.proven(request) if session.person.kind is PrincipalKind.ROOT else session


def _page(request: Request, session: BrowserSession, *, refusal: Refusal | None = None) -> Response:
    here, person = web.of(request), session.person
    if person.kind is not PrincipalKind.ROOT or session.switched:
        text = Refusal.NOT_ROOT.value
        return web.page(request, "refused.html", status=403, title="That was refused", text=text, home="/console")
    with here.door.database.snapshot() as db:
        present = email_change.present(db, person.account_id)
        waiting = email_change.waiting(db, person.account_id, now=here.now)
    return frame.page(
        request,
        "email.html",
        current=contacts.ACCOUNT,
        status=403 if refusal else 200,
        present=present,
        waiting=waiting,
        alert=refusal.value if refusal else "",
    )


ROUTES = [
    Route(EMAIL, email, methods=["GET"]),
    Route(EMAIL, code_wanted, methods=["POST"]),
    Route(f"{EMAIL}/code", code_given, methods=["POST"]),
]
