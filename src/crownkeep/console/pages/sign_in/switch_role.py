"""Switching roles: a page that links can fill in, the roles switched to lately, and the way back to oneself."""

from __future__ import annotations

import binascii
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import base64url, clock
from crownkeep.console.kit import destinations, web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Purpose
from crownkeep.errors import AwsError
from crownkeep.signin import switch_role
from crownkeep.signin.sessions import BrowserSession
from crownkeep.signin.switch_role import Choice, NoSuchChoice
from crownkeep.translation import gettext, gettext_noop

_PATH = "/switchrole"
_REMEMBERED_FOR = timedelta(days=90)
_COLORS = {
    "": gettext_noop("None"),
    "F2B0A9": gettext_noop("Red"),
    "FBBF93": gettext_noop("Orange"),
    "FAD791": gettext_noop("Yellow"),
    "B7CA9D": gettext_noop("Green"),
    "99BCE3": gettext_noop("Blue"),
}
_REFUSED = gettext_noop("Invalid information in one or more fields. Check your information or contact your administrator.")
"""AWS's text, whatever the reason: who may not take a role on is not told whether there is one."""


async def ask(request: Request) -> Response:
    """Show the form, filled in with what the address says."""
    session = web.signed_in(request)
    given = request.query_params
    entered = {name: given.get(name, "")[:512] for name in ("account", "roleName", "displayName", "color")}
    return _page(request, session, entered)


async def act(request: Request) -> Response:
    """Switch to a role, renew the one that is held, or come back."""
    session, here, form = web.signed_in(request), web.of(request), web.form(request)
    to = f"{here.visited.base}{destinations.HOME}"
    match form.one("act"):
        case "exit":
            await switch_role.come_back(here.door, session, to=to, origin=here.origin, now=here.now)
            return web.go(destinations.HOME)
        case "renew":
            await switch_role.renew(here.door, session, to=to, origin=here.origin, now=here.now)
            return web.go(destinations.HOME)
        case _:
            return await _switch(request, session, to)


async def _switch(request: Request, session: BrowserSession, to: str) -> Response:
    here, form = web.of(request), web.form(request)
    entered = {name: form.one(name)[:512] for name in ("account", "roleName", "displayName", "color")}
    try:
        chosen = switch_role.choice(
            account=entered["account"],
            role_name=entered["roleName"],
            display_name=entered["displayName"],
            color=entered["color"],
        )
    except NoSuchChoice as fault:
        return _page(request, session, entered, status=400, alert=gettext(str(fault)))
    try:
        await switch_role.switch(here.door, session, chosen, to=to, origin=here.origin, now=here.now)
    except AwsError as refusal:
        if refusal.code not in ("AccessDenied", "ValidationError"):
            raise
        return _page(request, session, entered, status=403, alert=gettext(_REFUSED))
    history = switch_role.remembered(_history(request, session), chosen)
    here.set_cookie(Cookie.ROLES, _sealed(request, session, history), lasts=_REMEMBERED_FOR)
    return web.go(destinations.HOME)


def _page(request: Request, session: BrowserSession, entered: dict[str, str], *, status: int = 200, alert: str = "") -> Response:
    history = _history(request, session)
    values = {"entered": entered, "colors": _COLORS, "history": history, "alert": alert}
    return web.page(request, "switch_role.html", status=status, **values)


def _history(request: Request, session: BrowserSession) -> tuple[Choice, ...]:
    """Return the roles that this person has switched to in this browser; nothing for a cookie of somebody else."""
    here = web.of(request)
    value = here.cookie(Cookie.ROLES)
    try:
        blob = base64url.decode(value)
        opened = sealing.unseal(here.door.wiring.keyring, blob, purpose=Purpose.COOKIE, context=_context(session))
        return msgspec.json.decode(opened, type=tuple[Choice, ...])
    except (binascii.Error, sealing.Unsealable, msgspec.DecodeError):
        return ()


def _sealed(request: Request, session: BrowserSession, history: tuple[Choice, ...]) -> str:
    keyring, nonce = web.of(request).door.wiring.keyring, clock.token_bytes(sealing.NONCE_SIZE)
    text = msgspec.json.encode(history)
    blob = sealing.seal(keyring, text, purpose=Purpose.COOKIE, context=_context(session), nonce=nonce)
    return base64url.encode(blob)


def _context(session: BrowserSession) -> bytes:
    return sealing.context_of("roles switched to", session.person.account_id, session.person.unique_id)


ROUTES = [Route(_PATH, ask, methods=["GET"]), Route(_PATH, act, methods=["POST"])]
