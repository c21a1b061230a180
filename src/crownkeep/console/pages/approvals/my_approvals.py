"""My approvals: a custodian shows their security key, sees what is asked, and decides on each by the key again.

Nobody is signed in here. The pages keep no session: each step is proved by the key, so that they work when every account is
locked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import web
from crownkeep.errors import AwsError
from crownkeep.operations.call import Request as Asked
from crownkeep.principals import Anonymous
from crownkeep.signin import acting

PATH = "/approvals"
_TIMEOUT = 300_000
_LONGEST = 16_384
_DECISIONS: Mapping[str, tuple[str, str]] = {
    "approve": ("Approve", "You have approved the request"),
    "refuse": ("Refuse", "You have refused the request"),
    "review": ("SignOffReview", "You have signed off the review"),
}


async def prove(request: Request) -> Response:
    """Ask for the security key."""
    return await _ask_for_key(request)


async def waiting(request: Request) -> Response:
    """Show what waits for whoever has shown their key."""
    form = web.form(request)
    parameters = {"Token": form.one("token")[:512], "Assertion": form.one("credential")[:_LONGEST]}
    try:
        found = await _call(request, "ListMyRequests", parameters)
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message)
    party = (await _call(request, "GetChallenge", {}))["RelyingPartyId"]
    requests = [_with_options(each, str(found["KeyId"]), party) for each in found["Requests"]]
    reviews = [_with_options(each, str(found["KeyId"]), party) for each in found["Reviews"]]
    return web.page(request, "my_approvals.html", requests=requests, reviews=reviews)


async def decide(request: Request) -> Response:
    """Hand in a decision that the security key has signed."""
    form = web.form(request)
    operation, told = _DECISIONS.get(form.one("decision"), ("", ""))
    if not operation:
        return await _ask_for_key(request, alert="There is no such decision.")
    parameters = {"RequestId": form.one("request")[:32], "Assertion": form.one("credential")[:_LONGEST]}
    try:
        found = await _call(request, operation, parameters)
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message)
    text = f"Request {parameters['RequestId']} is now: {found['Request']['State']}."
    return web.page(request, "told.html", title=told, text=text, to=PATH, label="Back to my approvals")


async def _ask_for_key(request: Request, *, alert: str = "") -> Response:
    found = await _call(request, "GetChallenge", {})
    options = _options(str(found["Challenge"]), str(found["RelyingPartyId"]), ())
    status = 403 if alert else 200
    return web.page(request, "prove_custodian.html", status=status, options=options, token=found["Token"], alert=alert)


async def _call(request: Request, operation: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
    here = web.of(request)
    answer = await here.door.invoke(Asked(acting.find("approvals", operation), parameters, Anonymous(), here.origin, here.now))
    if answer.error is not None:
        raise answer.error
    return answer.result


def _with_options(found: Mapping[str, Any], key_id: str, party: str) -> dict[str, Any]:
    options = {each["Decision"]: _options(each["Challenge"], party, (key_id,)) for each in found["Challenges"]}
    return {**found, "Options": options}


def _options(challenge: str, party: str, keys: tuple[str, ...]) -> str:
    allowed = [{"type": "public-key", "id": key} for key in keys]
    options = {
        "challenge": challenge,
        "rpId": party,
        "timeout": _TIMEOUT,
        "userVerification": "required",
        "allowCredentials": allowed,
    }
    return json.dumps(options)


ROUTES = [
    Route(PATH, prove, methods=["GET"]),
    Route(f"{PATH}/open", waiting, methods=["POST"]),
    Route(f"{PATH}/decide", decide, methods=["POST"]),
]
