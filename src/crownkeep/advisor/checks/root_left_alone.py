"""Root is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from crownkeep.advisor import root
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

DAYS = 30


@check(
    "root-use",
    title=f"Root was not used in the last {DAYS} days",
    topic="root",
    severity=CheckSeverity.HIGH,
    why="Root can't be limited; daily work belongs to people and roles with names and bounds of their own.",
    fix=Fix("Find out who used root and for what; give that work to an administrator or a role."),
    maps={**cis(v1="1.7", v5="1.6", v6="2.6", v7="2.7"), "security-hub": ("CloudWatch.1", "IAM.20")},
)
def root_use(view: View) -> Iterator[Verdict]:
    """Read root's events; sessions that an organization took root on for are no use of root's own credentials."""
    used = root.last_use(view)
    if used is None:
        yield passed("The trail's 90 days have no use of root's own credentials.")
    elif view.at - used.at <= timedelta(days=DAYS):
        yield failed(f"Root was last used {used.at:%Y-%m-%d %H:%M} UTC: {used.name}.")
    else:
        yield passed(f"Root was last used {used.at:%Y-%m-%d %H:%M} UTC: {used.name}.")
