"""When root was used last, and by what."""

from __future__ import annotations

import json
from datetime import timedelta

from starlette.requests import Request

from crownkeep.advisor import root
from crownkeep.advisor.posture import LastUse, RootAct
from crownkeep.console.kit import acts, calls, web
from crownkeep.console.kit.acts import Act
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.destinations import SECURITY
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.principals import PrincipalKind

KEYS = f"{SECURITY}#keys"
"""Where root turns its access keys off and deletes them."""
_ATTRIBUTES = [{"AttributeKey": "Username", "AttributeValue": "root"}]
LOOKUP = Equivalent("cloudtrail", "LookupEvents", {"LookupAttributes": _ATTRIBUTES, "MaxResults": 10})
_PAGES = 5
"""Lookups at most: 50 events, among which root's last act is nearly always the first."""


def is_root(request: Request) -> bool:
    """Tell whether it is root who acts."""
    return web.signed_in(request).principal.kind is PrincipalKind.ROOT


async def last_use(request: Request) -> LastUse | Refused:
    """Find root's last act before this session. Sessions of AssumeRoot and users who are called root don't count, nor hide it."""
    session = web.signed_in(request)
    asked = dict(LOOKUP.parameters)
    if session.person.kind is PrincipalKind.ROOT:
        asked["EndTime"] = session.created_at - timedelta(seconds=1)
    central: RootAct | None = None
    act: Act | None = None
    for _ in range(_PAGES):
        found = await calls.ask(request, LOOKUP.service, LOOKUP.operation, asked)
        if isinstance(found, Refused):
            return found
        for each in found["Events"]:
            record = json.loads(each["CloudTrailEvent"])
            act = acts.of(record)
            if root.is_own_use(record):
                return LastUse(_roots(act), central)
            if root.is_central_use(record):
                central = central or _roots(act)
        if "NextToken" not in found:
            return LastUse(None, central)
        asked["NextToken"] = found["NextToken"]
    return LastUse(None, central, act.at if act is not None else None)


def _roots(act: Act) -> RootAct:
    return RootAct(act.at, act.name, act.address, act.credentials, act.has_long_term_key)
