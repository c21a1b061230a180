"""The credential report, read: a line for each user, with ages in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from starlette.requests import Request

from crownkeep.console.kit import calls
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent

PATH = "/console/credential-report"
GET = Equivalent("iam", "GetCredentialReport")
ROOT = "<root_account>"
LIFETIME = timedelta(hours=4)
"""How long AWS keeps a report before a new one can be made (IAM user guide, "Get credential reports for your AWS account")."""
OLD_DAYS = 90
"""From when on a credential should be changed (CIS AWS Foundations, "access keys are rotated every 90 days")."""
VERY_OLD_DAYS = 180
UNUSED_DAYS = 45
"""From when on a credential that nobody used should go (CIS AWS Foundations, "credentials unused for 45 days")."""
_KEPT_REPORTS = 4
_ABSENT = frozenset({"N/A", "no_information", "not_supported", ""})
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
class Key:
    """An active access key."""

    number: int
    made: datetime | None
    used: datetime | None


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of the report, read."""

    user: str
    arn: str
    created: datetime | None
    has_password: bool
    password_used: datetime | None
    password_changed: datetime | None
    has_mfa: bool
    keys: tuple[Key, ...]

    @property
    def is_root(self) -> bool:
        """Whether it is the account itself, not a user."""
        return self.user == ROOT

    @property
    def lacks_mfa(self) -> bool:
        """Whether a password alone opens the console."""
        return self.has_password and not self.has_mfa

    @property
    def has_unused_from_the_first(self) -> bool:
        """Whether a key or a password was never used at all."""
        return (self.has_password and self.password_used is None) or any(key.used is None for key in self.keys)

    def has_old_key(self, now: datetime) -> bool:
        """Tell whether an access key is older than it should be."""
        return any(_is_past(key.made, OLD_DAYS, now) for key in self.keys)

    def has_old(self, now: datetime) -> bool:
        """Tell whether a key or a password is older than it should be."""
        return self.has_old_key(now) or _is_past(self.password_changed, OLD_DAYS, now)

    def has_unused_password(self, now: datetime) -> bool:
        """Tell whether the password was used too long ago, or not since it was made."""
        return self.has_password and _is_past(self.password_used or self.password_changed or self.created, UNUSED_DAYS, now)

    def has_unused(self, now: datetime) -> bool:
        """Tell whether a key or a password was used too long ago, or not since it was made."""
        return self.has_unused_password(now) or any(_is_past(key.used or key.made, UNUSED_DAYS, now) for key in self.keys)


@dataclass(frozen=True, slots=True)
class LatestReport:
    """The latest report."""

    generated_at: datetime
    lines: Sequence[ReportLine]
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
def read(content: bytes) -> Sequence[ReportLine]:
    """Read a report's CSV."""
    return tuple(_line(row) for row in csv.DictReader(io.StringIO(content.decode())))


def _line(row: Mapping[str, str]) -> ReportLine:
    keys = [
        Key(number, _moment(row[f"access_key_{number}_last_rotated"]), _moment(row[f"access_key_{number}_last_used_date"]))
        for number in (1, 2)
        if row[f"access_key_{number}_active"] == "true"
    ]
    return ReportLine(
        user=row["user"],
        arn=row["arn"],
        created=_moment(row["user_creation_time"]),
        has_password=row["password_enabled"] == "true",
        password_used=_moment(row["password_last_used"]),
        password_changed=_moment(row["password_last_changed"]),
        has_mfa=row["mfa_active"] == "true",
        keys=tuple(keys),
    )


def _moment(text: str) -> datetime | None:
    return None if text in _ABSENT else datetime.fromisoformat(text)


def age(moment: datetime | None, *, now: datetime) -> Age | None:
    """Return how long ago a moment was, in whole days."""
    return None if moment is None else Age(moment, max((now - moment).days, 0))


def _is_past(moment: datetime | None, days: int, now: datetime) -> bool:
    return moment is not None and now - moment >= timedelta(days=days)


def _spoken(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min ago"
