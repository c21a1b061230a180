"""The credential report: its lines as values, root's told apart from users'."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep.advisor import calls
from crownkeep.advisor.evidence import moment
from crownkeep.advisor.view import CannotTell, View

ROOT = "<root_account>"


@dataclass(frozen=True, slots=True)
class ReportedKey:
    """One of the two access keys that a line has room for."""

    number: int
    is_active: bool
    made_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One user, or root. A time is None where the report has none."""

    name: str
    arn: str
    made_at: datetime
    has_password: bool
    password_used_at: datetime | None
    password_changed_at: datetime | None
    has_mfa: bool
    keys: tuple[ReportedKey, ReportedKey]

    @property
    def active_keys(self) -> list[ReportedKey]:
        """The keys that work."""
        return [key for key in self.keys if key.is_active]

    @property
    def can_sign_in(self) -> bool:
        """Whether anything of this line lets somebody in."""
        return self.has_password or bool(self.active_keys)


def users(view: View) -> list[Line]:
    """Return the lines of users: root's is no user's (a scanner that forgets it says that root has no password)."""
    return [line for line in _lines(view) if line.name != ROOT]


def root(view: View) -> Line | None:
    """Return root's line."""
    return next((line for line in _lines(view) if line.name == ROOT), None)


def is_idle(last: datetime | None, since: datetime | None, now: datetime, days: int) -> bool:
    """Tell whether something was not used for so long, and has been there for as long."""
    newest = max((each for each in (last, since) if each is not None), default=None)
    return newest is not None and now - newest > timedelta(days=days)


def _lines(view: View) -> list[Line]:
    def read() -> list[Line]:
        text = view.get(calls.CREDENTIAL_REPORT)["Content"]
        try:
            return [_line(row) for row in csv.DictReader(io.StringIO(text))]
        except (KeyError, ValueError, TypeError) as error:
            raise CannotTell("the credential report can't be read") from error

    return view.made("credential report", (calls.CREDENTIAL_REPORT,), read)


def _line(row: Mapping[str, str]) -> Line:
    return Line(
        name=row["user"],
        arn=row["arn"],
        made_at=moment(row["user_creation_time"]),
        # Root's is `not_supported` where it has one; only a member whose root user has none says `false`.
        has_password=row["password_enabled"] in ("true", "not_supported"),
        password_used_at=_time(row["password_last_used"]),
        password_changed_at=_time(row["password_last_changed"]),
        has_mfa=row["mfa_active"] == "true",
        keys=(_key(row, 1), _key(row, 2)),
    )


def _key(row: Mapping[str, str], number: int) -> ReportedKey:
    return ReportedKey(
        number,
        row[f"access_key_{number}_active"] == "true",
        _time(row[f"access_key_{number}_last_rotated"]),
        _time(row[f"access_key_{number}_last_used_date"]),
    )


def _time(text: str) -> datetime | None:
    """Read a time; `N/A`, `no_information` and `not_supported` stand where there is none."""
    return moment(text) if text[:1].isdigit() else None
