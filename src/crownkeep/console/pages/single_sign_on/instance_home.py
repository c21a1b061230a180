"""The home page of single sign-on: the instance, its start URL, how its people sign in, and how it is enabled."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.single_sign_on import instance_pages as pages
from crownkeep.console.pages.single_sign_on.instance_pages import ADMIN, DIRECTORY, HOME
from crownkeep.translation import gettext

_HOUR = 3600
_LONGEST = 90 * 24


async def home(request: Request) -> Response:
    """Show the instance and the rules of sign-in, or offer to enable it."""
    web.signed_in(request)
    return await _page(request)


async def _page(request: Request, *, refusal: Refused | None = None, alert: str = "") -> Response:
    found = await pages.managed(request)
    asked = [found.listed]
    rules = None
    if found.arn:
        most = {"AdministratorsOnly": True, "MaxResults": parts.ROWS}
        rules, administrators, existing = await asyncio.gather(
            pages.ask(request, DIRECTORY, "GetSignInRules", **found.of_store),
            pages.ask(request, DIRECTORY, "SearchAccountAssignments", **found.of_store, **most),
            pages.ask(request, DIRECTORY, "SearchRoleEntitlements", **found.of_store, **most),
        )
        asked += [rules, administrators, existing]
    else:
        administrators, existing = None, None
    return pages.page(
        request,
        "sso_home.html",
        current=HOME,
        same=parts.equivalents(asked) if found.arn else [found.listed.call, Equivalent(ADMIN, "CreateInstance")],
        refusal=refusal,
        status=400 if alert else 200,
        found=found,
        instance=next(iter(found.listed.rows("Instances")), {}),
        start_url=f"{web.of(request).settings.url}/start/{found.store_id}",
        rules=rules,
        administrators=administrators,
        existing=existing,
        is_own=found.owner_id == web.signed_in(request).principal.account_id,
        alert=alert,
    )


async def enabled(request: Request) -> Response:
    """Make the account's instance."""
    web.form(request)

    async def again(refusal: Refused) -> Response:
        return await _page(request, refusal=refusal)

    return await parts.change(request, [Equivalent(ADMIN, "CreateInstance")], then=HOME, current=HOME, show=again)


async def ruled(request: Request) -> Response:
    """Change how people sign in."""
    entered = parts.entered(request, "mfa", "without", "hours", "age")
    hours, age = entered["hours"], entered["age"] or "0"
    if not (hours.isdecimal() and age.isdecimal() and 1 <= int(hours[:6]) <= _LONGEST):
        return await _page(
            request,
            alert=gettext("A session lasts 1 to %(most)s hours, and the age of a password is a number of days.", most=_LONGEST),
        )
    found = await pages.managed(request)
    given = {
        "MfaMode": entered["mfa"],
        "WithoutDevice": entered["without"],
        "SessionDurationSeconds": int(hours) * _HOUR,
        "MaxPasswordAgeDays": int(age[:6]),
    }

    async def again(refusal: Refused) -> Response:
        return await _page(request, refusal=refusal)

    wanted = Equivalent(DIRECTORY, "PutSignInRules", {**found.of_store, **given})
    return await parts.change(request, [wanted], then=HOME, current=HOME, show=again)


ROUTES = [
    Route(HOME, home, methods=["GET"]),
    Route(f"{HOME}/enable", enabled, methods=["POST"]),
    Route(f"{HOME}/rules", ruled, methods=["POST"]),
]
