"""The account's seal and its approval teams: what is sealed, what is due, and who could approve something today."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.pages.custody.custody_tabs import PATH, TABS
from crownkeep.translation import gettext_noop

ACTS = {
    "root-sign-in": gettext_noop("Sign-in as root"),
    "root-sessions": gettext_noop("Central root sessions"),
    "root-recovery": gettext_noop("Recovery of root's password and MFA"),
    "root-mfa": gettext_noop("Removal of root's MFA"),
    "root-email": gettext_noop("Change of root's e-mail address"),
    "close-account": gettext_noop("Closing the account"),
    "guardrails": gettext_noop("Detaching and changing guardrails"),
    "attach-policies": gettext_noop("Attaching policies of the organization"),
    "trail": gettext_noop("Stopping the trail, withholding its records"),
    "alerts": gettext_noop("Changing alert rules and receivers"),
    "operator": gettext_noop("What the operator does to the account"),
}
"""What can be sealed, in the words of people."""


async def seal(request: Request) -> Response:
    """Show the seal and the teams."""
    sealed, listed = await asyncio.gather(
        parts.ask(request, "GetSeal", service="approvals"), parts.ask(request, "ListTeams", service="approvals")
    )
    found = sealed.one("Seal")
    return frame.page(
        request,
        "custody.html",
        current=PATH,
        same=parts.equivalents([sealed, listed]),
        tabs=TABS,
        sealed=sealed,
        seal=found,
        cools_until=_cools_until(found, request),
        listed=listed,
        acts=ACTS,
        sealing=next((each for each in listed.rows("Teams") if each.get("Arn") == found.get("TeamArn")), None),
    )


def _cools_until(found: Mapping[str, Any], request: Request) -> object | None:
    """Return until when root can't be used again because it was used a short while ago."""
    if not found.get("CooldownMinutes") or "SessionEndsAt" not in found:
        return None
    until = found["SessionEndsAt"] + timedelta(minutes=int(found["CooldownMinutes"]))
    return until if until > web.of(request).now else None


ROUTES = [Route(PATH, seal, methods=["GET"])]
