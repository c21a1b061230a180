"""Root's password chosen by a mailed link: the first one, and a new one after it was forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import destinations, entering, web
from crownkeep.credentials import password_policy
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.signin import root_passwords
from crownkeep.signin.root_passwords import PasswordRefused
from crownkeep.translation import gettext


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """A kind of link: where its form goes, what it is good for, and what is shown where it isn't valid."""

    action: str
    purpose: LinkPurpose
    invalid: Callable[[Request], Response]


def page(
    request: Request,
    link: PasswordLink,
    token: str,
    *,
    alert: str = "",
    refused: PasswordRefused | None = None,
    status: int = 200,
) -> Response:
    """Ask whoever has the link for a password; looking does not use the link up."""
    here = web.of(request)
    try:
        account = root_passwords.look(here.door, token, link.purpose, now=here.now)
    except InvalidLink:
        return link.invalid(request)
    return web.page(
        request,
        "set_password.html",
        status=status,
        action=link.action,
        token=token,
        email=account.email,
        account_id=account.account_id,
        alert=alert,
        assessment=refused.assessment if refused else None,
        rules=password_policy.root_rules(),
    )


async def choose(request: Request, link: PasswordLink) -> Response:
    """Set root's password and go on to its second factor."""
    form, here = web.form(request), web.of(request)
    token, password = form.one("token"), form.one("new")
    if password != form.one("again"):
        return page(request, link, token, alert=gettext("The two passwords are not the same."), status=400)
    visit = entering.visit(request, destinations.HOME)
    try:
        outcome = await root_passwords.choose(here.door, visit, token, Secret(password), purpose=link.purpose)
    except InvalidLink:
        return link.invalid(request)
    if isinstance(outcome, PasswordRefused):
        return page(request, link, token, refused=outcome, status=400)
    return await entering.follow(request, outcome, lambda: link.invalid(request))
