"""Asking for the account's posture: by how many calls and in which order; what the answers mean, the advisor says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request

from crownkeep.advisor import calls as questions
from crownkeep.advisor import evidence, posture
from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, Missing, question
from crownkeep.advisor.posture import Posture, ReportedCredentials, Unprotected
from crownkeep.console.kit import calls, evidence_asked, signed_audits, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.pages.posture import last_root_use

SINGLE = (
    questions.SUMMARY,
    questions.CREDENTIAL_REPORT,
    questions.ALIASES,
    questions.PASSWORD_POLICY,
    questions.PRIMARY_CONTACT,
    *questions.ALTERNATE_CONTACTS.values(),
    posture.DEVICES,
)
"""What is asked by one call each."""

_ASKED_ONE_BY_ONE = 25
"""Users whose credentials are asked for one by one; more are read from the credential report."""

_AT_ONCE = 4
_GROUPS = 5

Asked = TypeVar("Asked")


async def look(request: Request) -> Posture:
    """Ask for everything at once, as whoever is signed in: answers wait for the commit of their events, and so for one commit."""
    asked = (*SINGLE, posture.OWN_DEVICES) if last_root_use.is_root(request) else SINGLE
    answers, others = await asyncio.gather(
        asyncio.gather(*(evidence_asked.answer(request, each) for each in asked)),
        asyncio.gather(
            _administrators(request),
            last_root_use.last_use(request),
            signed_audits.last_audit(request),
            _newest_event(request),
        ),
    )
    administrators, used, audited, newest = others
    found = evidence.of(web.signed_in(request).principal.account_id, web.of(request).now, list(answers))
    credentials = _credentials(found)
    return Posture(
        found,
        _or_missing(request, posture.ADMINISTRATORS, administrators),
        posture.root_factor(found),
        _or_missing(request, questions.ROOT_EVENTS, used),
        await _unprotected(request, found, credentials),
        credentials,
        _or_missing(request, posture.LAST_AUDIT, audited),
        _or_missing(request, posture.NEWEST_EVENT, newest),
    )


def _or_missing(request: Request, asked: ApiQuestion, found: Asked | Refused) -> Asked | Missing:
    return evidence_asked.missing(request, asked, found) if isinstance(found, Refused) else found


def _credentials(found: Evidence) -> ReportedCredentials | Missing:
    report = found.answers[questions.CREDENTIAL_REPORT.text]
    if isinstance(report, Missing):
        return report
    answer = report.value or {}
    return posture.reported(answer["Content"], evidence.moment(answer["GeneratedTime"]))


async def _administrators(request: Request) -> Sequence[str] | Refused:
    """Return users who have AdministratorAccess themselves or by one of a few groups."""
    asked = posture.ADMINISTRATORS
    found = await calls.ask(request, asked.service, asked.operation, asked.arguments())
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
    asked = posture.NEWEST_EVENT
    found = await calls.ask(request, asked.service, asked.operation, asked.arguments())
    if isinstance(found, Refused):
        return found
    moment: datetime | None = found["Events"][0]["EventTime"] if found["Events"] else None
    return moment


async def _unprotected(request: Request, found: Evidence, credentials: ReportedCredentials | Missing) -> Unprotected | Missing:
    summary = found.answers[questions.SUMMARY.text]
    is_small = isinstance(summary, Missing) or (summary.value or {})["SummaryMap"]["Users"] <= _ASKED_ONE_BY_ONE
    if is_small:
        asked = question("iam", "ListUsers", MaxItems=_ASKED_ONE_BY_ONE)
        listed = await calls.ask(request, asked.service, asked.operation, asked.arguments())
        if isinstance(listed, Refused):
            return evidence_asked.missing(request, asked, listed)
        devices = found.answers[posture.DEVICES.text]
        apps = (devices.value or {})["VirtualMFADevices"] if isinstance(devices, ApiAnswer) else []
        with_app = {_owner(each) for each in apps}
        names = [user["UserName"] for user in listed["Users"] if user["UserName"] not in with_app]
        return await _asked(request, names, needs_report=listed["IsTruncated"])
    if isinstance(credentials, Missing):
        return Unprotected((), needs_report=True) if posture.needs_report(credentials) else credentials
    # Those who have enrolled a device since the report was made are not named.
    return await _asked(request, credentials.without_mfa[:_ASKED_ONE_BY_ONE], needs_report=False)


def _owner(device: Mapping[str, Mapping[str, str]]) -> str:
    return device.get("User", {}).get("UserName", "")


async def _asked(request: Request, names: Sequence[str], *, needs_report: bool) -> Unprotected | Missing:
    found: list[str] = []
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        answers = await asyncio.gather(*(_is_unprotected(request, name) for name in some))
        lacking = next((answer for answer in answers if isinstance(answer, Missing)), None)
        if lacking is not None:
            return lacking
        found += [name for name, answer in zip(some, answers, strict=True) if answer]
        if len(found) >= posture.ENOUGH:
            break
    return Unprotected(found, needs_report=needs_report)


async def _is_unprotected(request: Request, name: str) -> bool | Missing:
    """Tell whether a user has a password and no device; whoever may not ask is told of the user rather than of nobody."""
    profile = await calls.ask(request, "iam", "GetLoginProfile", {"UserName": name})
    if isinstance(profile, Refused) and not profile.is_denied:
        return False
    asked = question("iam", "ListMFADevices", UserName=name)
    devices = await calls.ask(request, asked.service, asked.operation, asked.arguments())
    if isinstance(devices, Refused):
        # Somebody may have deleted the user meanwhile.
        return evidence_asked.missing(request, asked, devices) if devices.code != "NoSuchEntity" else False
    return not devices["MFADevices"]
