"""Root's use: when it was used before this session, and its access keys, which only root can take away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, frame, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import deeds
from crownkeep.console.pages.deeds import Deed
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind

KEYS = "/console/root-keys"

LIST_KEYS = Equivalent("iam", "ListAccessKeys")
_ATTRIBUTES = [{"AttributeKey": "Username", "AttributeValue": "root"}]
LOOKUP = Equivalent("cloudtrail", "LookupEvents", {"LookupAttributes": _ATTRIBUTES, "MaxResults": 10})

_PAGES = 5
"""Lookups at most: 50 events, among which root's last act is nearly always the first."""


def is_root(request: Request) -> bool:
    """Tell whether it is root who acts."""
    return web.signed_in(request).principal.kind is PrincipalKind.ROOT


@dataclass(frozen=True, slots=True)
class LastUse:
    """When root was used last, as far as a bounded number of lookups reaches."""

    own: Deed | None
    """What was done last with root's own password or keys, before this session."""
    central: Deed | None
    """What was done after that in a session that an organization took root on for."""
    back_to: datetime | None = None
    """Where the lookups ended before they found root itself; None where they went back as far as there is anything to see."""


async def last_use(request: Request) -> LastUse | Refused:
    """Find root's last act before this session. Sessions of AssumeRoot and users who are called root don't count, nor hide it."""
    session = web.signed_in(request)
    asked = dict(LOOKUP.parameters)
    if session.person.kind is PrincipalKind.ROOT:
        asked["EndTime"] = session.created_at - timedelta(seconds=1)
    central: Deed | None = None
    act: Deed | None = None
    for _ in range(_PAGES):
        found = await calls.ask(request, LOOKUP.service, LOOKUP.operation, asked)
        if isinstance(found, Refused):
            return found
        for each in found["Events"]:
            act = deeds.of(json.loads(each["CloudTrailEvent"]))
            if act.is_roots_own:
                return LastUse(act, central)
            if act.is_central:
                central = central or act
        if "NextToken" not in found:
            return LastUse(None, central)
        asked["NextToken"] = found["NextToken"]
    return LastUse(None, central, act.at if act is not None else None)


async def keys(request: Request) -> Response:
    """List root's access keys."""
    return await _keys_page(request)


async def delete(request: Request) -> Response:
    """Delete one of root's access keys, or turn it off first."""
    form = web.form(request)
    key = {"AccessKeyId": form.one("key")}
    wanted = (
        Equivalent("iam", "UpdateAccessKey", {**key, "Status": "Inactive"})
        if "deactivate" in form
        else Equivalent("iam", "DeleteAccessKey", key)
    )
    if not is_root(request):
        # Without a user's name the operation means the caller's own keys, and those of a user are no business of this page.
        return await _keys_page(request)
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await _keys_page(request, refusal=calls.refused(request, wanted, error))
    return calls.go(request, KEYS, done)


async def _keys_page(request: Request, *, refusal: Refused | None = None) -> Response:
    found = await calls.ask(request, LIST_KEYS.service, LIST_KEYS.operation) if is_root(request) else None
    return frame.page(
        request,
        "root_keys.html",
        current="/console/security",
        same=[LIST_KEYS, Equivalent("iam", "DeleteAccessKey", {"AccessKeyId": "AKIA..."})],
        refusal=refusal,
        is_root=is_root(request),
        missing=found if isinstance(found, Refused) else None,
        keys=[] if found is None or isinstance(found, Refused) else found["AccessKeyMetadata"],
    )


ROUTES = [
    Route(KEYS, keys, methods=["GET"]),
    Route(KEYS, delete, methods=["POST"]),
]
