"""Root's use: when it was used before this session, and its access keys, which only root can take away."""

from __future__ import annotations

import json
from datetime import timedelta

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
LOOKUP = Equivalent("cloudtrail", "LookupEvents", {"LookupAttributes": _ATTRIBUTES, "MaxResults": 5})


def is_root(request: Request) -> bool:
    """Tell whether it is root who acts."""
    return web.signed_in(request).principal.kind is PrincipalKind.ROOT


async def last_use(request: Request) -> Deed | Refused | None:
    """Answer the record of root's last act before this session, None where there was none in 90 days."""
    session = web.signed_in(request)
    before: dict[str, object] = {}
    if session.person.kind is PrincipalKind.ROOT:
        before["EndTime"] = session.created_at - timedelta(seconds=1)
    found = await calls.ask(request, LOOKUP.service, LOOKUP.operation, {**LOOKUP.parameters, **before})
    if isinstance(found, Refused):
        return found
    # A user may be called root, too; the record knows which of them it was.
    acts = (deeds.of(json.loads(each["CloudTrailEvent"])) for each in found["Events"])
    return next((act for act in acts if act.is_root), None)


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
        current="/console",
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
