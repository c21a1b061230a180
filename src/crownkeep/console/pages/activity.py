"""Activity: on which of the last days root was used and sign-ins failed, by a bounded number of lookups."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from starlette.requests import Request

from crownkeep.console import calls, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent

DAYS = 90
"""How far back lookups go."""

_PAGES = 6
"""Lookups of one kind at most: 300 events. An account with more is shown as far back as they reach."""

_ROWS = 50
_ROOT = [{"AttributeKey": "Username", "AttributeValue": "root"}]
_SIGN_INS = [{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}]
ROOT = Equivalent("cloudtrail", "LookupEvents", {"LookupAttributes": _ROOT, "MaxResults": _ROWS})
SIGN_INS = Equivalent("cloudtrail", "LookupEvents", {"LookupAttributes": _SIGN_INS, "MaxResults": _ROWS})


@dataclass(frozen=True, slots=True)
class Activity:
    """What happened on which days, counted back from today (0)."""

    days: Mapping[int, int]
    """How often, by day; of days that a lookup left after the first event of its kind it is at least that often."""
    seen: int
    """Days that were looked at, today included."""

    @property
    def total(self) -> int:
        """How often in all."""
        return sum(self.days.values())


_COLUMN = 8
_HEIGHT = 28


def drawn(activity: Activity) -> Mapping[str, str]:
    """Draw a bar for each day, today's at the right: SVG path data by what it says, `some`, `none` or `unseen`."""
    bars: dict[str, list[str]] = {"some": [], "none": [], "unseen": []}
    for ago in range(DAYS - 1, -1, -1):
        count = activity.days.get(ago, 0)
        height = min(_COLUMN + 4 * count, _HEIGHT) if count else 6
        kind = "some" if count else "none" if ago <= activity.seen else "unseen"
        bars[kind].append(f"M{(DAYS - 1 - ago) * _COLUMN + 1} {_HEIGHT}v-{height}h6v{height}z")
    return {kind: "".join(paths) for kind, paths in bars.items() if paths}


async def of_root(request: Request) -> Activity | Refused:
    """Find the days on which root was used. The rest of a day is passed over, so that a busy one costs one lookup."""
    now = web.of(request).now
    days: Counter[int] = Counter()
    end = now
    for _ in range(_PAGES):
        found = await calls.ask(request, ROOT.service, ROOT.operation, {**ROOT.parameters, "EndTime": end})
        if isinstance(found, Refused):
            return found
        events: Sequence[Mapping[str, Any]] = found["Events"]
        # A user may be called root, too; the record knows which of them it was.
        days.update(_ago(now, each["EventTime"]) for each in events if _record(each)["userIdentity"].get("type") == "Root")
        if len(events) < _ROWS:
            return Activity(days, DAYS)
        oldest: datetime = events[-1]["EventTime"]
        end = datetime.combine(oldest.date(), time(), oldest.tzinfo) - timedelta(seconds=1)
    return Activity(days, min(_ago(now, end), DAYS))


async def of_failed_sign_ins(request: Request) -> Activity | Refused:
    """Find the days on which sign-ins to the console failed."""
    now = web.of(request).now
    days: Counter[int] = Counter()
    token: Mapping[str, object] = {}
    oldest = now
    for _ in range(_PAGES):
        found = await calls.ask(request, SIGN_INS.service, SIGN_INS.operation, {**SIGN_INS.parameters, **token})
        if isinstance(found, Refused):
            return found
        for each in found["Events"]:
            oldest = each["EventTime"]
            if (_record(each).get("responseElements") or {}).get("ConsoleLogin") == "Failure":
                days[_ago(now, oldest)] += 1
        if "NextToken" not in found:
            return Activity(days, DAYS)
        token = {"NextToken": found["NextToken"]}
    return Activity(days, min(_ago(now, oldest), DAYS))


def _record(event: Mapping[str, Any]) -> Mapping[str, Any]:
    record: Mapping[str, Any] = json.loads(event["CloudTrailEvent"])
    return record


def _ago(now: datetime, at: datetime) -> int:
    return (now.date() - at.date()).days
