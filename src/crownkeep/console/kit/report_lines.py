"""The credential report, read: a line for each user, with ages in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from starlette.requests import Request

from crownkeep.advisor import credential_report
from crownkeep.advisor.credential_report import OLD_DAYS, Line
from crownkeep.console.kit import calls
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext

PATH = "/console/credential-report"
GET = Equivalent("iam", "GetCredentialReport")
LIFETIME = timedelta(hours=4)
"""How long AWS keeps a report before a new one can be made (IAM user guide, "Get credential reports for your AWS account")."""
VERY_OLD_DAYS = 180
_KEPT_REPORTS = 4
_NO_REPORT = frozenset({"ReportNotPresent", "ReportExpired"})


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago something was, as the table shows it."""

    moment: datetime
    days: int

    @property
    def level(self) -> str:
        """`fresh`, `old` or `very-old`; the table says the days too, for colours alone say nothing to many."""
        if self.days >= VERY_OLD_DAYS:
            return "very-old"
        return "old" if self.days >= OLD_DAYS else "fresh"


@dataclass(frozen=True, slots=True)
class LatestReport:
    """The latest report."""

    generated_at: datetime
    lines: Sequence[Line]
    content: bytes

    @property
    def renewable_at(self) -> datetime:
        """From when on a new one can be made."""
        return self.generated_at + LIFETIME


async def latest(request: Request) -> LatestReport | Refused:
    """Return the latest report; a refusal where none is young enough (`needs_one`) or a permission is missing."""
    found = await calls.ask(request, GET.service, GET.operation)
    if isinstance(found, Refused):
        return found
    content: bytes = found["Content"]
    return LatestReport(found["GeneratedTime"], read(content), content)


def needs_one(refused: Refused) -> bool:
    """Tell whether what is missing is a report rather than a permission."""
    return refused.code in _NO_REPORT


# A report of 10,000 users takes 0.2 s to read and is asked for again with every filter and every page. What is kept is found by
# the report's own bytes, which only somebody has who was just allowed to get them.
@lru_cache(_KEPT_REPORTS)
def read(content: bytes) -> Sequence[Line]:
    """Read a report's CSV."""
    return credential_report.read(content.decode())


def age(moment: datetime | None, *, now: datetime) -> Age | None:
    """Return how long ago a moment was, in whole days."""
    return None if moment is None else Age(moment, max((now - moment).days, 0))


def spoken(span: timedelta) -> str:
    """Write how long ago a report was made, to the minute: after four hours another one can be made."""
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return gettext("just now")
    if minutes < 60:
        return gettext("%(minutes)s min ago", minutes=minutes)
    return gettext("%(hours)s h %(minutes)s min ago", hours=minutes // 60, minutes=minutes % 60)
