"""The event configuration of a trail: how data events are aggregated. There are none here, so that there is nothing to choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.cloudtrail import naming
from crownkeep.services.cloudtrail.service import cloudtrail


@cloudtrail.operation("GetEventConfiguration", resource=naming.trail_of_selectors)
def get_event_configuration(call: Call, *, trail_name: str | None = None, event_data_store: str | None = None) -> Result:
    """Return a trail's configuration: no aggregations."""
    row = naming.required(call, _trail(trail_name, event_data_store))
    return {"TrailARN": row.arn, "AggregationConfigurations": []}


@cloudtrail.operation("PutEventConfiguration", resource=naming.trail_of_selectors, effect=Effect.STATE)
def put_event_configuration(
    call: Call,
    *,
    trail_name: str | None = None,
    event_data_store: str | None = None,
    max_event_size: str | None = None,
    context_key_selectors: Sequence[Mapping[str, Any]] | None = None,
    aggregation_configurations: Sequence[Mapping[str, Any]] | None = None,
) -> Result:
    """Take a trail's aggregations away, of which it has none; any other configuration is refused."""
    row = naming.changeable(call, _trail(trail_name, event_data_store))
    if max_event_size is not None or context_key_selectors:
        raise errors.InvalidParameterCombination("MaxEventSize and ContextKeySelectors are for event data stores alone.")
    if aggregation_configurations:
        raise errors.InvalidParameter("Data events are not recorded here, so that none can be aggregated.")
    return {"TrailARN": row.arn, "AggregationConfigurations": []}


def _trail(trail_name: str | None, store: str | None) -> str:
    if store is not None:
        raise errors.UnsupportedOperation("Event data stores are not served here: name a trail.")
    if trail_name is None:
        raise errors.InvalidParameterCombination("You must specify either a TrailName or an EventDataStore.")
    return trail_name
