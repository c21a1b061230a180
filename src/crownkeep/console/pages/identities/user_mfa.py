"""Whether MFA is demanded of one user at the sign-in, as their page shows and changes it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, web
from crownkeep.console.kit.identity_kinds import USER
from crownkeep.console.pages.identities import mfa_demand


async def changed(request: Request) -> Response:
    """Demand MFA of the user, or no longer."""
    name, form = request.path_params["name"], web.form(request)
    outcome = await mfa_demand.change(request, name, is_needed="needed" in form)
    return parts.after(request, outcome, then=USER.page(name, "security"), current=USER.folder)


ROUTES = [Route(f"{USER.folder}/{{name}}/mfa-demand", changed, methods=["POST"])]
