"""Closing the account: what it means, the account's name typed by root, and the page after it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, frame, web
from crownkeep.console.calls import Refused
from crownkeep.console.cookies import Cookie
from crownkeep.console.pages import account, account_security, contacts
from crownkeep.signin import closing
from crownkeep.signin.closing import Closed, Refusal

PATH = f"{contacts.ACCOUNT}/close"


async def ask(request: Request) -> Response:
    """Say what closing means, and ask root for the account's name; a fresh proof comes first."""
    web.signed_in(request)
    if account_security.is_root(request):
        web.proven(request)
    return await _page(request)


async def close(request: Request) -> Response:
    """Close the account."""
    session, form, here = web.signed_in(request), web.form(request), web.of(request)
    if account_security.is_root(request):
        session = web.proven(request)
    match await closing.close(here.door, session, form.one("name"), origin=here.origin, now=here.now):
        case Closed(event_id=event_id):
            here.drop_cookie(Cookie.SESSION)
            account_id = session.person.account_id
            return web.page(request, "closed.html", account_id=account_id, event_id=event_id, days=closing.REOPENED_WITHIN_DAYS)
        case refusal:
            return await _page(request, alert=refusal)


async def _page(request: Request, *, alert: Refusal | None = None) -> Response:
    session = web.signed_in(request)
    with web.of(request).door.database.snapshot() as db:
        barred = closing.refused_at_once(db, session)
    found = await calls.ask(request, account.INFORMATION.service, account.INFORMATION.operation)
    return frame.page(
        request,
        "close_account.html",
        current=contacts.ACCOUNT,
        status=403 if alert else 200,
        account_id=session.principal.account_id,
        information=found,
        is_readable=not isinstance(found, Refused),
        barred=barred.value if barred else "",
        alert=alert.value if alert and alert is not barred else "",
        days=closing.REOPENED_WITHIN_DAYS,
    )


ROUTES = [
    Route(PATH, ask, methods=["GET"]),
    Route(PATH, close, methods=["POST"]),
]
