"""When root was used last, and by what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

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


@dataclass(frozen=True, slots=True)
class LastUse:
    """When root was used last, as far as a bounded number of lookups reaches."""

    own: Act | None
    """What was done last with root's own password or keys, before this session."""
    central: Act | None
    """What was done after that in a session that an organization took root on for."""
    back_to: datetime | None = None
    """Where the lookups ended before they found root itself; None where they went back as far as there is anything to see."""


async def last_use(request: Request) -> LastUse | Refused:
    """Find root's last act before this session. Sessions of AssumeRoot and users who are called root don't count, nor hide it."""
    session = web.signed_in(request)
    asked = dict(LOOKUP.parameters)
    if session.person.kind is PrincipalKind.ROOT:
        asked["EndTime"] = session.created_at - timedelta(seconds=1)
    central: Act | None = None
    act: Act | None = None
    for _ in range(_PAGES):
        found = await calls.ask(request, LOOKUP.service, LOOKUP.operation, asked)
        if isinstance(found, Refused):
            return found
        for each in found["Events"]:
            act = acts.of(json.loads(each["CloudTrailEvent"]))
            if act.is_roots_own:
                return LastUse(act, central)
            if act.is_central:
                central = central or act
        if "NextToken" not in found:
            return LastUse(None, central)
        asked["NextToken"] = found["NextToken"]
    return LastUse(None, central, act.at if act is not None else None)
