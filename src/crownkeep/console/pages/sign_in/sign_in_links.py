"""Pages of the links that admit a waiting root user to one try: asking for one, and trying."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, entering, web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.credentials.one_time_links import InvalidLink
from crownkeep.credentials.secret import Secret
from crownkeep.signin import entry, sign_in_links
from crownkeep.signin.recovery import Asked
from crownkeep.translation import gettext

ASK = "/signin/step/link"


async def asked(request: Request) -> Response:
    """Send a link, if the address is root's; whether it is cannot be told from the answer."""
    form, here = web.form(request), web.of(request)
    browser = here.cookie(Cookie.VISIT)
    came = await sign_in_links.request(here.door, form.one("email"), browser=browser, origin=here.origin, now=here.now)
    if came is Asked.TOO_OFTEN:
        return entering.too_many_links(request, f"{web.SIGN_IN}?choose")
    text = gettext(
        "If a root user has that email address, a link that admits one try is on its way. Open it in this browser, within 15 "
        "minutes. Look into the spam folder too."
    )
    return _message_page(request, gettext("Check your email"), text)


async def once(request: Request) -> Response:
    """Ask whoever has a link, in the browser that asked for it, for root's password; looking does not use the link up."""
    token, here = request.query_params.get("token", ""), web.of(request)
    if not sign_in_links.is_good(here.door, token, browser=here.cookie(Cookie.VISIT), now=here.now):
        return _invalid(request)
    return web.page(request, "once.html", token=token, action=sign_in_links.PATH)


async def tried(request: Request) -> Response:
    """Take the password, once."""
    form, here = web.form(request), web.of(request)
    visit, password = entering.visit(request, destinations.HOME), Secret(form.one("password"))
    try:
        outcome = await sign_in_links.enter(here.door, visit, form.one("token"), password, browser=here.cookie(Cookie.VISIT))
    except InvalidLink:
        return _invalid(request)
    text = f"{gettext(entry.INCORRECT)} {gettext('The link is used up.')}"
    return await entering.follow(
        request, outcome, lambda: _message_page(request, gettext("There was an error"), text, status=403)
    )


def _invalid(request: Request) -> Response:
    text = gettext(
        "It was used before, has expired, was never one, or was asked for by another browser. Open it where you asked for it."
    )
    return _message_page(request, gettext("This link is not valid"), text, status=403)


def _message_page(request: Request, title: str, text: str, *, status: int = 200) -> Response:
    return web.page(
        request,
        "message.html",
        status=status,
        title=title,
        text=text,
        to=f"{web.SIGN_IN}?choose",
        label=gettext("Back to sign in"),
    )


ROUTES = [
    Route(ASK, asked, methods=["POST"]),
    Route(sign_in_links.PATH, once, methods=["GET"]),
    Route(sign_in_links.PATH, tried, methods=["POST"]),
]
