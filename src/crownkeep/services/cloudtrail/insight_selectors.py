"""Insights events, which CloudTrail makes of unusual activity: none are made here, so that nobody may switch them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.cloudtrail import naming
from crownkeep.services.cloudtrail.service import cloudtrail


@cloudtrail.operation("PutInsightSelectors", resource=naming.trail_of_selectors, effect=Effect.STATE)
def put_insight_selectors(
    call: Call,
    *,
    insight_selectors: Sequence[Mapping[str, Any]],
    trail_name: str | None = None,
    event_data_store: str | None = None,
    insights_destination: str | None = None,
) -> Result:
    """Refuse insights by name; an empty list, which switches them off, is what every trail has."""
    row = naming.changeable(call, _trail(trail_name, event_data_store, insights_destination))
    if insight_selectors:
        raise errors.UnsupportedOperation("Insights events are not made here: rates of calls and errors are not computed.")
    return {"TrailARN": row.arn, "InsightSelectors": []}


@cloudtrail.operation("GetInsightSelectors", resource=naming.trail_of_selectors)
def get_insight_selectors(call: Call, *, trail_name: str | None = None, event_data_store: str | None = None) -> Result:
    """Say that a trail has no insights, as CloudTrail says it."""
    row = naming.required(call, _trail(trail_name, event_data_store))
    raise errors.InsightNotEnabled(
        f"Trail {row.arn} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation "
        "again."
    )


def _trail(trail_name: str | None, *stores: str | None) -> str:
    if any(store is not None for store in stores):
        raise errors.UnsupportedOperation("Event data stores are not served here: name a trail.")
    if trail_name is None:
        raise errors.InvalidParameterCombination("You must specify either a TrailName or an EventDataStore.")
    return trail_name
