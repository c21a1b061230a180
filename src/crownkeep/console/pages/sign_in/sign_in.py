"""Signing in: root by e-mail address and password, users by account, name and password."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, entering, web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.credentials.secret import Secret
from crownkeep.signin import entry, sessions
from crownkeep.translation import gettext

_REMEMBERED_FOR = timedelta(days=365)
_LONGEST_ACCOUNT = 63


async def choose(request: Request) -> Response:
    """Ask whether root or a user signs in; an account in the address, or remembered, means a user."""
    to = destinations.ours(request.query_params.get("to", ""))
    account = request.query_params.get("account", "")
    if not account and "choose" not in request.query_params:
        account = web.of(request).cookie(Cookie.ACCOUNT)
    if account:
        return web.go(_user_path(account, to))
    return web.page(request, "choose.html", to=to, kind="root", alert="")


async def chosen(request: Request) -> Response:
    """Lead root to its password and a user to their account's page."""
    form = web.form(request)
    to = destinations.ours(form.one("to"))
    if form.one("kind") == "user":
        account = form.one("account").replace("-", "") if _is_grouped(form.one("account")) else form.one("account").strip()
        if account:
            return web.go(_user_path(account, to))
        return web.page(
            request, "choose.html", status=400, to=to, kind="user", alert=gettext("Enter an account ID or an account alias.")
        )
    email = form.one("email").strip()
    if not email:
        return web.page(
            request, "choose.html", status=400, to=to, kind="root", alert=gettext("Enter the root user's email address.")
        )
    return web.page(request, "root.html", to=to, email=email, alert="")


async def root(request: Request) -> Response:
    """Take root's password."""
    form = web.form(request)
    email, to = form.one("email"), destinations.ours(form.one("to"))
    visit = entering.visit(request, to)
    outcome = await entry.enter_as_root(web.of(request).door, visit, email=email, password=Secret(form.one("password")))
    values = {"to": to, "email": email, "alert": gettext(entry.INCORRECT)}
    return await entering.follow(request, outcome, lambda: web.page(request, "root.html", status=403, **values), root=email)


async def user(request: Request) -> Response:
    """Ask for a user's name and password."""
    to = destinations.ours(request.query_params.get("to", ""))
    remembered = web.of(request).cookie(Cookie.ACCOUNT)
    account = request.path_params["account"]
    return web.page(request, "user.html", to=to, account=account, name="", remember=remembered == account, alert="")


async def user_entered(request: Request) -> Response:
    """Take a user's name and password."""
    form, here = web.form(request), web.of(request)
    account, name, to = form.one("account").strip(), form.one("name"), destinations.ours(form.one("to"))
    _remember(request, account)
    visit = entering.visit(request, to)
    password = Secret(form.one("password"))
    outcome = await entry.enter_as_user(here.door, visit, account=account, name=name, password=password)
    values = {"to": to, "account": account, "name": name, "remember": "remember" in form, "alert": gettext(entry.INCORRECT)}
    return await entering.follow(request, outcome, lambda: web.page(request, "user.html", status=403, **values))


async def out(request: Request) -> Response:
    """End the session."""
    here = web.of(request)
    web.form(request)
    if here.session is not None:
        await sessions.sign_out(here.door, here.session, origin=here.origin, now=here.now)
    here.drop_cookie(Cookie.SESSION)
    return web.go(f"{web.SIGN_IN}/step/signed-out")


async def signed_out(request: Request) -> Response:
    """Say that the session has ended."""
    return web.page(request, "signed_out.html")


def _remember(request: Request, account: str) -> None:
    """Remember the account whose page is wanted, or forget it, as the form asks; one that no cookie can hold is no account."""
    here = web.of(request)
    if "remember" in web.form(request) and account.isascii() and account.replace("-", "").isalnum():
        here.set_cookie(Cookie.ACCOUNT, account[:_LONGEST_ACCOUNT].lower(), lasts=_REMEMBERED_FOR)
    elif here.cookie(Cookie.ACCOUNT):
        here.drop_cookie(Cookie.ACCOUNT)


def _user_path(account: str, to: str) -> str:
    query = f"?to={quote(to, safe='')}" if to != destinations.HOME else ""
    return f"{web.SIGN_IN}/{quote(account[:_LONGEST_ACCOUNT], safe='')}{query}"


def _is_grouped(account: str) -> bool:
    """Whether this is an account id as AWS's pages write it: 1234-5678-9012."""
    return [len(part) for part in account.strip().split("-")] == [4, 4, 4] and account.strip().replace("-", "").isdigit()


ROUTES = [
    Route("/signin", choose, methods=["GET"]),
    Route("/signin", chosen, methods=["POST"]),
    Route("/signin/step/root", root, methods=["POST"]),
    Route("/signin/step/out", out, methods=["POST"]),
    Route("/signin/step/signed-out", signed_out),
]
ACCOUNT_ROUTES = [
    Route("/signin/{account}", user, methods=["GET"]),
    Route("/signin/{account}", user_entered, methods=["POST"]),
]
"""These come after the pages of `links`, one of which would be an account otherwise."""
