"""Event selectors, basic and advanced: which management events a trail delivers. There are no data events here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.audit import trail_scope
from crownkeep.audit.trail_scope import TrailScope
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.cloudtrail import naming, trails
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.storage.trail import trails as trail_rows
from crownkeep.storage.trail.trails import TrailRow

MOST_SELECTORS = 5
MOST_VALUES = 500
_EXCLUDABLE = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_MANAGEMENT = "Management"
_FIELDS = frozenset({"eventCategory", "readOnly", "eventSource"})
_OPERATORS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
_ONLY_MANAGEMENT = "Data events and network activity events are not recorded here: select management events alone."
DEFAULT: dict[str, Any] = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
"""The selector of a trail that was given none."""


@cloudtrail.operation("PutEventSelectors", resource=naming.trail_of_selectors, effect=Effect.STATE)
def put_event_selectors(
    call: Call,
    *,
    trail_name: str,
    event_selectors: Sequence[Mapping[str, Any]] = (),
    advanced_event_selectors: Sequence[Mapping[str, Any]] = (),
) -> Result:
    """Let a trail deliver what one of these selectors takes, and nothing else; the ones it had are no more."""
    row = naming.changeable(call, trail_name)
    # A trail has selectors of one kind (API_PutEventSelectors): those of the other kind go.
    if bool(event_selectors) == bool(advanced_event_selectors):
        raise errors.InvalidEventSelectors("Specify either event selectors or advanced event selectors, and not both.")
    if len(event_selectors) > MOST_SELECTORS:
        raise errors.InvalidEventSelectors(f"A trail can have up to {MOST_SELECTORS} event selectors.")
    basic = tuple(_checked(each) for each in event_selectors)
    advanced = tuple(_checked_advanced(each) for each in advanced_event_selectors)
    if sum(_values(each) for each in advanced) > MOST_VALUES:
        raise errors.InvalidEventSelectors(f"The advanced event selectors of a trail can have up to {MOST_VALUES} values.")
    before = _scope(call, row)
    scope = TrailScope(before.home_region, before.is_multi_region, before.has_global_events, basic, advanced)
    # A new version beside the old one: what was recorded until now is delivered by the selectors of its time.
    trails.renew_scope(call, row, scope)
    trail_rows.change(call.db, row.trail_id, has_selectors=bool(advanced) or basic != (DEFAULT,))
    return _described(row, scope)


@cloudtrail.operation("GetEventSelectors", resource=naming.trail_of_selectors)
def get_event_selectors(call: Call, *, trail_name: str) -> Result:
    """Return a trail's selectors: those it was given, or the one that takes every management event."""
    row = naming.required(call, trail_name)
    return _described(row, _scope(call, row))


def _scope(call: Call, row: TrailRow) -> TrailScope:
    return trail_scope.read_scope(trail_rows.scopes_of(call.db, row.trail_id)[row.scope_version])


def _described(row: TrailRow, scope: TrailScope) -> dict[str, object]:
    if scope.advanced:
        return {"TrailARN": row.arn, "AdvancedEventSelectors": list(scope.advanced)}
    return {"TrailARN": row.arn, "EventSelectors": list(scope.selectors) or [DEFAULT]}


def _checked(selector: Mapping[str, Any]) -> dict[str, Any]:
    """Return a basic selector with what it leaves out; raises InvalidEventSelectorsException."""
    resources = selector.get("DataResources") or []
    for value in [value for each in resources for value in each.get("Values") or [each.get("Type", "")]]:
        raise errors.InvalidEventSelectors(f"Value {value} for DataResources.Values is invalid. {_ONLY_MANAGEMENT}")
    sources = selector.get("ExcludeManagementEventSources") or []
    for source in sources:
        if source not in _EXCLUDABLE:
            raise errors.InvalidEventSelectors(f"Value {source} for ExcludeManagementEventSources is invalid.")
    if not selector.get("IncludeManagementEvents", True):
        raise errors.InvalidEventSelectors(f"An event selector must include management events. {_ONLY_MANAGEMENT}")
    chosen = {"ReadWriteType": selector.get("ReadWriteType", "All"), "ExcludeManagementEventSources": list(sources)}
    return DEFAULT | chosen


def _checked_advanced(selector: Mapping[str, Any]) -> dict[str, Any]:
    """Return an advanced selector; raises InvalidEventSelectorsException for what a trail's management events don't have."""
    fields = [dict(each) for each in selector["FieldSelectors"]]
    names = [each["Field"] for each in fields]
    for name in names:
        if name not in _FIELDS:
            raise errors.InvalidEventSelectors(f"Field {name} is not valid for the event category {_MANAGEMENT}.")
    if len(set(names)) != len(names):
        raise errors.InvalidEventSelectors("A field can be in an advanced event selector once.")
    for each in fields:
        _check_field(each)
    if "eventCategory" not in names:
        raise errors.InvalidEventSelectors("An advanced event selector must have the field eventCategory.")
    return ({"Name": selector["Name"]} if selector.get("Name") else {}) | {"FieldSelectors": fields}


def _check_field(field: Mapping[str, Any]) -> None:
    given = {name: field[name] for name in _OPERATORS if field.get(name)}
    name = field["Field"]
    match name:
        case "eventCategory" if given != {"Equals": [_MANAGEMENT]}:
            raise errors.InvalidEventSelectors(f"The field eventCategory must equal {_MANAGEMENT}. {_ONLY_MANAGEMENT}")
        case "readOnly" if given not in ({"Equals": ["true"]}, {"Equals": ["false"]}):
            raise errors.InvalidEventSelectors("The field readOnly must equal true or false.")
        case "eventSource" if given.keys() != {"NotEquals"} or not set(given["NotEquals"]) <= _EXCLUDABLE:
            allowed = " and ".join(sorted(_EXCLUDABLE))
            raise errors.InvalidEventSelectors(f"The field eventSource of management events takes NotEquals, with {allowed}.")
        case _:
            return


def _values(selector: Mapping[str, Any]) -> int:
    return sum(len(each.get(name) or ()) for each in selector["FieldSelectors"] for name in _OPERATORS)
