"""Credential audits as other pages know them: when the last one was signed off."""

from __future__ import annotations

from starlette.requests import Request

from crownkeep.advisor import posture
from crownkeep.advisor.posture import LastAudit
from crownkeep.console.kit import account_names, calls, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent

SERVICE = "credential-audit"
PATH = "/console/credential-audits"
LAST_SIGNED = Equivalent(SERVICE, "ListCredentialAudits", {"Status": "SIGNED_OFF", "MaxResults": 1})


async def last_audit(request: Request) -> LastAudit | Refused:
    """Find the last audit that was signed off, by one lookup, and by a second where there is none."""
    found = await calls.ask(request, LAST_SIGNED.service, LAST_SIGNED.operation, LAST_SIGNED.parameters)
    if isinstance(found, Refused):
        return found
    now = web.of(request).now
    made_at = None
    if not found["CredentialAudits"]:
        about = await calls.ask(request, account_names.INFORMATION.service, account_names.INFORMATION.operation)
        # The first audit is due a quarter after the account was made.
        made_at = None if isinstance(about, Refused) else about["AccountCreatedDate"]
    return posture.last_audit(found["CredentialAudits"], made_at, now=now)
