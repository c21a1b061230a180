"""Settings that bind everybody in the account: MFA for all users, and the version of session tokens."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.account import settings

USERS_MFA = "/console/sign-in-settings"
TOKENS = f"{destinations.ACCOUNT}/session-tokens"
HERE = destinations.ACCOUNT


async def users_need_mfa(request: Request) -> Response:
    """Set whether every user of the account signs in with MFA only; a fresh proof comes first."""
    web.proven(request)
    wanted = Equivalent("account-security", "UpdateSignInSettings", {"UsersNeedMfa": "required" in web.form(request)})
    return await parts.change(request, [wanted], then=HERE, current=HERE)


async def session_tokens(request: Request) -> Response:
    """Choose the version of session tokens."""
    version = web.form(request).one("version")
    # Asked before the change: afterwards nothing tells what it was.
    held = (await settings.look(request)).token_version
    back = [] if isinstance(held, Refused) else [_setting(f"v{held}Token")]
    return await parts.change(request, [_setting(version)], then=HERE, current=destinations.ACCOUNT, back=back)


def _setting(version: str) -> Equivalent:
    return Equivalent("iam", "SetSecurityTokenServicePreferences", {"GlobalEndpointTokenVersion": version})


ROUTES = [
    Route(USERS_MFA, users_need_mfa, methods=["POST"]),
    Route(TOKENS, session_tokens, methods=["POST"]),
]
