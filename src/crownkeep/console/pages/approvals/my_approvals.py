"""My approvals: a custodian shows their security key, sees what is asked, and decides on each by the key again.

Nobody is signed in here. The pages keep no session: each step is proved by the key, so that they work when every account is
locked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import custodians, web
from crownkeep.console.pages.approvals import key_proofs
from crownkeep.errors import AwsError
from crownkeep.translation import gettext, gettext_noop

PATH = "/approvals"
_TITLES: Mapping[str, str] = {
    "signin:ConsoleLogin": gettext_noop("Sign in as root"),
    "signin:PasswordRecovery": gettext_noop("Choose a new password for root"),
    "mpa:UpdateApprovalTeam": gettext_noop("Change this approval team"),
    "mpa:StartActiveApprovalTeamDeletion": gettext_noop("Delete this approval team"),
    "mpa:StartApprovalTeamBaseline": gettext_noop("Rehearsal: show that you can still approve"),
}
"""What acts are called that are no call of an API, or not seen as one by custodians."""
_STATES: Mapping[str, str] = {
    "waiting": gettext_noop("It waits for others of the team."),
    "approved": gettext_noop("The team has approved it, and it can be done now."),
    "refused": gettext_noop("Too few are left to approve it, so it is over."),
    "used": gettext_noop("It has been done."),
}
_DECISIONS: Mapping[str, tuple[str, str]] = {
    "approve": ("Approve", gettext_noop("You have approved the request")),
    "refuse": ("Refuse", gettext_noop("You have refused the request")),
    "review": ("SignOffReview", gettext_noop("You have signed off the review")),
}


async def prove(request: Request) -> Response:
    """Ask for the security key; a mailed link names the request that it is about."""
    return await _ask_for_key(request, about=request.query_params.get("request", ""))


async def waiting(request: Request) -> Response:
    """Show what waits for whoever has shown their key."""
    form = web.form(request)
    # Cut to what a true one has at most: nothing reads the rest of a longer one.
    parameters = {"Token": form.one("token")[:512], "Assertion": form.one("credential")[: key_proofs.LONGEST]}
    about = _request_id(form.one("request"))
    try:
        found = await key_proofs.call(request, "ListMyRequests", parameters | ({"RequestId": about} if about else {}))
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message, about=about)
    party = (await key_proofs.call(request, "GetChallenge", {}))["RelyingPartyId"]
    requests = [_with_options(each, str(found["KeyId"]), party) for each in found["Requests"]]
    reviews = [_with_options(each, str(found["KeyId"]), party) for each in found["Reviews"]]
    return web.page(request, "my_approvals.html", requests=requests, reviews=reviews)


async def decide(request: Request) -> Response:
    """Hand in a decision that the security key has signed."""
    form = web.form(request)
    operation, answer = _DECISIONS.get(form.one("decision"), ("", ""))
    if not operation:
        return await _ask_for_key(request, alert=gettext("There is no such decision."))
    parameters = {"RequestId": form.one("request")[:32], "Assertion": form.one("credential")[: key_proofs.LONGEST]}
    try:
        found = await key_proofs.call(request, operation, parameters)
    except AwsError as refusal:
        return await _ask_for_key(request, alert=refusal.message)
    state = str(found["Request"]["State"])
    text = gettext("Root can be used again.") if operation == "SignOffReview" else _in_words(state)
    return web.page(request, "message.html", title=gettext(answer), text=text, to=PATH, label=gettext("Back to my approvals"))


def _in_words(state: str) -> str:
    return gettext(_STATES[state]) if state in _STATES else gettext("The request is %(state)s.", state=state)


async def _ask_for_key(request: Request, *, alert: str = "", about: str = "") -> Response:
    found = await key_proofs.call(request, "GetChallenge", {})
    options = key_proofs.options(str(found["Challenge"]), str(found["RelyingPartyId"]), ())
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
        action=f"{PATH}/open",
        title=gettext("My approvals"),
    )


def _request_id(value: str) -> str:
    return value if re.fullmatch(r"[0-9a-f]{32}", value) else ""


def _with_options(found: Mapping[str, Any], key_id: str, party: str) -> dict[str, Any]:
    options = {each["Decision"]: key_proofs.options(each["Challenge"], party, (key_id,)) for each in found["Challenges"]}
    action = str(found["Action"])
    return {
        **found,
        "Options": options,
        "Title": gettext(_TITLES[action]) if action in _TITLES else action,
        "Approved": sum(each["Decision"] == "approve" for each in found["Votes"]),
    }


ROUTES = [
    Route(PATH, prove, methods=["GET"]),
    Route(f"{PATH}/open", waiting, methods=["POST"]),
    Route(f"{PATH}/decide", decide, methods=["POST"]),
]
