"""How the settings of the account stand, for the pages that show and change them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.console.kit import calls, contact_kinds, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.principals import PrincipalKind

SUMMARY = Equivalent("iam", "GetAccountSummary")
SETTINGS = Equivalent("account-security", "GetSignInSettings")
VERSIONS = ("v1Token", "v2Token")
EQUIVALENTS = [
    SUMMARY,
    SETTINGS,
    Equivalent("iam", "SetSecurityTokenServicePreferences", {"GlobalEndpointTokenVersion": VERSIONS[1]}),
]
"""The calls behind these settings."""


@dataclass(frozen=True, slots=True)
class Security:
    """How the settings stand; a refusal in the place of what may not be seen."""

    users_need_mfa: bool | Refused
    token_version: int | Refused


def is_root(request: Request) -> bool:
    """Tell whether it is root who acts, and has not switched to a role."""
    session = web.signed_in(request)
    return session.person.kind is PrincipalKind.ROOT and not session.switched


async def look(request: Request) -> Security:
    """Ask for the settings."""
    summary, settings = await asyncio.gather(
        calls.ask(request, SUMMARY.service, SUMMARY.operation), calls.ask(request, SETTINGS.service, SETTINGS.operation)
    )
    version = summary if isinstance(summary, Refused) else int(summary["SummaryMap"]["GlobalEndpointTokenVersion"])
    return Security(settings if isinstance(settings, Refused) else bool(settings["UsersNeedMfa"]), version)


TEST = f"{contact_kinds.ALTERNATE}/test"

ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT")
"""Statuses of Regions that may be used."""
