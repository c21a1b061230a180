"""The credential report: its lines as values, root's told apart from users', and what is old or unused among them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep.advisor import calls
from crownkeep.advisor.evidence import moment
from crownkeep.advisor.view import CannotTell, View
from crownkeep.credentials import credential_ages

ROOT = "<root_account>"
OLD_DAYS = credential_ages.OLD_DAYS
UNUSED_DAYS = credential_ages.UNUSED_DAYS


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

    @property
    def is_root(self) -> bool:
        """Whether it is the account itself, not a user."""
        return self.name == ROOT

    @property
    def lacks_mfa(self) -> bool:
        """Whether a password alone opens the console."""
        return self.has_password and not self.has_mfa

    @property
    def was_never_used(self) -> bool:
        """Whether a key or a password was never used at all."""
        return (self.has_password and self.password_used_at is None) or any(key.used_at is None for key in self.active_keys)

    def old_keys(self, now: datetime) -> list[ReportedKey]:
        """Return the keys that are older than a key should be."""
        return [key for key in self.active_keys if is_past(key.made_at, OLD_DAYS, now)]

    def has_old(self, now: datetime) -> bool:
        """Tell whether a key or a password is older than it should be."""
        return bool(self.old_keys(now)) or is_past(self.password_changed_at, OLD_DAYS, now)

    def unused_keys(self, now: datetime) -> list[ReportedKey]:
        """Return the keys that nobody used for too long, and that have been there for as long."""
        return [key for key in self.active_keys if is_idle(key.used_at, key.made_at, now)]

    def has_unused_password(self, now: datetime) -> bool:
        """Tell whether nobody used the password for too long; root's should not be used."""
        since = self.password_changed_at or self.made_at
        return self.has_password and not self.is_root and is_idle(self.password_used_at, since, now)

    def has_unused(self, now: datetime) -> bool:
        """Tell whether nobody used a key or the password for too long."""
        return self.has_unused_password(now) or bool(self.unused_keys(now))


def users(view: View) -> list[Line]:
    """Return the lines of users: root's is no user's (a scanner that forgets it says that root has no password)."""
    return [line for line in lines(view) if line.name != ROOT]


def root(view: View) -> Line | None:
    """Return root's line of the report, None where the report has none."""
    return next((line for line in lines(view) if line.name == ROOT), None)


def is_idle(last: datetime | None, since: datetime | None, now: datetime) -> bool:
    """Tell whether something was not used for too long, and has been there for as long."""
    return is_past(max((each for each in (last, since) if each is not None), default=None), UNUSED_DAYS, now)


def is_past(at: datetime | None, days: int, now: datetime) -> bool:
    """Tell whether so many days have gone by since."""
    return at is not None and now - at >= timedelta(days=days)


def read(text: str) -> Sequence[Line]:
    """Read a report's CSV; raises KeyError, TypeError or ValueError where it is none."""
    return tuple(_line(row) for row in csv.DictReader(io.StringIO(text)))


def lines(view: View) -> Sequence[Line]:
    """Return every line, root's too; raises CannotTell."""

    def found() -> Sequence[Line]:
        text = view.get(calls.CREDENTIAL_REPORT)["Content"]
        try:
            return read(text)
        except (KeyError, ValueError, TypeError) as error:
            raise CannotTell("the credential report can't be read") from error

    return view.made("credential report", (calls.CREDENTIAL_REPORT,), found)


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
