"""Settings that bind everybody in the account: MFA for all users, and the version of session tokens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.account import contacts
from crownkeep.principals import PrincipalKind

USERS_MFA = "/console/sign-in-settings"
TOKENS = f"{contacts.ACCOUNT}/session-tokens"
HERE = contacts.ACCOUNT

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


async def users_need_mfa(request: Request) -> Response:
    """Set whether every user of the account signs in with MFA only; a fresh proof comes first."""
    web.proven(request)
    wanted = Equivalent("account-security", "UpdateSignInSettings", {"UsersNeedMfa": "required" in web.form(request)})
    return await parts.change(request, [wanted], then=HERE, current=HERE)


async def session_tokens(request: Request) -> Response:
    """Choose the version of session tokens."""
    version = web.form(request).one("version")
    held = (await look(request)).token_version
    back = [] if isinstance(held, Refused) else [_setting(f"v{held}Token")]
    return await parts.change(request, [_setting(version)], then=HERE, current=contacts.ACCOUNT, back=back)


def _setting(version: str) -> Equivalent:
    return Equivalent("iam", "SetSecurityTokenServicePreferences", {"GlobalEndpointTokenVersion": version})


ROUTES = [
    Route(USERS_MFA, users_need_mfa, methods=["POST"]),
    Route(TOKENS, session_tokens, methods=["POST"]),
]
