"""Credential audits as other pages know them: when the last one was signed off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from crownkeep.console.kit import account_names, calls, report_lines, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.report_lines import Age

SERVICE = "credential-audit"
PATH = "/console/credential-audits"
LAST_SIGNED = Equivalent(SERVICE, "ListCredentialAudits", {"Status": "SIGNED_OFF", "MaxResults": 1})
QUARTER = timedelta(days=92)
"""The longest that a quarter of a year is."""


@dataclass(frozen=True, slots=True)
class LastAudit:
    """When all credentials were audited last."""

    signed: Age | None
    """Since when it is signed off; None where there was no audit yet."""
    due_at: datetime | None
    """When the next one is due: a quarter after the last one or, before the first, after the account was made.

    None where neither can be seen.
    """
    is_due: bool


async def last_audit(request: Request) -> LastAudit | Refused:
    """Find the last audit that was signed off, by one lookup, and by a second where there is none."""
    found = await calls.ask(request, LAST_SIGNED.service, LAST_SIGNED.operation, LAST_SIGNED.parameters)
    if isinstance(found, Refused):
        return found
    now = web.of(request).now
    signed: datetime | None = found["CredentialAudits"][0]["ClosedAt"] if found["CredentialAudits"] else None
    since = signed
    if since is None:
        about = await calls.ask(request, account_names.INFORMATION.service, account_names.INFORMATION.operation)
        since = None if isinstance(about, Refused) else about["AccountCreatedDate"]
    due_at = None if since is None else since + QUARTER
    return LastAudit(report_lines.age(signed, now=now), due_at, is_due=due_at is None or due_at <= now)
