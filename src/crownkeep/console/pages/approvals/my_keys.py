"""My keys: a custodian shows a security key, and adds another one or removes one that is lost. Nobody is signed in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import custodians, web
from crownkeep.console.pages.approvals import key_proofs
from crownkeep.errors import AwsError
from crownkeep.translation import gettext

PATH = "/approvals/keys"


async def prove(request: Request) -> Response:
    """Ask for the security key."""
    return await _ask_for_key(request)


async def keys(request: Request) -> Response:
    """Show the keys of whoever has shown one, with what it takes to add another and to remove one."""
    form = web.form(request)
    parameters = {"Token": form.one("token")[:512], "Assertion": form.one("credential")[: key_proofs.LONGEST]}
    try:
        found = await key_proofs.call(request, "ListMyKeys", parameters)
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message)
    return web.page(request, "my_keys.html", found=found, add=f"{PATH}/add", remove=f"{PATH}/remove")


async def added(request: Request) -> Response:
    """Enrol the key that a browser has made."""
    form = web.form(request)
    nickname = form.one("nickname").strip()[:64]
    parameters = {"Ceremony": form.one("ceremony"), "Credential": form.one("credential")}
    named = {"Nickname": nickname} if nickname else {}
    return await _done(
        request, "AddKey", parameters | named, gettext("The key is yours"), gettext("It decides on what is asked from now on.")
    )


async def removed(request: Request) -> Response:
    """Remove a key."""
    form = web.form(request)
    parameters = {"Ceremony": form.one("ceremony"), "KeyId": form.one("key")}
    return await _done(request, "RemoveKey", parameters, gettext("The key is removed"), gettext("It approves nothing any more."))


async def _done(request: Request, operation: str, parameters: Mapping[str, Any], title: str, text: str) -> Response:
    try:
        await key_proofs.call(request, operation, parameters)
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message)
    return web.page(request, "message.html", title=title, text=text, to=PATH, label=gettext("Back to my keys"))


async def _ask_for_key(request: Request, *, alert: str = "") -> Response:
    found = await key_proofs.call(request, "GetChallenge", {"Purpose": "keys"})
    party = str(found["RelyingPartyId"])
    return web.page(
        request,
        "prove_custodian.html",
        status=403 if alert else 200,
        options=key_proofs.options(str(found["Challenge"]), party, ()),
        token=found["Token"],
        about="",
        alert=alert,
        elsewhere=custodians.address_for_keys(request, party, PATH),
        action=f"{PATH}/open",
        title=gettext("My keys"),
    )


ROUTES = [
    Route(PATH, prove, methods=["GET"]),
    Route(f"{PATH}/open", keys, methods=["POST"]),
    Route(f"{PATH}/add", added, methods=["POST"]),
    Route(f"{PATH}/remove", removed, methods=["POST"]),
]
