"""My approvals: a custodian shows their security key, sees what is asked, and decides on each by the key again.

Nobody is signed in here. The pages keep no session: each step is proved by the key, so that they work when every account is
locked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import custodians, web
from crownkeep.errors import AwsError
from crownkeep.operations.call import Request as Asked
from crownkeep.principals import Anonymous
from crownkeep.signin import acting

PATH = "/approvals"
_TIMEOUT = 300_000
_LONGEST = 16_384
_TITLES: Mapping[str, str] = {
    "signin:ConsoleLogin": "Sign in as root",
    "signin:PasswordRecovery": "Choose a new password for root",
    "mpa:UpdateApprovalTeam": "Change this approval team",
    "mpa:StartActiveApprovalTeamDeletion": "Delete this approval team",
    "mpa:StartApprovalTeamBaseline": "Rehearsal: show that you can still approve",
}
"""What acts are called that are no call of an API, or not seen as one by custodians."""
_STATES: Mapping[str, str] = {
    "waiting": "It waits for others of the team.",
    "approved": "The team has approved it, and it can be done now.",
    "refused": "Too few are left to approve it, so it is over.",
    "used": "It has been done.",
}
_DECISIONS: Mapping[str, tuple[str, str]] = {
    "approve": ("Approve", "You have approved the request"),
    "refuse": ("Refuse", "You have refused the request"),
    "review": ("SignOffReview", "You have signed off the review"),
}


async def prove(request: Request) -> Response:
    """Ask for the security key; a mailed link names the request that it is about."""
    return await _ask_for_key(request, about=request.query_params.get("request", ""))


async def waiting(request: Request) -> Response:
    """Show what waits for whoever has shown their key."""
    form = web.form(request)
    parameters = {"Token": form.one("token")[:512], "Assertion": form.one("credential")[:_LONGEST]}
    about = _request_id(form.one("request"))
    try:
        found = await _call(request, "ListMyRequests", parameters | ({"RequestId": about} if about else {}))
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message, about=about)
    party = (await _call(request, "GetChallenge", {}))["RelyingPartyId"]
    requests = [_with_options(each, str(found["KeyId"]), party) for each in found["Requests"]]
    reviews = [_with_options(each, str(found["KeyId"]), party) for each in found["Reviews"]]
    return web.page(request, "my_approvals.html", requests=requests, reviews=reviews)


async def decide(request: Request) -> Response:
    """Hand in a decision that the security key has signed."""
    form = web.form(request)
    operation, answer = _DECISIONS.get(form.one("decision"), ("", ""))
    if not operation:
        return await _ask_for_key(request, alert="There is no such decision.")
    parameters = {"RequestId": form.one("request")[:32], "Assertion": form.one("credential")[:_LONGEST]}
    try:
        found = await _call(request, operation, parameters)
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message)
    state = str(found["Request"]["State"])
    text = "Root can be used again." if operation == "SignOffReview" else _STATES.get(state, f"The request is {state}.")
    return web.page(request, "message.html", title=answer, text=text, to=PATH, label="Back to my approvals")


async def _ask_for_key(request: Request, *, alert: str = "", about: str = "") -> Response:
    found = await _call(request, "GetChallenge", {})
    options = _options(str(found["Challenge"]), str(found["RelyingPartyId"]), ())
    named = _request_id(about)
    path = f"{PATH}?request={named}" if named else PATH
    return web.page(
        request,
        "prove_custodian.html",
        status=403 if alert else 200,
        options=options,
        token=found["Token"],
        about=named,
        alert=alert,
        elsewhere=custodians.address_for_keys(request, str(found["RelyingPartyId"]), path),
    )


def _request_id(value: str) -> str:
    return value if re.fullmatch(r"[0-9a-f]{32}", value) else ""


async def _call(request: Request, operation: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
    here = web.of(request)
    answer = await here.door.invoke(Asked(acting.find("approvals", operation), parameters, Anonymous(), here.origin, here.now))
    if answer.error is not None:
        raise answer.error
    return answer.result


def _with_options(found: Mapping[str, Any], key_id: str, party: str) -> dict[str, Any]:
    options = {each["Decision"]: _options(each["Challenge"], party, (key_id,)) for each in found["Challenges"]}
    title = _TITLES.get(str(found["Action"]), str(found["Action"]))
    return {
        **found,
        "Options": options,
        "Title": title,
        "Approved": sum(each["Decision"] == "approve" for each in found["Votes"]),
    }


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
