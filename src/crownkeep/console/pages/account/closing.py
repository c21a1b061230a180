"""Closing the account: what it means, the account's name typed by root, and the page after it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import account_names, calls, destinations, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.account import settings
from crownkeep.signin import closing
from crownkeep.translation import gettext

PATH = f"{destinations.ACCOUNT}/close"


async def ask(request: Request) -> Response:
    """Say what closing means, and ask root for the account's name; a fresh proof comes first."""
    web.signed_in(request)
    if settings.is_root(request):
        web.proven(request)
    return await _page(request)


async def close(request: Request) -> Response:
    """Close the account."""
    session, form, here = web.signed_in(request), web.form(request), web.of(request)
    if settings.is_root(request):
        session = web.proven(request)
    wanted = Equivalent("account-security", "CloseAccount", {"AccountName": form.one("name")})
    outcome = await parts.carry_out(request, [wanted])
    if outcome.refused is not None:
        return await _page(request, refusal=outcome.refused)
    # The session is void with its account; a cookie of it would lead to a page that asks to sign in.
    here.drop_cookie(Cookie.SESSION)
    account_id, event_id = session.person.account_id, outcome.made[0].event_id
    return web.page(request, "closed.html", account_id=account_id, event_id=event_id, days=closing.REOPENED_WITHIN_DAYS)


async def _page(request: Request, *, refusal: Refused | None = None) -> Response:
    session = web.signed_in(request)
    barred = closing.barred_now(web.of(request).door, session.principal) or ""
    found = await calls.ask(request, account_names.INFORMATION.service, account_names.INFORMATION.operation)
    return frame.page(
        request,
        "close_account.html",
        current=destinations.ACCOUNT,
        status=403 if refusal else 200,
        account_id=session.principal.account_id,
        information=found,
        is_readable=not isinstance(found, Refused),
        barred=gettext(barred),
        # The page says already what bars it: not twice.
        alert=refusal.message if refusal and refusal.message != barred else "",
        days=closing.REOPENED_WITHIN_DAYS,
    )


ROUTES = [
    Route(PATH, ask, methods=["GET"]),
    Route(PATH, close, methods=["POST"]),
]
