"""Pictures of the credential report: how old credentials are, and who has MFA, with the figures that they are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

from crownkeep.advisor.credential_report import OLD_DAYS, UNUSED_DAYS, Line
from crownkeep.console.kit import report_lines
from crownkeep.console.kit.report_lines import LatestReport
from crownkeep.translation import gettext, ngettext

WIDTH, HEIGHT = 600, 100
_KEPT = 4
_BANDS = (UNUSED_DAYS, OLD_DAYS, 180, 365, 10**6)
"""Ages, each below so many days: the bounds are those of the report's own filters."""


@dataclass(frozen=True, slots=True)
class AgeBand:
    """How many credentials are of an age."""

    least: int
    below: int
    """Days."""
    passwords: int
    keys: int

    @property
    def label(self) -> str:
        """The age in words."""
        if self.least == 0:
            return gettext("up to %(most)s days", most=self.below - 1)
        if self.below == _BANDS[-1]:
            return gettext("a year and more")
        return gettext("%(least)s to %(most)s days", least=self.least, most=self.below - 1)


@dataclass(frozen=True, slots=True)
class CredentialPictures:
    """What is drawn, as SVG path data, and the figures of it."""

    bands: tuple[AgeBand, ...]
    ages: dict[str, str]
    """Bars by what they count, `passwords` or `keys`."""
    with_mfa: int
    without_mfa: int
    """People with a password and without a second factor."""

    @property
    def sentence(self) -> str:
        """How old the credentials are, in words."""
        old = sum(each.passwords + each.keys for each in self.bands[2:])
        every = sum(each.passwords + each.keys for each in self.bands)
        if not every:
            return gettext("Nobody has a password or an active access key.")
        if not old:
            return gettext("No password and no active access key is %(days)s days old or older.", days=OLD_DAYS)
        return ngettext(
            "%(num)s of %(every)s passwords and active access keys is %(days)s days old or older.",
            "%(num)s of %(every)s passwords and active access keys are %(days)s days old or older.",
            old,
            every=every,
            days=OLD_DAYS,
        )

    @property
    def mfa_sentence(self) -> str:
        """How many of those with a password have a second factor."""
        every = self.with_mfa + self.without_mfa
        if not every:
            return gettext("Nobody has a password.")
        if not self.without_mfa:
            return gettext("Everybody with a password has MFA.")
        return gettext("%(covered)s of %(every)s people with a password have MFA.", covered=self.with_mfa, every=every)

    @property
    def coverage(self) -> dict[str, str]:
        """The bar of those with MFA and of those without, as SVG path data."""
        every = self.with_mfa + self.without_mfa
        with_mfa = WIDTH * self.with_mfa / every if every else 0.0
        parts = {"covered": (0.0, with_mfa), "bare": (with_mfa, WIDTH - with_mfa if every else 0.0)}
        return {name: f"M{start:.1f} 0h{width:.1f}v16h-{width:.1f}z" for name, (start, width) in parts.items() if width}


def of(report: LatestReport, *, now: datetime) -> CredentialPictures:
    """Draw a report, whose ages are counted in whole days."""
    return _drawn(report.content, now.replace(hour=0, minute=0, second=0, microsecond=0))


# The lines of 10,000 users are counted once a day for each report, and not for every page of it.
@lru_cache(_KEPT)
def _drawn(content: bytes, day: datetime) -> CredentialPictures:
    lines = report_lines.read(content)
    passwords, keys = _ages(lines, day)
    bounds = enumerate(pairwise((0, *_BANDS)))
    bands = tuple(AgeBand(least, below, passwords[place], keys[place]) for place, (least, below) in bounds)
    with_password = [line for line in lines if line.has_password]
    with_mfa = sum(line.has_mfa for line in with_password)
    return CredentialPictures(bands, _bars(bands), with_mfa, len(with_password) - with_mfa)


def _ages(lines: Sequence[Line], day: datetime) -> tuple[Counter[int], Counter[int]]:
    passwords: Counter[int] = Counter()
    keys: Counter[int] = Counter()
    for line in lines:
        if line.has_password and line.password_changed_at is not None:
            passwords[_band(line.password_changed_at, day)] += 1
        keys.update(_band(key.made_at, day) for key in line.active_keys if key.made_at is not None)
    return passwords, keys


def _band(moment: datetime, day: datetime) -> int:
    days = (day - moment).days
    return next(place for place, below in enumerate(_BANDS) if days < below)


def _bars(bands: Sequence[AgeBand]) -> dict[str, str]:
    top = max(max(each.passwords, each.keys) for each in bands) or 1
    step = WIDTH // len(bands)
    paths: dict[str, str] = {}
    for place, name in enumerate(("passwords", "keys")):
        bars = []
        for number, each in enumerate(bands):
            count = each.keys if name == "keys" else each.passwords
            height = max(HEIGHT * count // top, 2) if count else 0
            bars.append(f"M{number * step + 16 + place * 44} {HEIGHT}v-{height}h40v{height}z")
        paths[name] = "".join(bars)
    return paths
