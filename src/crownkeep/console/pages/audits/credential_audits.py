"""Credential audits: started here, and one audit with its credentials, what was decided of them, and how it is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.account import account
from crownkeep.console.pages.reports import credential_report
from crownkeep.console.pages.reports.credential_report import Age
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind

SERVICE = "credential-audit"
PATH = "/console/credential-audits"
LAST_SIGNED = Equivalent(SERVICE, "ListCredentialAudits", {"Status": "SIGNED_OFF", "MaxResults": 1})
QUARTER = timedelta(days=92)
"""The longest that a quarter of a year is."""
STATES = {
    "UNDECIDED": "Undecided",
    "KEPT": "Kept",
    "TO_BE_REMOVED": "To be removed",
    "REMOVED": "Removed",
    "GONE": "Gone",
}
CHANGES = {"NEW": "New", "CHANGED": "Changed", "UNCHANGED": "Unchanged", "GONE": "Gone"}
KINDS = {
    "PASSWORD": "Password",
    "MFA_DEVICE": "MFA device",
    "ACCESS_KEY": "Access key",
    "SIGNING_CERTIFICATE": "Signing certificate",
    "SSH_PUBLIC_KEY": "SSH public key",
    "SERVICE_CREDENTIAL": "Service-specific credential",
}


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
        about = await calls.ask(request, account.INFORMATION.service, account.INFORMATION.operation)
        since = None if isinstance(about, Refused) else about["AccountCreatedDate"]
    due_at = None if since is None else since + QUARTER
    return LastAudit(credential_report.age(signed, now=now), due_at, is_due=due_at is None or due_at <= now)


def page_of(audit_id: str, **query: object) -> str:
    """Return the address of an audit's page."""
    return parts.address(f"{PATH}/{parts.segment(audit_id)}", **query)


async def audits(request: Request) -> Response:
    """List the account's audits, the latest first, with a form to start one."""
    web.signed_in(request)
    return await _list_page(request)


async def started(request: Request) -> Response:
    """Start an audit and go to it."""
    wanted = Equivalent(SERVICE, "StartCredentialAudit", {"Name": parts.entered(request, "name")["name"]})
    found, outcome = await parts.obtain(request, wanted)
    if outcome.refused is not None:
        return await _list_page(request, refusal=outcome.refused)
    return calls.go(request, page_of(found["CredentialAudit"]["AuditId"]), *outcome.made)


async def audit(request: Request) -> Response:
    """Show one audit and a page of its credentials."""
    web.signed_in(request)
    return await show(request)


async def signed_off(request: Request) -> Response:
    """Sign the audit off, in the name of whoever does."""
    return await _closed(request, "SignOffCredentialAudit", "Statement", "statement")


async def cancelled(request: Request) -> Response:
    """Cancel the audit."""
    return await _closed(request, "CancelCredentialAudit", "Reason", "reason")


async def evidence(request: Request) -> Response:
    """Hand out the evidence as the API answers it, byte for byte."""
    web.signed_in(request)
    audit_id = request.path_params["audit"]
    found = await parts.ask(request, "GetCredentialAuditEvidence", service=SERVICE, AuditId=audit_id)
    if found.refusal is not None:
        return await show(request, refusal=found.refusal)
    name = f"credential-audit-{web.signed_in(request).principal.account_id}-{audit_id}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(found.text("Document").encode(), media_type="application/json", headers=headers)


