"""The account's scheduled audits over time: one sentence, a line, and the figures that it is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request

from crownkeep.advisor.credential_report import OLD_DAYS
from crownkeep.console.kit import calls
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext, ngettext

MOST = 40
"""Audits that are shown: ten years of quarters."""
CALL = Equivalent("account-security", "ListAccountAudits", {"MaxResults": MOST})

_WIDTH, _HEIGHT, _EDGE = 720, 120, 4
_MFA = ("PasswordsWithMfa", "Passwords")
_OLD = ("OldCredentials", "Credentials")
_LEAST_AT_TOP = 5
"""What the top stands for at least, so that one failure does not fill the picture."""


@dataclass(frozen=True, slots=True)
class DrawnLines:
    """Lines as SVG path data, by what they say."""

    width: int
    height: int
    paths: Mapping[str, str]
    most: int
    """The most findings that ever failed."""


@dataclass(frozen=True, slots=True)
class AuditHistory:
    """What the page shows: the audits, the newest first, or why there are none to see."""

    audits: Sequence[Mapping[str, Any]]
    next_at: datetime | None
    refused: Refused | None = None

    @property
    def sentence(self) -> str:
        """How the last audit came out, and what that is beside the one before."""
        last = self.audits[0]
        said = ngettext(
            "At the last audit %(num)s finding failed, %(grave)s of them critical or high.",
            "At the last audit %(num)s findings failed, %(grave)s of them critical or high.",
            last["Failed"],
            grave=last["Critical"] + last["High"],
        )
        if len(self.audits) == 1:
            return said
        before = ngettext(
            "At the one before it, %(num)s finding failed.",
            "At the one before it, %(num)s findings failed.",
            self.audits[1]["Failed"],
        )
        return f"{said} {before}"

    @property
    def lines(self) -> DrawnLines | None:
        """The picture; None before the second audit."""
        if len(self.audits) < 2:
            return None
        ordered = list(reversed(self.audits))
        every = [each["Failed"] for each in ordered]
        times = [each["AuditedAt"] for each in ordered]
        top = max(*every, _LEAST_AT_TOP)
        paths = {
            "all": _path(times, every, top),
            "grave": _path(times, [each["Critical"] + each["High"] for each in ordered], top),
        }
        return DrawnLines(_WIDTH, _HEIGHT, paths, max(every))

    @property
    def counted(self) -> Sequence[Mapping[str, Any]]:
        """The audits that counted credentials, the newest first."""
        return [each for each in self.audits if "Credentials" in each]

    @property
    def credentials_sentence(self) -> str:
        """Who has MFA and what is old, and what that is beside the audit before; empty where none has counted."""
        if not self.counted:
            return ""
        last = self.counted[0]
        said = gettext(
            "At the last audit %(covered)s of %(people)s people with a password had MFA, "
            "and %(old)s of %(credentials)s passwords and access keys were %(days)s days old or older.",
            covered=last["PasswordsWithMfa"],
            people=last["Passwords"],
            old=last["OldCredentials"],
            credentials=last["Credentials"],
            days=OLD_DAYS,
        )
        if len(self.counted) == 1:
            return said
        earlier = self.counted[1]
        before = gettext(
            "At the one before it, %(covered)s %% had MFA and %(old)s %% were old.",
            covered=_percent(earlier, *_MFA),
            old=_percent(earlier, *_OLD),
        )
        return f"{said} {before}"

    @property
    def credential_lines(self) -> DrawnLines | None:
        """The picture of who has MFA and of what is old, in percent; None before the second audit that counted."""
        if len(self.counted) < 2:
            return None
        ordered = list(reversed(self.counted))
        times = [each["AuditedAt"] for each in ordered]
        shares = {"covered": _MFA, "old": _OLD}
        paths = {name: _path(times, [_percent(each, *members) for each in ordered], 100) for name, members in shares.items()}
        return DrawnLines(_WIDTH, _HEIGHT, paths, 100)


async def ask(request: Request) -> AuditHistory:
    """Ask for the last audits by one call."""
    found = await calls.ask(request, CALL.service, CALL.operation, CALL.parameters)
    if isinstance(found, Refused):
        return AuditHistory((), None, found)
    return AuditHistory(found["AccountAudits"], found.get("NextAuditAt"))


def _percent(audit: Mapping[str, Any], part: str, whole: str) -> int:
    return round(100 * audit[part] / audit[whole]) if audit[whole] else 0


def _path(times: Sequence[datetime], values: Sequence[int], top: int) -> str:
    span = (times[-1] - times[0]).total_seconds() or 1.0
    across = [_EDGE + (_WIDTH - 2 * _EDGE) * (each - times[0]).total_seconds() / span for each in times]
    points = (
        f"{x:.1f} {_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * value / top:.1f}" for x, value in zip(across, values, strict=True)
    )
    return f"M{' L'.join(points)}"
