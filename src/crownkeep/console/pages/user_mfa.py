"""Whether MFA is demanded of one user at the sign-in, as their page shows and changes it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, web
from crownkeep.console.calls import Done, Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import parts
from crownkeep.console.pages.identities import USER
from crownkeep.console.pages.parts import Outcome, Part
from crownkeep.errors import AwsError
from crownkeep.signin import user_settings


def is_demanded(request: Request, name: str, password: Part) -> bool:
    """Tell whether MFA is demanded of this very user; said only to who was allowed to look at the user's password."""
    if isinstance(password.found, Refused):
        return False
    return user_settings.needs_mfa(web.of(request).door, web.signed_in(request).principal, name)


async def demand(request: Request, name: str) -> Outcome:
    """Demand MFA of a user, in the name of whoever is signed in."""
    return await _change(request, name, is_needed=True)


async def changed(request: Request) -> Response:
    """Demand MFA of the user, or no longer."""
    name, form = request.path_params["name"], web.form(request)
    outcome = await _change(request, name, is_needed="needed" in form)
    return parts.after(request, outcome, then=USER.page(name, "security"), current=USER.folder)


async def _change(request: Request, name: str, *, is_needed: bool) -> Outcome:
    change = user_settings.require_mfa if is_needed else user_settings.require_no_mfa
    try:
        event_id = await change(web.of(request).door, web.actor(request), name)
    except AwsError as error:
        needed = Equivalent("iam", "UpdateLoginProfile", {"UserName": name})
        return Outcome((), calls.refused(request, needed, error))
    return Outcome((Done(f"signin:{user_settings.CHANGED}", event_id),), None)


ROUTES = [Route(f"{USER.folder}/{{name}}/mfa-demand", changed, methods=["POST"])]
