"""Somebody is told of sign-ins without MFA."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "alarm-sign-in-without-mfa",
    title="An alarm tells of sign-ins without MFA",
    topic="alarms",
    severity=CheckSeverity.MEDIUM,
    why="Where all have MFA, a sign-in without it is an intruder's or a mistake.",
    fix=Fix(trails.ALARM_CONSOLE, "aws logs put-metric-filter ...; aws cloudwatch put-metric-alarm ...", trails.ALARM_TERRAFORM),
    maps={**cis(v1="4.2", v5="4.2", v7="5.2"), "security-hub": ("CloudWatch.3",)},
)
def alarm_sign_in_without_mfa(view: View) -> Iterator[Verdict]:
    """Look for a filter, a metric and an alarm with an action."""
    return trails.alarm_on(view, "sign-ins without MFA", "ConsoleLogin", "MFAUsed")
