"""GetTrail, DescribeTrails, ListTrails and GetTrailStatus: what trails are there, and how their deliveries go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.cloudtrail import naming
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.storage.trail.trails import TrailRow


@cloudtrail.operation("GetTrail", resource=naming.trail)
def get_trail(call: Call, *, name: str) -> Result:
    """Return a trail's settings."""
    return {"Trail": describe(naming.required(call, name))}


@cloudtrail.operation("DescribeTrails", resource=registry.everything)
def describe_trails(call: Call, *, trail_name_list: Sequence[str] = (), include_shadow_trails: bool = True) -> Result:
    """Return the settings of these trails, or of all that are seen in the Region; unknown ones are left out."""
    if not trail_name_list:
        rows = [row for row in naming.visible(call) if naming.is_in_region(call, row)]
        return {"trailList": [describe(row) for row in rows if include_shadow_trails or _is_at_home(call, row)]}
    found: dict[str, TrailRow] = {}
    for each in trail_name_list:
        row = naming.find(call, naming.named(call, each))
        if row is not None and naming.is_in_region(call, row) and (include_shadow_trails or _is_at_home(call, row)):
            found[row.trail_id] = row
    return {"trailList": [describe(row) for row in found.values()]}


@cloudtrail.operation("ListTrails", resource=registry.everything)
def list_trails(call: Call, *, next_token: str | None = None) -> Result:
    """List the trails of every Region; there are so few that one page holds them all."""
    if next_token is not None:
        raise errors.InvalidListToken("The token is not valid: no list of trails has a second page.")
    shown = [{"TrailARN": row.arn, "Name": row.name, "HomeRegion": row.home_region} for row in naming.visible(call)]
    return {"Trails": shown}


@cloudtrail.operation("GetTrailStatus", resource=naming.trail)
def get_trail_status(call: Call, *, name: str) -> Result:
    """Tell whether a trail logs, when it last delivered, and what its bucket refused."""
    row = naming.required(call, name)
    status: dict[str, object] = {
        "IsLogging": row.is_logging,
        "LatestDeliveryError": row.delivery_error or None,
        "LatestDeliveryTime": row.delivered_at,
        "StartLoggingTime": row.started_at,
        "StopLoggingTime": row.stopped_at,
        "LatestDigestDeliveryTime": row.digest_delivered_at,
        "LatestDigestDeliveryError": row.digest_error or None,
    }
    # CloudTrail still answers these, as texts.
    status |= {
        "LatestDeliveryAttemptTime": _text(row.attempted_at),
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "LatestDeliveryAttemptSucceeded": "" if row.delivery_error else _text(row.delivered_at),
        "TimeLoggingStarted": _text(row.started_at),
        "TimeLoggingStopped": _text(row.stopped_at),
    }
    return {key: value for key, value in status.items() if value is not None}


def settings(row: TrailRow) -> dict[str, object]:
    """Return what CreateTrail and UpdateTrail answer of a trail."""
    described: dict[str, object] = {
        "Name": row.name,
        "S3BucketName": row.bucket_name,
        "IncludeGlobalServiceEvents": row.has_global_events,
        "IsMultiRegionTrail": row.is_multi_region,
        "TrailARN": row.arn,
        "LogFileValidationEnabled": row.has_digests,
        "IsOrganizationTrail": row.organization_id is not None,
    }
    if row.key_prefix:
        described["S3KeyPrefix"] = row.key_prefix
    if row.records_itself is not None:
        described["RecursiveLogging"] = row.records_itself
    return described


def describe(row: TrailRow) -> dict[str, object]:
    """Return a `Trail`."""
    further = {"HomeRegion": row.home_region, "HasCustomEventSelectors": row.has_selectors, "HasInsightSelectors": False}
    return settings(row) | further


def _is_at_home(call: Call, row: TrailRow) -> bool:
    return (row.account_id, row.home_region) == (call.account_id, call.origin.region)


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
