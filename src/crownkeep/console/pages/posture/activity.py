"""Activity: on which of the last days root was used and sign-ins failed, by a bounded number of lookups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import msgspec
from starlette.requests import Request

from crownkeep.console.kit import calls, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent

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


@dataclass(frozen=True, slots=True)
class RootActivity:
    """On which days root was used, its own credentials and sessions of AssumeRoot told apart."""

    own: Activity
    central: Activity
    """Not looked for in the rest of a day once root's own use is known of it."""


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


async def of_root(request: Request) -> RootActivity | Refused:
    """Find the days on which root was used. The rest of a day is passed over, so that a busy one costs one lookup."""
    now = web.of(request).now
    own: Counter[int] = Counter()
    central: Counter[int] = Counter()
    asked: dict[str, object] = {**ROOT.parameters, "EndTime": now}
    oldest = now
    for _ in range(_PAGES):
        found = await calls.ask(request, ROOT.service, ROOT.operation, asked)
        if isinstance(found, Refused):
            return found
        for each in found["Events"]:
            oldest = each["EventTime"]
            record = _read(each)
            # A user may be called root, too; the record knows which of them it was.
            if record.is_root:
                (central if record.is_central else own)[_ago(now, oldest)] += 1
        if "NextToken" not in found:
            return RootActivity(Activity(own, DAYS), Activity(central, DAYS))
        # Only what root itself did makes the rest of a day superfluous: nobody else's events may hide it.
        if own[_ago(now, oldest)]:
            oldest = datetime.combine(oldest.date(), time(), oldest.tzinfo) - timedelta(seconds=1)
            asked = {**ROOT.parameters, "EndTime": oldest}
        else:
            asked = {**asked, "NextToken": found["NextToken"]}
    seen = min(_ago(now, oldest), DAYS)
    return RootActivity(Activity(own, seen), Activity(central, seen))


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
            if _read(each).is_failed_sign_in:
                days[_ago(now, oldest)] += 1
        if "NextToken" not in found:
            return Activity(days, DAYS)
        token = {"NextToken": found["NextToken"]}
    return Activity(days, min(_ago(now, oldest), DAYS))


class _SessionContext(msgspec.Struct, rename="camel"):
    assumed_root: str = ""


class _Identity(msgspec.Struct, rename="camel"):
    type: str = ""
    session_context: _SessionContext | None = None


class _Record(msgspec.Struct, rename="camel"):
    """What is needed of a record; to read the whole of hundreds takes longer than to look them up."""

    user_identity: _Identity | None = None
    response_elements: dict[str, object] | None = None

    @property
    def is_root(self) -> bool:
        return self.user_identity is not None and self.user_identity.type == "Root"

    @property
    def is_central(self) -> bool:
        context = self.user_identity.session_context if self.user_identity is not None else None
        return context is not None and context.assumed_root == "true"

    @property
    def is_failed_sign_in(self) -> bool:
        return self.response_elements is not None and self.response_elements.get("ConsoleLogin") == "Failure"


_decoder = msgspec.json.Decoder(_Record)


def _read(event: Mapping[str, Any]) -> _Record:
    return _decoder.decode(event["CloudTrailEvent"])


def _ago(now: datetime, at: datetime) -> int:
    return (now.date() - at.date()).days
