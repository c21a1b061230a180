"""Lookups of the trail's pages: what an address asks for, looked up within bounds, and calls of one page seen as one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from crownkeep.console.kit import acts, parts, site_map
from crownkeep.console.kit.acts import Act
from crownkeep.console.kit.parts import Part
from crownkeep.translation import gettext_noop

ATTRIBUTES = {
    "Username": gettext_noop("User name"),
    "EventName": gettext_noop("Event name"),
    "EventSource": gettext_noop("Event source"),
    "EventId": gettext_noop("Event ID"),
    "ReadOnly": gettext_noop("Read-only (true or false)"),
    "ResourceName": gettext_noop("Resource name"),
    "ResourceType": gettext_noop("Resource type"),
    "AccessKeyId": gettext_noop("Access key"),
}
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_WHOLE_DAY = timedelta(days=1, seconds=-1)
_CHANGES = {"AttributeKey": "ReadOnly", "AttributeValue": "false"}
_MOST_LOOKUPS = 8
"""Lookups of one page that looks for failures, or of one file: LookupEvents can't look for an outcome itself."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the trail's page is asked for."""

    by: str
    value: str
    first: datetime | None
    last: datetime | None
    has_reads: bool
    has_failures_alone: bool
    marker: str

    @property
    def query(self) -> dict[str, str]:
        """The filter as an address has it, without the page."""
        return {
            "by": self.by,
            "value": self.value,
            "first": _written(self.first),
            "last": _written(self.last),
            "reads": "1" if self.has_reads else "",
            "failed": "1" if self.has_failures_alone else "",
        }

    @property
    def attributes(self) -> list[dict[str, str]] | None:
        """What LookupEvents is asked for; it takes one attribute, so that a value leaves reads to be left out here."""
        if self.value:
            return [{"AttributeKey": self.by, "AttributeValue": self.value}]
        return None if self.has_reads else [_CHANGES]


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the trail's page: an event, or the reads that drew one page of the console, the newest first."""

    act: Act
    others: tuple[Act, ...] = ()

    @property
    def page(self) -> str:
        """What the page of the console is called that these reads drew; empty for what nobody needed for a page."""
        return site_map.label(self.act.page)

    @property
    def count(self) -> int:
        """How many events it stands for."""
        return 1 + len(self.others)


def asked(request: Request) -> EventFilter:
    """Return what an address asks for: changes alone, unless it says otherwise or names a value."""
    return read(request.query_params)


def read(query: Mapping[str, str]) -> EventFilter:
    """Return what the words of an address, or of a form, ask for."""
    by = query.get("by", "")
    return EventFilter(
        by if by in ATTRIBUTES else next(iter(ATTRIBUTES)),
        query.get("value", "").strip(),
        _moment(query.get("first", ""), later=timedelta()),
        _moment(query.get("last", ""), later=_WHOLE_DAY),
        query.get("reads", "") == "1",
        query.get("failed", "") == "1",
        query.get("marker", ""),
    )


async def look_up(request: Request, wanted: EventFilter, *, lookups: int = 1) -> tuple[Part, list[Act]]:
    """Return the last answer and the events of up to so many lookups; the first page's worth where only failures are meant."""
    most = _MOST_LOOKUPS if wanted.has_failures_alone else min(lookups, _MOST_LOOKUPS)
    marker, found = wanted.marker, list[Act]()
    for number in range(1, most + 1):
        listed = await parts.ask(
            request,
            "LookupEvents",
            service="cloudtrail",
            LookupAttributes=wanted.attributes,
            StartTime=wanted.first,
            EndTime=wanted.last,
            MaxResults=parts.ROWS,
            NextToken=marker,
        )
        read = [acts.of(json.loads(each["CloudTrailEvent"])) for each in listed.rows("Events")]
        found += [each for each in read if each.has_failed or not wanted.has_failures_alone]
        marker = listed.marker
        if not marker or number == most or (wanted.has_failures_alone and len(found) >= parts.ROWS):
            break
    return listed, found


def gathered(found: Sequence[Act]) -> list[EventLine]:
    """Put reads together with which the console drew one page; everything else is a line of its own."""
    rows: dict[str, list[Act]] = {}
    for act in found:
        # All calls for one page have the id of the browser's request, whatever else came between them.
        drew = act.is_read and act.from_console and not act.has_failed and act.request_id
        rows.setdefault(f"page {act.request_id}" if drew else act.event_id, []).append(act)
    return [EventLine(first, tuple(others)) for first, *others in rows.values()]


def _moment(text: str, *, later: timedelta) -> datetime | None:
    """Read a moment, or a day in UTC and how much later is meant, as browsers without scripts send it; anything else is none."""
    for form, added in ((_MOMENT, timedelta()), ("%Y-%m-%d", later)):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC) + added
        except ValueError:
            continue
    return None


def _written(moment: datetime | None) -> str:
    return f"{moment:{_MOMENT}}" if moment else ""
