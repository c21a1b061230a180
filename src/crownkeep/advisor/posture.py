"""An account's posture: what the console's first page asks about, and the rules that look at more than one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from crownkeep import arn
from crownkeep.advisor import calls, credential_report
from crownkeep.advisor.credential_report import Line
from crownkeep.advisor.evidence import Evidence, Missing, question
from crownkeep.advisor.view import CannotTell, View

ADMINISTRATORS = question("iam", "ListEntitiesForPolicy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
DEVICES = question("iam", "ListVirtualMFADevices", AssignmentStatus="Assigned", MaxItems=50)
OWN_DEVICES = question("iam", "ListMFADevices")
"""Asked by root of itself: it alone sees its devices of every kind."""
NEWEST_EVENT = question("cloudtrail", "LookupEvents", MaxResults=1)
LAST_AUDIT = question("credential-audit", "ListCredentialAudits", Status="SIGNED_OFF", MaxResults=1)

QUARTER = timedelta(days=92)
"""The longest that a quarter of a year is."""
ENOUGH = 4
"""Unprotected users after whom no more are looked for: a page names a few of them."""

_NO_REPORT = frozenset({"ReportNotPresent", "ReportExpired"})
_REPORTS_KEPT = 4


class RootFactor(Enum):
    """What root signs in with beside its password."""

    NOTHING = "nothing"
    APP = "app"
    """An authenticator app: better than nothing, but a code can be typed into a false page."""
    RESISTANT = "resistant"
    """A passkey, a security key or a hardware token, and no app beside it."""
    SOME = "some"
    """A device whose kind the caller can't see."""


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Users who sign in with a password alone; after the first few no more are looked for."""

    names: Sequence[str]
    needs_report: bool = False
    """Too many users to ask for one by one, and no report that says it."""


@dataclass(frozen=True, slots=True)
class ReportedCredentials:
    """What a credential report says of users: the names of those with a credential that is unused or old, or with no MFA."""

    generated_at: datetime
    unused: Sequence[str]
    old: Sequence[str]
    without_mfa: Sequence[str]


@dataclass(frozen=True, slots=True)
class RootAct:
    """One thing that root did, or that was done as root."""

    at: datetime
    name: str
    address: str
    credentials: str
    has_long_term_key: bool


@dataclass(frozen=True, slots=True)
class LastUse:
    """When root was used last, as far as a bounded number of lookups reaches."""

    own: RootAct | None
    """What was done last with root's own password or keys."""
    central: RootAct | None
    """What was done after that in a session that an organization took root on for."""
    back_to: datetime | None = None
    """Where the lookups ended before they found root itself; None where they went back as far as there is anything to see."""


@dataclass(frozen=True, slots=True)
class LastAudit:
    """When all credentials were audited last."""

    signed_at: datetime | None
    """When it was signed off; None where there was no audit yet."""
    due_at: datetime | None
    """When the next one is due: a quarter after the last one or, before the first, after the account was made.

    None where neither can be seen.
    """
    now: datetime

    @property
    def is_due(self) -> bool:
        """Whether a quarter has passed."""
        return self.due_at is None or self.due_at <= self.now

    @property
    def days(self) -> int:
        """Whole days since it was signed off; 0 where there was none."""
        return max((self.now - self.signed_at).days, 0) if self.signed_at is not None else 0


@dataclass(frozen=True, slots=True)
class Posture:
    """What was found. A part that could not be asked for is what is missing."""

    evidence: Evidence
    """The answers to single questions."""
    administrators: Sequence[str] | Missing
    root_factor: RootFactor | Missing
    root_used: LastUse | Missing
    unprotected: Unprotected | Missing
    credentials: ReportedCredentials | Missing
    audited: LastAudit | Missing
    newest_event: datetime | Missing | None


def needs_report(missing: Missing) -> bool:
    """Tell whether what is missing is a credential report rather than a permission."""
    return missing.code in _NO_REPORT


@lru_cache(maxsize=_REPORTS_KEPT)
def reported(content: str, generated_at: datetime) -> ReportedCredentials:
    """Look a report through; remembered, for it has thousands of lines and the first page is asked for often."""
    lines = [line for line in credential_report.read(content) if not line.is_root]
    return ReportedCredentials(
        generated_at,
        [line.name for line in lines if line.has_unused(generated_at)],
        [line.name for line in lines if line.has_old(generated_at)],
        [line.name for line in lines if line.lacks_mfa],
    )


def out_of_policy(lines: Sequence[Line], max_age: int, *, now: datetime) -> tuple[int, int]:
    """Return how many users have a password, and how many of these are older than so many days (0: never too old)."""
    changed = [line.password_changed_at for line in lines if line.has_password and not line.is_root]
    return len(changed), sum(credential_report.is_past(at, max_age, now) for at in changed) if max_age else 0


def root_factor(evidence: Evidence) -> RootFactor | Missing:
    """Tell of which kind root's devices are: root sees them all, others see only who has an app."""
    view = View(evidence)
    try:
        if not view.get(calls.SUMMARY)["SummaryMap"]["AccountMFAEnabled"]:
            return RootFactor.NOTHING
    except CannotTell as error:
        if error.missing is None:
            raise
        return error.missing
    try:
        if OWN_DEVICES.text in evidence.answers:
            has_app = any(":mfa/" in each["SerialNumber"] for each in view.get(OWN_DEVICES)["MFADevices"])
            return RootFactor.APP if has_app else RootFactor.RESISTANT
        devices = view.get(DEVICES)
    except CannotTell:
        return RootFactor.SOME
    # Only apps are listed to others than root. Where root has a device and it is none of them, it is a key or a hardware token.
    root = arn.root(evidence.account_id)
    if any(each.get("User", {}).get("Arn") == root for each in devices["VirtualMFADevices"]):
        return RootFactor.APP
    return RootFactor.SOME if devices["IsTruncated"] else RootFactor.RESISTANT


def last_audit(audits: Sequence[Mapping[str, Any]], made_at: datetime | None, *, now: datetime) -> LastAudit:
    """Say when the next credential audit is due: a quarter after the last, or after the account was made."""
    signed: datetime | None = audits[0]["ClosedAt"] if audits else None
    since = signed or made_at
    return LastAudit(signed, None if since is None else since + QUARTER, now)
