"""Whether a user signs in with MFA only: asked and set by several pages."""

from __future__ import annotations

from starlette.requests import Request

from crownkeep.console.kit import calls, parts
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import ChangesMade, Part

SERVICE = "account-security"


async def is_demanded(request: Request, name: str, password: Part) -> bool:
    """Tell whether MFA is demanded of this very user, where they have a password and the person may see it."""
    # Without a password nobody signs in, and there is nothing to demand.
    if isinstance(password.found, Refused):
        return False
    found = await calls.ask(request, SERVICE, "GetUserSignInSettings", {"UserName": name})
    return not isinstance(found, Refused) and bool(found["NeedsMfa"])


async def demand(request: Request, name: str) -> ChangesMade:
    """Demand MFA of a user, in the name of whoever is signed in."""
    return await change(request, name, is_needed=True)


async def change(request: Request, name: str, *, is_needed: bool) -> ChangesMade:
    """Set whether a user signs in with MFA only."""
    wanted = Equivalent(SERVICE, "UpdateUserSignInSettings", {"UserName": name, "NeedsMfa": is_needed})
    return await parts.carry_out(request, [wanted])
