"""Settings that bind everybody in the account: MFA for all users, and the version of session tokens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import contacts, parts
from crownkeep.console.pages.parts import Outcome
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind
from crownkeep.signin import account_settings

USERS_MFA = "/console/sign-in-settings"
TOKENS = f"{contacts.ACCOUNT}/session-tokens"
HERE = contacts.ACCOUNT

SUMMARY = Equivalent("iam", "GetAccountSummary")
POLICY = Equivalent("iam", "GetAccountPasswordPolicy")
VERSIONS = ("v1Token", "v2Token")
EQUIVALENTS = [
    SUMMARY,
    Equivalent("iam", "SetSecurityTokenServicePreferences", {"GlobalEndpointTokenVersion": VERSIONS[1]}),
]
"""The calls behind these settings that AWS has."""

_PERMISSION = Equivalent("iam", "UpdateAccountPasswordPolicy")


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
    """Ask for the settings. MFA for all is for those to see who may see the password policy, as it is for them to change."""
    summary, policy = await asyncio.gather(
        calls.ask(request, SUMMARY.service, SUMMARY.operation), calls.ask(request, POLICY.service, POLICY.operation)
    )
    version = summary if isinstance(summary, Refused) else int(summary["SummaryMap"]["GlobalEndpointTokenVersion"])
    if isinstance(policy, Refused) and policy.is_denied:
        return Security(policy, version)
    needed = account_settings.users_need_mfa(web.of(request).door, web.signed_in(request).principal)
    return Security(needed, version)


async def users_need_mfa(request: Request) -> Response:
    """Set whether every user of the account signs in with MFA only; a fresh proof comes first."""
    web.proven(request)
    form, here = web.form(request), web.of(request)
    change = account_settings.require_mfa if "required" in form else account_settings.require_no_mfa
    try:
        event_id = await change(here.door, web.actor(request))
    except AwsError as error:
        return _refused(request, calls.refused(request, _PERMISSION, error))
    return calls.go(request, HERE, calls.own(account_settings.CHANGED, event_id))


async def session_tokens(request: Request) -> Response:
    """Choose the version of session tokens."""
    version = web.form(request).one("version")
    held = (await look(request)).token_version
    back = [] if isinstance(held, Refused) else [_setting(f"v{held}Token")]
    return await parts.change(request, [_setting(version)], then=HERE, current=contacts.ACCOUNT, back=back)


def _setting(version: str) -> Equivalent:
    return Equivalent("iam", "SetSecurityTokenServicePreferences", {"GlobalEndpointTokenVersion": version})


def _refused(request: Request, refusal: Refused) -> Response:
    return parts.after(request, Outcome((), refusal), then=contacts.ACCOUNT, current=contacts.ACCOUNT)


ROUTES = [
    Route(USERS_MFA, users_need_mfa, methods=["POST"]),
    Route(TOKENS, session_tokens, methods=["POST"]),
]
