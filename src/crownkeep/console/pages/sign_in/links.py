"""Pages of one-time links: root's first password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, entering, web
from crownkeep.credentials import strength
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.signin import root_passwords

SET_PASSWORD = "/signin/set-password"


async def set_password(request: Request) -> Response:
    """Ask whoever has the link to choose root's password; looking does not use the link up."""
    return _page(request, request.query_params.get("token", ""))


async def password_set(request: Request) -> Response:
    """Set root's password and go on to its second factor."""
    form, here = web.form(request), web.of(request)
    token, password = form.one("token"), form.one("new")
    if password != form.one("again"):
        return _page(request, token, alert="The two passwords are not the same.", status=400)
    visit = entering.visit(request, destinations.HOME)
    try:
        outcome = await root_passwords.choose(here.door, visit, token, Secret(password), purpose=LinkPurpose.SET_ROOT_PASSWORD)
    except InvalidLink:
        return _invalid(request)
    if isinstance(outcome, root_passwords.PasswordRefused):
        return _page(request, token, refused=outcome, status=400)
    return await entering.follow(request, outcome, lambda: _invalid(request))


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


def _page(
    request: Request, token: str, *, alert: str = "", refused: root_passwords.PasswordRefused | None = None, status: int = 200
) -> Response:
    here = web.of(request)
    try:
        account = root_passwords.look(here.door, token, LinkPurpose.SET_ROOT_PASSWORD, now=here.now)
    except InvalidLink:
        return _invalid(request)
    return web.page(
        request,
        "set_password.html",
        status=status,
        action=SET_PASSWORD,
        token=token,
        email=account.email,
        account_id=account.account_id,
        alert=alert,
        assessment=refused.assessment if refused else None,
    )


def _invalid(request: Request) -> Response:
    text = "It was used before, has expired, or was never one. Ask whoever gave it to you for another."
    return web.page(request, "refused.html", status=403, title="This link is not valid", text=text, home=web.SIGN_IN)


ROUTES = [
    Route(SET_PASSWORD, set_password, methods=["GET"]),
    Route(SET_PASSWORD, password_set, methods=["POST"]),
    Route("/signin/step/strength", assess, methods=["POST"]),
]
