"""A start URL: its people sign in, then see which roles they may take where, as the console or as short-lived access keys."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, entering, parts, web
from crownkeep.console.kit.calls import Found, Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.credentials.secret import Secret
from crownkeep.domain.single_sign_on import clients
from crownkeep.signin import entry, external_requests
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext

MOST = 1000
"""Roles that one page shows; a search finds the others."""

_SERVICE = "access-portal"
_AWS_FORM = "https://{}.portal.us-east-1.app.aws"
_SESSIONS = Equivalent("account-security", "ListSessions")


@dataclass(frozen=True, slots=True)
class TakenRole:
    """A role as the portal names it: `arn` is of an existing role, and empty for a permission set's."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class AccountRoles:
    """An account and the roles in it."""

    account_id: str
    name: str
    email: str
    roles: tuple[TakenRole, ...]


async def start(request: Request) -> Response:
    """Show the portal to its people, and to everybody else where they sign in, whether there is such a start URL or not."""
    store_id = request.path_params["start"]
    session = web.person(request, store_id)
    if session is None:
        to = request.query_params.get("to", "")
        return _sign_in(request, store_id, to=destinations.ours(to) if to else _path(store_id))
    return await _portal(request, session)


async def resolve(request: Request) -> Response:
    """Tell a program which start URL of AWS's form this one stands for, whether there is such an instance or not.

    The AWS CLI asks an address of another host than AWS's with HEAD, and follows one redirect, to a name that it never asks
    (https://github.com/aws/aws-cli/pull/10457).
    """
    named = clients.instance_in(request.url.path)
    return RedirectResponse(_AWS_FORM.format(named), 302) if named else Response(status_code=404)


async def entered(request: Request) -> Response:
    """Take a person's user name and password."""
    form, here, store_id = web.form(request), web.of(request), request.path_params["start"]
    name, to = form.one("name"), destinations.ours(form.one("to"))
    visit, password = entering.visit(request, to), Secret(form.one("password"))
    outcome = await entry.enter_as_person(here.door, visit, start=store_id, name=name, password=password)
    again = lambda: _sign_in(request, store_id, to=to, name=name, alert=gettext(entry.INCORRECT))  # noqa: E731 - made only where it is wrong
    return await entering.follow(request, outcome, again)


async def open_console(request: Request) -> Response:
    """Let the browser act as a role, and go to the console."""
    session = _needed(request)
    if session is None:
        return web.go(_path(request.path_params["start"]))
    _, outcome = await parts.obtain(request, _of_role(request, "OpenConsole"), actor=web.as_person(request, session))
    if outcome.refused is not None:
        return await _portal(request, session, refusal=outcome.refused)
    return web.go(destinations.HOME)


async def access_keys(request: Request) -> Response:
    """Show short-lived access keys of a role, this once."""
    session = _needed(request)
    if session is None:
        return web.go(_path(request.path_params["start"]))
    wanted = _of_role(request, "IssueAccessKeys")
    found, outcome = await parts.obtain(request, wanted, actor=web.as_person(request, session))
    if outcome.refused is not None:
        return await _portal(request, session, refusal=outcome.refused)
    values = {"keys": found["Credentials"], "account_id": wanted.parameters["AccountId"], "role": wanted.parameters["RoleName"]}
    return _page(request, "portal_keys.html", session, **values)


async def end_session(request: Request) -> Response:
    """End one of the person's other sessions, or all of them."""
    session = _needed(request)
    if session is None:
        return web.go(_path(request.path_params["start"]))
    form = web.form(request)
    wanted = Equivalent("account-security", "EndOtherSessions")
    if "session" in form:
        wanted = Equivalent("account-security", "EndSession", {"SessionId": form.one("session")})
    _, outcome = await parts.obtain(request, wanted, actor=web.as_person(request, session))
    if outcome.refused is not None:
        return await _portal(request, session, refusal=outcome.refused)
    return web.go(_path(request.path_params["start"]))


async def _portal(request: Request, session: BrowserSession, *, refusal: Refused | None = None) -> Response:
    search = request.query_params.get("q", "")[:128]
    actor = web.as_person(request, session)
    found, outcome = await parts.obtain(request, Equivalent(_SERVICE, "ListEntitlements", {"Search": search}), actor=actor)
    listed, _ = await parts.obtain(request, _SESSIONS, actor=actor)
    rows: Sequence[Found] = found.get("Entitlements", ())
    values = {"groups": _grouped(rows), "search": search, "is_cut": len(rows) >= MOST}
    refused = refusal or outcome.refused
    status = 200 if refused is None else 403
    return _page(request, "portal.html", session, status=status, refusal=refused, sessions=listed.get("Sessions", ()), **values)


def _grouped(rows: Sequence[Found]) -> list[AccountRoles]:
    by_account = itertools.groupby(rows, key=lambda row: (row["AccountId"], row["AccountName"], row["EmailAddress"]))
    return [
        AccountRoles(*account, tuple(TakenRole(row["RoleName"], row.get("RoleArn", "")) for row in each))
        for account, each in by_account
    ]


def _of_role(request: Request, operation: str) -> Equivalent:
    form = web.form(request)
    named = {"AccountId": form.one("account"), "RoleName": form.one("role")}
    return Equivalent(_SERVICE, operation, named | ({"RoleArn": form.one("arn")} if form.one("arn") else {}))


def _needed(request: Request) -> BrowserSession | None:
    web.form(request)
    return web.person(request, request.path_params["start"])


def _sign_in(request: Request, store_id: str, *, to: str, name: str = "", alert: str = "") -> Response:
    provider = external_requests.provider_at(web.of(request).door, store_id)
    if provider is not None:
        shown = {"start": _path(store_id), "to": to, "provider": provider.name}
        return web.page(request, "external_sign_in.html", status=403 if alert else 200, **shown)
    values = {"start": _path(store_id), "to": to, "name": name, "alert": alert}
    return web.page(request, "person_sign_in.html", status=403 if alert else 200, **values)


def _page(request: Request, template: str, session: BrowserSession, *, status: int = 200, **values: object) -> Response:
    store_id = session.person.path.strip("/")
    return web.page(request, template, status=status, start=_path(store_id), person=session.person, **values)


def _path(store_id: str) -> str:
    return f"{web.PORTAL}/{quote(store_id[:64], safe='')}"


ROUTES = [
    Route("/start/{start}", resolve, methods=["HEAD"]),
    Route("/start/{start}", start, methods=["GET"]),
    Route("/start/{start}", entered, methods=["POST"]),
    Route("/start/{start}/console", open_console, methods=["POST"]),
    Route("/start/{start}/keys", access_keys, methods=["POST"]),
    Route("/start/{start}/sessions", end_session, methods=["POST"]),
]
