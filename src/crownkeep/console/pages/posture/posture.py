"""The account's posture: what AWS's own operations say of its root user, its administrators, its users and its contacts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache

from starlette.requests import Request

from crownkeep.console.kit import account_names, calls, contact_kinds, policy_in_force, report_lines, signed_audits, web
from crownkeep.console.kit.calls import Found, Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.signed_audits import LastAudit
from crownkeep.console.pages.posture import last_root_use
from crownkeep.console.pages.posture.last_root_use import LastUse

SUMMARY = Equivalent("iam", "GetAccountSummary")
ADMINISTRATORS = Equivalent("iam", "ListEntitiesForPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})
DEVICES = Equivalent("iam", "ListVirtualMFADevices", {"AssignmentStatus": "Assigned", "MaxItems": 50})
OWN_DEVICES = Equivalent("iam", "ListMFADevices")
NEWEST = Equivalent("cloudtrail", "LookupEvents", {"MaxResults": 1})

_ASKED_ONE_BY_ONE = 25
"""Users whose credentials are asked for one by one; more are read from the credential report."""

_AT_ONCE = 4
_ENOUGH = 4
"""Unprotected users after whom no more are looked for: the page names a few of them."""

_GROUPS = 5
_REPORTS_KEPT = 4


class RootFactor(Enum):
    """What root signs in with beside its password."""

    NOTHING = "nothing"
    APP = "app"
    """An authenticator app: better than nothing, but a code can be typed into a false page."""
    RESISTANT = "resistant"
    """A passkey, a security key or a hardware token, and no app beside it."""
    SOME = "some"
    """A device whose kind only root can see here."""


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Users who sign in with a password alone; after the first few no more are looked for."""

    names: Sequence[str]
    needs_report: bool = False
    """Too many users to ask for one by one, and no report that says it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a credential report says of users: the names of those with a credential that is unused or old, or with no MFA."""

    generated_at: datetime
    unused: Sequence[str]
    old: Sequence[str]
    without_mfa: Sequence[str]


@dataclass(frozen=True, slots=True)
class Posture:
    """What was found; a part that could not be asked for is the refusal."""

    summary: Mapping[str, int] | Refused
    alias: str | Refused
    policy: policy_in_force.Fields | Refused | None
    primary_contact: Mapping[str, str] | Refused
    contacts: Mapping[str, Mapping[str, str] | Refused]
    """The alternate contacts by their kind's slug."""
    administrators: Sequence[str] | Refused
    root_factor: RootFactor | Refused
    root_used: LastUse | Refused
    unprotected: Unprotected | Refused
    findings: Findings | Refused
    audited: LastAudit | Refused
    newest_event: datetime | Refused | None


async def look(request: Request) -> Posture:
    """Ask for everything at once, as whoever is signed in: answers wait for the commit of their events, and so for one commit."""
    of_account, of_use, alternates = await asyncio.gather(
        asyncio.gather(
            calls.ask(request, SUMMARY.service, SUMMARY.operation),
            report_lines.latest(request),
            account_names.alias_of(request),
            policy_in_force.current(request),
            contact_kinds.primary(request),
            _administrators(request),
        ),
        asyncio.gather(
            calls.ask(request, DEVICES.service, DEVICES.operation, DEVICES.parameters),
            last_root_use.last_use(request),
            signed_audits.last_audit(request),
            _newest_event(request),
        ),
        asyncio.gather(*(contact_kinds.alternate(request, kind) for kind in contact_kinds.KINDS)),
    )
    told, report, alias, policy, primary, administrators = of_account
    devices, used, audited, newest = of_use
    findings = report if isinstance(report, Refused) else _findings(report.content, report.generated_at)
    summary: Mapping[str, int] | Refused = told if isinstance(told, Refused) else told["SummaryMap"]
    return Posture(
        summary,
        alias,
        policy,
        primary,
        {kind.slug: contact for kind, contact in zip(contact_kinds.KINDS, alternates, strict=True)},
        administrators,
        await _root_factor(request, summary, devices),
        used,
        await _unprotected(request, summary, findings, devices),
        findings,
        audited,
        newest,
    )


async def _administrators(request: Request) -> Sequence[str] | Refused:
    """Return users who have AdministratorAccess themselves or by one of a few groups."""
    found = await calls.ask(request, ADMINISTRATORS.service, ADMINISTRATORS.operation, ADMINISTRATORS.parameters)
    if isinstance(found, Refused):
        return found
    names = [user["UserName"] for user in found["PolicyUsers"]]
    for group in found["PolicyGroups"][:_GROUPS]:
        if names:
            break
        members = await calls.ask(request, "iam", "GetGroup", {"GroupName": group["GroupName"], "MaxItems": 1})
        if isinstance(members, Refused):
            return members
        names += [user["UserName"] for user in members["Users"]]
    return names


