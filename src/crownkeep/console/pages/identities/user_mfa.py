"""Whether MFA is demanded of one user at the sign-in, as their page shows and changes it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Outcome, Part
from crownkeep.console.pages.identities.identities import USER

SERVICE = "account-security"


async def is_demanded(request: Request, name: str, password: Part) -> bool:
    """Tell whether MFA is demanded of this very user, where they have a password and the person may see it."""
    if isinstance(password.found, Refused):
        return False
    found = await calls.ask(request, SERVICE, "GetUserSignInSettings", {"UserName": name})
    return not isinstance(found, Refused) and bool(found["NeedsMfa"])


async def demand(request: Request, name: str) -> Outcome:
    """Demand MFA of a user, in the name of whoever is signed in."""
    return await _change(request, name, is_needed=True)


async def changed(request: Request) -> Response:
    """Demand MFA of the user, or no longer."""
    name, form = request.path_params["name"], web.form(request)
    outcome = await _change(request, name, is_needed="needed" in form)
    return parts.after(request, outcome, then=USER.page(name, "security"), current=USER.folder)


async def _change(request: Request, name: str, *, is_needed: bool) -> Outcome:
    wanted = Equivalent(SERVICE, "UpdateUserSignInSettings", {"UserName": name, "NeedsMfa": is_needed})
    return await parts.carry_out(request, [wanted])


ROUTES = [Route(f"{USER.folder}/{{name}}/mfa-demand", changed, methods=["POST"])]
