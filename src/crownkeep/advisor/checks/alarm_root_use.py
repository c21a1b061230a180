"""Somebody is told when root is used."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "alarm-root-use",
    title="An alarm tells of root's use",
    topic="alarms",
    severity=CheckSeverity.HIGH,
    why="Root is used so rarely that each use is worth a message.",
    fix=Fix(trails.ALARM_CONSOLE, "aws logs put-metric-filter ...; aws cloudwatch put-metric-alarm ...", trails.ALARM_TERRAFORM),
    maps={**cis(v1="4.3", v5="4.3", v7="5.3"), "security-hub": ("CloudWatch.1",)},
)
def alarm_root_use(view: View) -> Iterator[Verdict]:
    """Look for a filter, a metric and an alarm with an action."""
    return trails.alarm_on(view, "root's use", "$.userIdentity.type", "Root")
