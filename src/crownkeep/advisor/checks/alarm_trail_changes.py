"""Somebody is told when the trail is changed."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "alarm-trail-changes",
    title="An alarm tells of changes to trails",
    topic="alarms",
    severity=CheckSeverity.MEDIUM,
    why="The first thing that an intruder does is to stop the record.",
    fix=Fix(trails.ALARM_CONSOLE, "aws logs put-metric-filter ...; aws cloudwatch put-metric-alarm ...", trails.ALARM_TERRAFORM),
    maps={**cis(v1="4.5", v5="4.5", v7="5.5"), "security-hub": ("CloudWatch.5",)},
)
def alarm_trail_changes(view: View) -> Iterator[Verdict]:
    """Look for a filter, a metric and an alarm with an action."""
    return trails.alarm_on(view, "changes to trails", "StopLogging", "DeleteTrail")
