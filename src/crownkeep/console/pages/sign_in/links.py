"""Pages of one-time links: root's first password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import web
from crownkeep.console.pages.sign_in import link_passwords
from crownkeep.console.pages.sign_in.link_passwords import PasswordLink
from crownkeep.credentials import strength
from crownkeep.credentials.one_time_links import LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.signin import root_passwords
from crownkeep.translation import gettext

SET_PASSWORD = "/signin/set-password"


async def set_password(request: Request) -> Response:
    """Ask whoever has the link to choose root's password."""
    return link_passwords.page(request, _FIRST, request.query_params.get("token", ""))


async def password_set(request: Request) -> Response:
    """Set root's password and go on to its second factor."""
    return await link_passwords.choose(request, _FIRST)


async def assess(request: Request) -> Response:
    """Tell how strong a password is that somebody is about to choose: to holders of a link, and to whoever is signed in."""
    form, here = web.form(request), web.of(request)
    known: tuple[str, ...] = ()
    if here.session is not None:
        account_id = here.session.principal.account_id
    else:
        account = root_passwords.account_of_any_link(here.door, form.one("token"), now=here.now)
        if account is None:
            return JSONResponse({"score": 0}, 403)
        account_id, known = account.account_id, (account.name, account.email)
    password = Secret(form.one("new")[:128])
    # By the turns of their account: sign-ins must not wait for people who try out passwords.
    found = await here.door.compute(lambda: strength.assess(password, known=known), account_id=account_id)
    return JSONResponse({"score": found.score, "warning": found.warning, "suggestions": found.suggestions})


def _invalid(request: Request) -> Response:
    text = gettext("It was used before, has expired, or was never one. Ask whoever gave it to you for another.")
    return web.page(request, "refused.html", status=403, title=gettext("This link is not valid"), text=text, home=web.SIGN_IN)


_FIRST = PasswordLink(SET_PASSWORD, LinkPurpose.SET_ROOT_PASSWORD, _invalid)

ROUTES = [
    Route(SET_PASSWORD, set_password, methods=["GET"]),
    Route(SET_PASSWORD, password_set, methods=["POST"]),
    Route("/signin/step/strength", assess, methods=["POST"]),
]
