"""Somebody is told of failed sign-ins."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "alarm-failed-sign-ins",
    title="An alarm tells of failed sign-ins",
    topic="alarms",
    severity=CheckSeverity.LOW,
    why="Guessing takes many tries, and the tries can be seen.",
    fix=Fix(trails.ALARM_CONSOLE, "aws logs put-metric-filter ...; aws cloudwatch put-metric-alarm ...", trails.ALARM_TERRAFORM),
    maps={**cis(v1="4.6", v5="4.6", v7="5.6"), "security-hub": ("CloudWatch.6",)},
)
def alarm_failed_sign_ins(view: View) -> Iterator[Verdict]:
    """Look for a filter, a metric and an alarm with an action."""
    return trails.alarm_on(view, "failed sign-ins", "ConsoleLogin", "Failed authentication")