async def _newest_event(request: Request) -> datetime | Refused | None:
    found = await calls.ask(request, NEWEST.service, NEWEST.operation, NEWEST.parameters)
    if isinstance(found, Refused):
        return found
    moment: datetime | None = found["Events"][0]["EventTime"] if found["Events"] else None
    return moment


async def _root_factor(request: Request, summary: Mapping[str, int] | Refused, devices: Found | Refused) -> RootFactor | Refused:
    """Tell of which kind root's devices are: root sees them all, others see only who has an app (Prowler's check, #4652)."""
    if isinstance(summary, Refused):
        return summary
    if not summary["AccountMFAEnabled"]:
        return RootFactor.NOTHING
    if last_root_use.is_root(request):
        own = await calls.ask(request, OWN_DEVICES.service, OWN_DEVICES.operation)
        if isinstance(own, Refused):
            return RootFactor.SOME
        has_app = any(":mfa/" in each["SerialNumber"] for each in own["MFADevices"])
        return RootFactor.APP if has_app else RootFactor.RESISTANT
    if isinstance(devices, Refused):
        return RootFactor.SOME
    root = f"arn:aws:iam::{web.signed_in(request).principal.account_id}:root"
    if any(each.get("User", {}).get("Arn") == root for each in devices["VirtualMFADevices"]):
        return RootFactor.APP
    return RootFactor.SOME if devices["IsTruncated"] else RootFactor.RESISTANT


async def _unprotected(
    request: Request, summary: Mapping[str, int] | Refused, findings: Findings | Refused, devices: Found | Refused
) -> Unprotected | Refused:
    is_small = isinstance(summary, Refused) or summary["Users"] <= _ASKED_ONE_BY_ONE
    if is_small:
        listed = await calls.ask(request, "iam", "ListUsers", {"MaxItems": _ASKED_ONE_BY_ONE})
        if isinstance(listed, Refused):
            return listed
        with_app = set() if isinstance(devices, Refused) else {_owner(each) for each in devices["VirtualMFADevices"]}
        names = [user["UserName"] for user in listed["Users"] if user["UserName"] not in with_app]
        return await _asked(request, names, needs_report=listed["IsTruncated"])
    if isinstance(findings, Refused):
        return Unprotected((), needs_report=True) if report_lines.needs_one(findings) else findings
    # Those who have enrolled a device since the report was made are not named.
    return await _asked(request, findings.without_mfa[:_ASKED_ONE_BY_ONE], needs_report=False)


@lru_cache(maxsize=_REPORTS_KEPT)
def _findings(content: bytes, generated_at: datetime) -> Findings:
    """Look a report through; remembered, for it has thousands of lines and the first page is asked for often."""
    lines = [line for line in report_lines.read(content) if not line.is_root]
    return Findings(
        generated_at,
        [line.user for line in lines if line.has_unused(generated_at)],
        [line.user for line in lines if line.has_old(generated_at)],
        [line.user for line in lines if line.lacks_mfa],
    )


def _owner(device: Mapping[str, Mapping[str, str]]) -> str:
    return device.get("User", {}).get("UserName", "")


async def _asked(request: Request, names: Sequence[str], *, needs_report: bool) -> Unprotected | Refused:
    found: list[str] = []
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        answers = await asyncio.gather(*(_is_unprotected(request, name) for name in some))
        refused = next((answer for answer in answers if isinstance(answer, Refused)), None)
        if refused is not None:
            return refused
        found += [name for name, answer in zip(some, answers, strict=True) if answer]
        if len(found) >= _ENOUGH:
            break
    return Unprotected(found, needs_report=needs_report)


async def _is_unprotected(request: Request, name: str) -> bool | Refused:
    """Tell whether a user has a password and no device; whoever may not ask is told of the user rather than of nobody."""
    profile = await calls.ask(request, "iam", "GetLoginProfile", {"UserName": name})
    if isinstance(profile, Refused) and not profile.is_denied:
        return False
    devices = await calls.ask(request, "iam", "ListMFADevices", {"UserName": name})
    if isinstance(devices, Refused):
        # Somebody may have deleted the user meanwhile.
        return devices if devices.code != "NoSuchEntity" else False
    return not devices["MFADevices"]
