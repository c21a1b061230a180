"""Sessions of a role: ended for good by a policy that denies everything to those that began before now.

It is the inline policy that AWS's console puts there (IAM user guide, "Revoke IAM role temporary security credentials").
"""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, web
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.identity_kinds import ROLE
from crownkeep.console.pages.identities import role_limits
from crownkeep.translation import gettext


async def revoked(request: Request) -> Response:
    """End every session of a role that began before now."""
    name = request.path_params["name"]
    if "understood" not in web.form(request):
        raise MalformedForm(gettext("tick that you know what it means"))
    wanted = role_limits.revoking(name, _written(web.of(request).now))
    return await parts.change(request, [wanted], then=ROLE.page(name, "sessions"), current=ROLE.folder)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


ROUTES = [Route(f"{ROLE.folder}/{{name}}/revoke", revoked, methods=["POST"])]
