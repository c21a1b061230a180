"""Somebody is told when the organization changes."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import organization, trails
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "alarm-organization-changes",
    title="An alarm tells of changes to the organization",
    topic="alarms",
    severity=CheckSeverity.LOW,
    why="A detached control policy or an account that left is seen at once.",
    fix=Fix(trails.ALARM_CONSOLE, "aws logs put-metric-filter ...; aws cloudwatch put-metric-alarm ...", trails.ALARM_TERRAFORM),
    maps=cis(v1="4.15", v5="4.15"),
)
def alarm_organization_changes(view: View) -> Iterator[Verdict]:
    """Look for a filter, a metric and an alarm with an action."""
    organization.lead(view)
    yield from trails.alarm_on(view, "changes to the organization", "organizations.amazonaws.com")
