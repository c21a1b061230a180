"""LookupEvents: what happened in the account in the last 90 days, the newest first.

AWS answers two lookups a second for each account and Region, to spare its own capacity (API_LookupEvents). That is a property
of its fleet and no rule about who may do what, so it is not repeated here: an indexed lookup costs about as much as any read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from crownkeep import errors, ids
from crownkeep.domain import page_tokens
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.storage.trail import lookups
from crownkeep.storage.trail.events import EventRow

KEPT_FOR = timedelta(days=90)
"""How far back a lookup sees; the trail itself goes back to the account's beginning."""

_PAGE = 50
_AFTER_ALL = UUID(int=(1 << 128) - 1)


@cloudtrail.operation("LookupEvents", resource=registry.everything)
def lookup_events(
    call: Call,
    *,
    lookup_attributes: Sequence[Mapping[str, str]] = (),
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    event_category: str | None = None,
    max_results: int = _PAGE,
    next_token: str | None = None,
) -> Result:
    """Return events of the account, by one attribute at most and within a range of time."""
    attribute = _attribute(lookup_attributes)
    if start_time is not None and end_time is not None and start_time > end_time:
        raise errors.InvalidTimeRange("The start time must not be after the end time.")
    # All that the lookup asks for: a token goes on with this lookup, and with no other.
    filters = [*(attribute or ("", "")), _written(start_time), _written(end_time), event_category or ""]
    before = _before(call, end_time) if next_token is None else _from_token(call, next_token, filters)
    if event_category is not None or (attribute is not None and not _can_match(*attribute)):
        # The one category that can be named is Insights events, which CloudTrail makes from unusual activity; none are made here.
        return {"Events": []}
    found = lookups.newest(
        call.db,
        call.account_id,
        first=_first(call, start_time),
        before=before,
        limit=max_results + 1,
        attribute=attribute,
    )
    result: dict[str, object] = {"Events": [_describe(row) for row in found[:max_results]]}
    if len(found) > max_results:
        last = str(found[max_results - 1].event_id)
        result["NextToken"] = page_tokens.write(call, last, list_name="LookupEvents", filters=filters)
    return result


def _attribute(attributes: Sequence[Mapping[str, str]]) -> tuple[str, str] | None:
    if not attributes:
        return None
    if len(attributes) > 1:
        raise errors.InvalidLookupAttributes("The list of lookup attributes can contain only one item.")
    return attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]


def _can_match(key: str, value: str) -> bool:
    """Tell whether any event can have this value: what is no UUID is no event's id."""
    return key != "EventId" or _uuid(value) is not None


def _first(call: Call, start_time: datetime | None) -> UUID:
    oldest = call.now - KEPT_FOR
    return ids.first_event_id(oldest if start_time is None or start_time < oldest else _second(start_time))


def _before(call: Call, end_time: datetime | None) -> UUID:
    # The end belongs to the range, and CloudTrail's times are whole seconds. No event lies in the future.
    if end_time is None or end_time > call.now:
        return _AFTER_ALL
    return ids.first_event_id(_second(end_time) + timedelta(seconds=1))


def _from_token(call: Call, token: str, filters: Sequence[str]) -> UUID:
    try:
        return UUID(page_tokens.read(call, token, list_name="LookupEvents", filters=filters))
    except errors.ValidationError as error:
        raise errors.InvalidNextToken("The token is not valid, or was made for a lookup with other parameters.") from error


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _written(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _describe(row: EventRow) -> dict[str, object]:
    described: dict[str, object] = {
        "EventId": str(row.event_id),
        "EventName": row.name,
        "ReadOnly": row.read_only,
        "EventTime": _second(row.happened_at),
        "EventSource": row.source,
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in row.resources],
        "CloudTrailEvent": row.record.decode(),
    }
    if row.username:
        described["Username"] = row.username
    if row.access_key_id:
        described["AccessKeyId"] = row.access_key_id
    return described
