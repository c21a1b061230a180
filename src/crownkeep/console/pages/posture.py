"""The account's posture: what AWS's own operations say of its root user, its administrators, its users and its contacts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.console import calls
from crownkeep.console.calls import Found, Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import account, contacts, credential_report, password_policy
from crownkeep.console.pages.credential_report import Report

SUMMARY = Equivalent("iam", "GetAccountSummary")
ADMINISTRATORS = Equivalent("iam", "ListEntitiesForPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})

_ASKED_ONE_BY_ONE = 25
"""Users whose devices are asked for one by one; more are read from the credential report."""

_GROUPS = 5
_SECURITY = next(kind for kind in contacts.KINDS if kind.slug == "security")


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Users who sign in with a password alone."""

    names: Sequence[str]
    needs_report: bool = False
    """Too many users to ask for one by one, and no report that says it."""


@dataclass(frozen=True, slots=True)
class Posture:
    """What was found; a part that could not be asked for is the refusal."""

    summary: Mapping[str, int] | Refused
    alias: str | Refused
    policy: password_policy.Fields | Refused | None
    security_contact: Mapping[str, str] | Refused
    administrators: Sequence[str] | Refused
    unprotected: Unprotected | Refused
    report: Report | Refused


async def look(request: Request) -> Posture:
    """Ask for everything at once, as whoever is signed in: answers wait for the commit of their events, and so for one commit."""
    told, report, alias, policy, security_contact, administrators = await asyncio.gather(
        calls.ask(request, SUMMARY.service, SUMMARY.operation),
        credential_report.latest(request),
        account.alias_of(request),
        password_policy.current(request),
        contacts.alternate(request, _SECURITY),
        _administrators(request),
    )
    summary: Mapping[str, int] | Refused = told if isinstance(told, Refused) else told["SummaryMap"]
    unprotected = await _unprotected(request, summary, report)
    return Posture(summary, alias, policy, security_contact, administrators, unprotected, report)


async def _administrators(request: Request) -> Sequence[str] | Refused:
    """Answer users who have AdministratorAccess themselves or by one of a few groups."""
    found = await calls.ask(request, ADMINISTRATORS.service, ADMINISTRATORS.operation, ADMINISTRATORS.parameters)
    if isinstance(found, Refused):
        return found
    names = [user["UserName"] for user in found["PolicyUsers"]]
    for group in found["PolicyGroups"][:_GROUPS]:
        members = await calls.ask(request, "iam", "GetGroup", {"GroupName": group["GroupName"], "MaxItems": 1})
        if isinstance(members, Refused):
            return names or members
        names += [user["UserName"] for user in members["Users"]]
    return names


async def _unprotected(request: Request, summary: Mapping[str, int] | Refused, report: Report | Refused) -> Unprotected | Refused:
    is_small = isinstance(summary, Refused) or summary["Users"] <= _ASKED_ONE_BY_ONE
    if is_small:
        listed = await calls.ask(request, "iam", "ListUsers", {"MaxItems": _ASKED_ONE_BY_ONE})
        if isinstance(listed, Refused):
            return listed
        return await _asked(request, [user["UserName"] for user in listed["Users"]], needs_report=listed["IsTruncated"])
    if isinstance(report, Refused):
        return Unprotected((), needs_report=True) if credential_report.needs_one(report) else report
    named = [line.user for line in report.lines if line.lacks_mfa and not line.is_root]
    # Those who have enrolled a device since the report was made are not named.
    return await _asked(request, named[:_ASKED_ONE_BY_ONE], needs_report=False)


async def _asked(request: Request, names: Sequence[str], *, needs_report: bool) -> Unprotected | Refused:
    answers = await asyncio.gather(*(_is_unprotected(request, name) for name in names))
    refused = next((answer for answer in answers if isinstance(answer, Refused)), None)
    return refused or Unprotected(
        [name for name, answer in zip(names, answers, strict=True) if answer], needs_report=needs_report
    )


async def _is_unprotected(request: Request, name: str) -> bool | Refused:
    devices = await calls.ask(request, "iam", "ListMFADevices", {"UserName": name})
    if isinstance(devices, Refused):
        # Somebody may have deleted the user meanwhile.
        return devices if devices.code != "NoSuchEntity" else False
    return not devices["MFADevices"] and await _has_password(request, name)


async def _has_password(request: Request, name: str) -> bool:
    """Tell whether a user has a password; whoever may not ask is told of the user rather than of nobody."""
    profile: Found | Refused = await calls.ask(request, "iam", "GetLoginProfile", {"UserName": name})
    return not isinstance(profile, Refused) or profile.is_denied
