"""Whose passwords a policy is too strict for: what the credential report can tell, and what nobody can.

Passwords are kept as hashes, so their length and characters can't be looked at: a policy binds them when they are next changed.
Their age can be told, and is, as of the latest credential report; nothing is counted user by user on a request's way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from crownkeep.advisor import posture
from crownkeep.console.kit import report_lines
from crownkeep.console.kit.calls import Refused


@dataclass(frozen=True, slots=True)
class Count:
    """How many users are out of a policy, as of a report; `refused` where there is none that may be read."""

    generated_at: datetime | None = None
    minutes: int = 0
    """How old the report is."""
    passwords: int = 0
    """Users who have a password."""
    expired: int = 0
    """Users whose password is older than the policy lets it become."""
    max_age: int = 0
    """Days; 0 where passwords never expire."""
    needs_report: bool = False
    refused: Refused | None = None


async def count(request: Request, fields: Mapping[str, object] | None, *, now: datetime) -> Count:
    """Count the users who are out of a policy right now, by the latest report; None is AWS's default policy."""
    report = await report_lines.latest(request)
    if isinstance(report, Refused):
        is_missing = report_lines.needs_one(report)
        return Count(needs_report=is_missing, refused=None if is_missing else report)
    given = (fields or {}).get("MaxPasswordAge")
    max_age = given if isinstance(given, int) else 0
    passwords, expired = posture.out_of_policy(report.lines, max_age, now=now)
    minutes = int((now - report.generated_at) / timedelta(minutes=1))
    return Count(report.generated_at, max(minutes, 0), passwords, expired, max_age)
