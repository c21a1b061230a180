"""What several pages say of the account: its name, its alias, and where its users sign in."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from crownkeep.console.kit import calls, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent

INFORMATION = Equivalent("account", "GetAccountInformation")
ALIASES = Equivalent("iam", "ListAccountAliases")


async def alias_of(request: Request) -> str | Refused:
    """Return the account's alias, empty where it has none."""
    found = await calls.ask(request, ALIASES.service, ALIASES.operation)
    if isinstance(found, Refused):
        return found
    return next(iter(found["AccountAliases"]), "")


def sign_in_addresses(request: Request, alias: str) -> list[str]:
    """Return where the account's users sign in, the best address first."""
    visited = web.of(request).visited
    base = visited.base
    by_id = f"{base}/signin/{web.signed_in(request).principal.account_id}"
    if not alias:
        return [by_id]
    place = urlsplit(base)
    own = [] if visited.is_address else [f"{place.scheme}://{alias}.signin.{place.netloc}"]
    return [f"{base}/signin/{alias}", *own, by_id]
