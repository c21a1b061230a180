"""One's own access keys: made after a warning, turned off with one click, deleted once they are off."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, key_endings, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.destinations import SECURITY
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.credentials import own
from crownkeep.principals import PrincipalKind
from crownkeep.translation import gettext, gettext_noop

KEYS = f"{SECURITY}/keys"
NEW = f"{SECURITY}/new-key"

_INFORMATION = Equivalent("account", "GetAccountInformation")
_WRONG_NAME = gettext_noop("That is not the account's name. Type it exactly as it is shown.")


async def ask(request: Request) -> Response:
    """Say what speaks against a key, and ask root for the account's name; a fresh proof comes first."""
    own.owner(request)
    web.proven(request)
    return await _page(request)


async def create(request: Request) -> Response:
    """Make a key, whose secret this answer alone shows."""
    person, form = own.owner(request), web.form(request)
    web.proven(request)
    if person.kind is PrincipalKind.ROOT:
        name = await _account_name(request)
        if isinstance(name, Refused) or form.one("name").strip() != name:
            return await _page(request, alert=gettext(_WRONG_NAME))
    result, outcome = await parts.obtain(request, Equivalent("iam", "CreateAccessKey", own.named(person)))
    if outcome.refused is not None:
        return await _page(request, refusal=outcome.refused)
    made = result["AccessKey"]
    secrets = {gettext("Access key"): made["AccessKeyId"], gettext("Secret access key"): made["SecretAccessKey"]}
    return parts.result_page(
        request, outcome, title=gettext("Your new access key"), then=SECURITY, current=SECURITY, secrets=secrets
    )


async def change(request: Request) -> Response:
    """Turn a key on or off, or delete it. What turns one on needs a fresh proof; what takes access away does not."""
    person, form = own.owner(request), web.form(request)
    key, to = {**own.named(person), "AccessKeyId": form.one("key")}, form.one("to")
    # Only what gives access asks for more than the session; whoever finds a leak turns the key off at once.
    if to == "Active":
        web.proven(request)
    wanted = Equivalent("iam", "UpdateAccessKey", {**key, "Status": to})
    if to == "Deleted":
        key_endings.require(request, form.one("key"), SECURITY)
        wanted = Equivalent("iam", "DeleteAccessKey", key)
    return await parts.change(request, [wanted], then=SECURITY, current=SECURITY)


async def _account_name(request: Request) -> str | Refused:
    found = await calls.ask(request, _INFORMATION.service, _INFORMATION.operation)
    return found if isinstance(found, Refused) else str(found["AccountName"])


async def _page(request: Request, *, alert: str = "", refusal: Refused | None = None) -> Response:
    person = own.owner(request)
    is_root = person.kind is PrincipalKind.ROOT
    return frame.page(
        request,
        "new_key.html",
        current=SECURITY,
        same=[Equivalent("iam", "CreateAccessKey", own.named(person))],
        refusal=refusal,
        status=400 if alert else 200,
        alert=alert,
        is_root=is_root,
        account_name=await _account_name(request) if is_root else "",
    )


ROUTES = [
    Route(NEW, ask, methods=["GET"]),
    Route(NEW, create, methods=["POST"]),
    Route(KEYS, change, methods=["POST"]),
]
