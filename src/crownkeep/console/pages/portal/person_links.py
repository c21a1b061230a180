"""A person's password by a mailed link: the first one, and a new one after it was forgotten."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import entering, web
from crownkeep.credentials import password_policy
from crownkeep.credentials.one_time_links import InvalidLink
from crownkeep.credentials.secret import Secret
from crownkeep.signin import person_passwords
from crownkeep.signin.recovery import Asked
from crownkeep.signin.root_passwords import PasswordRefused
from crownkeep.translation import gettext


async def ask(request: Request) -> Response:
    """Ask for a user name."""
    return web.page(request, "person_password.html", start=_start(request))


async def asked(request: Request) -> Response:
    """Send a link, if somebody has that user name and an e-mail address; whether it is so can't be told from the answer."""
    form, here = web.form(request), web.of(request)
    start, name = request.path_params["start"], form.one("name")
    came = await person_passwords.request(here.door, start=start, name=name, origin=here.origin, now=here.now)
    if came is Asked.TOO_OFTEN:
        return entering.too_many_links(request, _start(request))
    text = gettext(
        "If somebody has that user name, a link to choose a password is on its way to their email address. It works once, within "
        "an hour. Look into the spam folder too."
    )
    return _message_page(request, gettext("Check your email"), text)


async def choose(request: Request) -> Response:
    """Ask whoever has the link for a password; looking does not use it up."""
    return _page(request, request.query_params.get("token", ""))


async def chosen(request: Request) -> Response:
    """Set the password and go on to the portal."""
    form, here = web.form(request), web.of(request)
    token, password = form.one("token"), form.one("new")
    if password != form.one("again"):
        return _page(request, token, alert=gettext("The two passwords are not the same."), status=400)
    visit = entering.visit(request, _start(request))
    try:
        outcome = await person_passwords.choose(here.door, visit, token, Secret(password))
    except InvalidLink:
        return _invalid(request)
    if isinstance(outcome, PasswordRefused):
        return _page(request, token, refused=outcome, status=400)
    return await entering.follow(request, outcome, lambda: _invalid(request))


def _page(
    request: Request, token: str, *, alert: str = "", refused: PasswordRefused | None = None, status: int = 200
) -> Response:
    here = web.of(request)
    try:
        linked = person_passwords.look(here.door, token, now=here.now)
    except InvalidLink:
        return _invalid(request)
    assessment = refused.assessment if refused else None
    values = {"token": token, "name": linked.user.user_name, "alert": alert, "assessment": assessment}
    rules = password_policy.person_rules()
    return web.page(request, "person_set_password.html", status=status, start=_start(request), rules=rules, **values)


def _invalid(request: Request) -> Response:
    text = gettext("It was used before, has expired, or was never one. Ask for another where you sign in.")
    return _message_page(request, gettext("This link is not valid"), text, status=403)


def _message_page(request: Request, title: str, text: str, *, status: int = 200) -> Response:
    return web.page(
        request, "message.html", status=status, title=title, text=text, to=_start(request), label=gettext("Back to sign in")
    )


def _start(request: Request) -> str:
    return f"{web.PORTAL}/{quote(request.path_params['start'][:64], safe='')}"


ROUTES = [
    Route("/start/{start}/password", ask, methods=["GET"]),
    Route("/start/{start}/password", asked, methods=["POST"]),
    Route("/start/{start}/set-password", choose, methods=["GET"]),
    Route("/start/{start}/set-password", chosen, methods=["POST"]),
]