async def show(request: Request, *, refusal: Refused | None = None, entered: str = "") -> Response:
    """Show an audit's page, after a refusal with what was typed as the reason."""
    audit_id = request.path_params["audit"]
    here = {
        "state": parts.chosen(request, "state", ("", *STATES)),
        "change": parts.chosen(request, "change", ("", *CHANGES)),
        "user": request.query_params.get("user", "").strip()[:64],
    }
    about = await parts.ask(request, "GetCredentialAudit", service=SERVICE, AuditId=audit_id)
    if about.refusal is not None and about.refusal.code == "ResourceNotFoundException":
        return parts.missing(request, about, current=PATH, title="There is no such credential audit", back=PATH)
    listed = await _credentials(request, audit_id, here)
    changing = [
        Equivalent(SERVICE, operation, {"AuditId": audit_id, **parameters}) for operation, parameters in _CHANGING.items()
    ]
    marker = request.query_params.get("marker", "")
    return frame.page(
        request,
        "credential_audit.html",
        current=PATH,
        same=[about.call, listed.call, *changing],
        refusal=refusal,
        path=page_of(audit_id),
        about=about,
        listed=listed,
        here=here,
        states=STATES,
        changes=CHANGES,
        kinds=KINDS,
        entered=entered,
        is_own=lambda row: _is_own(request, row),
        age_of=lambda moment: credential_report.age(moment, now=web.of(request).now),
        first=page_of(audit_id, **here) if marker else "",
        next_page=page_of(audit_id, **here, marker=listed.marker) if listed.marker else "",
    )


_CHANGING: dict[str, dict[str, object]] = {
    "DecideCredentials": {"CredentialIds": ["CREDENTIAL_ID"], "Decision": "KEEP", "Reason": "REASON"},
    "RecordCredentialRemoval": {"CredentialId": "CREDENTIAL_ID", "EventId": "EVENT_ID"},
    "SignOffCredentialAudit": {"Statement": "STATEMENT"},
    "GetCredentialAuditEvidence": {},
}
"""What the page's buttons call, with what a person fills in."""


async def _credentials(request: Request, audit_id: str, here: dict[str, str]) -> Part:
    return await parts.ask(
        request,
        "ListAuditedCredentials",
        service=SERVICE,
        AuditId=audit_id,
        State=here["state"],
        Change=here["change"],
        UserName=here["user"],
        MaxResults=parts.ROWS,
        NextToken=request.query_params.get("marker", ""),
    )


def _is_own(request: Request, row: dict[str, Any]) -> bool:
    """Tell whether a credential is of the person who looks, also where they have taken a role on."""
    person = web.signed_in(request).person
    return bool(row["IsRoot"]) if person.kind is PrincipalKind.ROOT else row["OwnerArn"] == person.arn


async def _list_page(request: Request, *, refusal: Refused | None = None) -> Response:
    marker = request.query_params.get("marker", "")
    listed = await parts.ask(request, "ListCredentialAudits", service=SERVICE, MaxResults=parts.ROWS, NextToken=marker)
    rows = listed.rows("CredentialAudits")
    signed = next((row["ClosedAt"] for row in rows if row["Status"] == "SIGNED_OFF"), None)
    return frame.page(
        request,
        "credential_audits.html",
        current=PATH,
        same=[listed.call, Equivalent(SERVICE, "StartCredentialAudit", {"Name": "NAME"})],
        refusal=refusal,
        path=PATH,
        listed=listed,
        is_open=any(row["Status"] == "OPEN" for row in rows),
        last=credential_report.age(signed, now=web.of(request).now),
        name=_quarter(web.of(request).now),
        first=PATH if marker else "",
        next_page=parts.address(PATH, marker=listed.marker) if listed.marker else "",
    )


def _quarter(now: datetime) -> str:
    return f"{now.year} Q{(now.month + 2) // 3}"


async def _closed(request: Request, operation: str, member: str, field: str) -> Response:
    audit_id, words = request.path_params["audit"], parts.entered(request, field)[field]
    wanted = Equivalent(SERVICE, operation, {"AuditId": audit_id, member: words})
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await show(request, refusal=calls.refused(request, wanted, error), entered=words)
    return calls.go(request, page_of(audit_id), done)


ROUTES = [
    Route(PATH, audits, methods=["GET"]),
    Route(PATH, started, methods=["POST"]),
    Route(f"{PATH}/{{audit}}", audit, methods=["GET"]),
    Route(f"{PATH}/{{audit}}/sign-off", signed_off, methods=["POST"]),
    Route(f"{PATH}/{{audit}}/cancel", cancelled, methods=["POST"]),
    Route(f"{PATH}/{{audit}}/evidence", evidence, methods=["GET"]),
]
