"""The page behind an approver's invitation: the team, a key of one's own, and an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import custodians, web
from crownkeep.errors import AwsError
from crownkeep.operations.call import Answer
from crownkeep.operations.call import Request as Asked
from crownkeep.principals import Anonymous
from crownkeep.signin import acting
from crownkeep.translation import gettext

INVITATION = "/signin/approvals/invitation"
_ENROL, _ACCEPT, _REFUSE = f"{INVITATION}/key", f"{INVITATION}/accept", f"{INVITATION}/refuse"
_SERVICE = "approvals"


async def invitation(request: Request) -> Response:
    """Show the team, and ask for a key or an answer; looking does not use the link up."""
    return await _page(request, request.query_params.get("token", ""))


async def key_enrolled(request: Request) -> Response:
    """Enrol a first key, and go on to the answer."""
    form = web.form(request)
    sent = {"Ceremony": form.one("ceremony"), "Credential": form.one("credential")}
    before = await _answer(request, "GetInvitation", {"InvitationToken": form.one("token")})
    refused = await _ask(request, "EnrolKey", form.one("token"), sent)
    if refused is None and before.error is None and before.result["IsForKey"]:
        return _message_page(
            request, gettext("The key is yours"), gettext("You decide with it on requests that are made from now on.")
        )
    return await _page(request, form.one("token"), alert=refused.message if refused else "")


async def accepted(request: Request) -> Response:
    """Accept by one's key."""
    form = web.form(request)
    sent = {"Ceremony": form.one("ceremony"), "Assertion": form.one("credential")}
    refused = await _ask(request, "AcceptInvitation", form.one("token"), sent)
    if refused is not None:
        return await _page(request, form.one("token"), alert=refused.message)
    return _message_page(
        request, gettext("You are an approver"), gettext("You will be asked by mail when the team has something to decide.")
    )


async def refused(request: Request) -> Response:
    """Refuse."""
    form = web.form(request)
    error = await _ask(request, "RefuseInvitation", form.one("token"), {})
    if error is not None:
        return await _page(request, form.one("token"), alert=error.message)
    return _message_page(
        request, gettext("You have refused"), gettext("Nobody else is asked to join this team any more. You can close this page.")
    )


async def _page(request: Request, token: str, *, alert: str = "") -> Response:
    answer = await _answer(request, "GetInvitation", {"InvitationToken": token})
    if answer.error is not None:
        text = gettext("It was answered before, has expired, or was never one. Ask whoever invited you for another.")
        return web.page(request, "refused.html", status=403, title=gettext("This link is not valid"), text=text, home=web.SIGN_IN)
    found = answer.result
    paths = {"enrol": _ENROL, "accept": _ACCEPT, "refuse": _REFUSE}
    options = json.loads(str(found["Options"]))
    party = str(options["rpId"] if found["HasKey"] else options["rp"]["id"])
    path = f"{INVITATION}?{urlencode({'token': token})}"
    return web.page(
        request,
        "invitation.html",
        status=400 if alert else 200,
        token=token,
        found=found,
        alert=alert,
        elsewhere=custodians.address_for_keys(request, party, path),
        **paths,
    )


async def _ask(request: Request, operation: str, token: str, parameters: Mapping[str, object]) -> AwsError | None:
    answer = await _answer(request, operation, {"InvitationToken": token, **parameters})
    return answer.error


async def _answer(request: Request, operation: str, parameters: Mapping[str, object]) -> Answer:
    """Call an operation as nobody: the link says who is there."""
    here = web.of(request)
    asked = Asked(acting.find(_SERVICE, operation), parameters, Anonymous(), here.origin, here.now)
    return await here.door.invoke(asked)


def _message_page(request: Request, title: str, text: str) -> Response:
    return web.page(request, "message.html", title=title, text=text, to=web.SIGN_IN, label=gettext("Close"))


ROUTES = [
    Route(INVITATION, invitation, methods=["GET"]),
    Route(_ENROL, key_enrolled, methods=["POST"]),
    Route(_ACCEPT, accepted, methods=["POST"]),
    Route(_REFUSE, refused, methods=["POST"]),
]
