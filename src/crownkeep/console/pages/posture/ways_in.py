"""Can we still get in? Which ways lead into the account, as a picture and in figures, and when that was rehearsed last."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, recoverability_picture, web
from crownkeep.console.kit.calls import Refused
from crownkeep.principals import PrincipalKind
from crownkeep.translation import gettext_noop

PATH = "/console/recoverability"
DRILLS = {
    "lost-mfa": gettext_noop("All of root's MFA devices are lost"),
    "lost-mailbox": gettext_noop("Root's mailbox is lost"),
    "leaked-root-key": gettext_noop("An access key of root's has leaked"),
    "admin-locked-out": gettext_noop("Every administrator is locked out"),
    "custodian-gone": gettext_noop("The custodian does not answer"),
}
"""The drills that there are, in the words of people."""


async def recoverability(request: Request) -> Response:
    """Show whether the account can still be got into."""
    asked = await parts.ask(request, "GetRecoverability", service="account-security")
    found = {} if isinstance(asked.found, Refused) else asked.found
    held = {each["Name"]: each for each in asked.rows("Drills")}
    return frame.page(
        request,
        "recoverability.html",
        current=PATH,
        same=[asked.call],
        asked=asked,
        found=found,
        picture=recoverability_picture.of(found) if found else None,
        drills=[(name, title, held.get(name)) for name, title in DRILLS.items()],
        is_root=web.signed_in(request).principal.kind is PrincipalKind.ROOT,
    )


ROUTES = [Route(PATH, recoverability, methods=["GET"])]
