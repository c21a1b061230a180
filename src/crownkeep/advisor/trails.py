"""Trails as evidence has them, and the alarms behind their log groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crownkeep.advisor import calls
from crownkeep.advisor.check import Verdict, failed, passed
from crownkeep.advisor.view import View


@dataclass(frozen=True, slots=True)
class Trail:
    """One trail."""

    name: str
    arn: str
    region: str
    bucket: str
    is_multi_region: bool
    is_validated: bool
    is_encrypted: bool
    is_of_organization: bool
    log_group: str


def of(view: View) -> list[Trail]:
    """Return the trails that DescribeTrails answered."""
    return [_trail(each) for each in view.get(calls.TRAILS)["trailList"]]


def is_logging(view: View, trail: Trail) -> bool:
    """Tell whether a trail is switched on, as GetTrailStatus says in its home Region."""
    return bool(view.get(calls.trail_status(trail.arn, trail.region)).get("IsLogging"))


def status(view: View, trail: Trail) -> Mapping[str, Any]:
    """Return how a trail's deliveries go."""
    return view.get(calls.trail_status(trail.arn, trail.region))


def records_management(view: View, trail: Trail) -> bool:
    """Tell whether a trail records reads and writes of the management plane."""
    selectors = view.get(calls.event_selectors(trail.arn, trail.region))
    plain = [each for each in selectors.get("EventSelectors", []) if each.get("IncludeManagementEvents")]
    if any(each.get("ReadWriteType", "All") == "All" for each in plain):
        return True
    return any(_is_for_management(each) for each in selectors.get("AdvancedEventSelectors", []))


def _is_for_management(selector: Mapping[str, Any]) -> bool:
    fields = {each["Field"]: each for each in selector.get("FieldSelectors", [])}
    return "Management" in fields.get("eventCategory", {}).get("Equals", []) and "readOnly" not in fields


def _trail(answer: Mapping[str, Any]) -> Trail:
    log_group = answer.get("CloudWatchLogsLogGroupArn", "")
    return Trail(
        answer.get("Name", ""),
        answer.get("TrailARN", ""),
        answer.get("HomeRegion", ""),
        answer.get("S3BucketName", ""),
        bool(answer.get("IsMultiRegionTrail")),
        bool(answer.get("LogFileValidationEnabled")),
        bool(answer.get("KmsKeyId")),
        bool(answer.get("IsOrganizationTrail")),
        log_group.split(":log-group:")[-1].removesuffix(":*") if log_group else "",
    )


def alarm_on(view: View, what: str, *needed: str) -> Iterator[Verdict]:
    """Judge whether an alarm that tells somebody watches for events whose filter names all of these texts."""
    groups = {trail.log_group for trail in of(view) if trail.log_group and is_logging(view, trail)}
    metrics = {
        (each["metricNamespace"], each["metricName"])
        for found in view.get(calls.METRIC_FILTERS).get("metricFilters", [])
        if found.get("logGroupName") in groups and _names_all(found.get("filterPattern", ""), needed)
        for each in found.get("metricTransformations", [])
    }
    for alarm in view.get(calls.ALARMS).get("MetricAlarms", []):
        if (alarm.get("Namespace"), alarm.get("MetricName")) in metrics and alarm.get("AlarmActions"):
            yield passed(f"The alarm {alarm['AlarmName']} tells of {what}.", alarm.get("AlarmArn", ""))
            return
    yield failed(f"No alarm tells of {what}." if metrics else f"No filter of a trail's log group looks for {what}.")


def _names_all(pattern: str, needed: tuple[str, ...]) -> bool:
    written = "".join(pattern.split()).lower()
    return all("".join(each.split()).lower() in written for each in needed)


ALARM_CONSOLE = "CloudWatch, Log groups, the trail's group, Create metric filter; then Create alarm with a notification"
ALARM_TERRAFORM = 'resource "aws_cloudwatch_log_metric_filter", resource "aws_cloudwatch_metric_alarm"'
