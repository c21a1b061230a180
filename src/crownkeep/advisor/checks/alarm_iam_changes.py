"""Somebody is told when permissions change."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "alarm-iam-changes",
    title="An alarm tells of changed policies",
    topic="alarms",
    severity=CheckSeverity.MEDIUM,
    why="An intruder who has got in gives itself more.",
    fix=Fix(trails.ALARM_CONSOLE, "aws logs put-metric-filter ...; aws cloudwatch put-metric-alarm ...", trails.ALARM_TERRAFORM),
    maps={**cis(v1="4.4", v5="4.4", v7="5.4"), "security-hub": ("CloudWatch.4",)},
)
def alarm_iam_changes(view: View) -> Iterator[Verdict]:
    """Look for a filter, a metric and an alarm with an action."""
    return trails.alarm_on(view, "changed policies", "AttachUserPolicy", "PutUserPolicy", "CreatePolicyVersion")
