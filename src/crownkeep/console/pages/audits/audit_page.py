"""One audit's page, shown anew by every form on it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import frame, parts, report_lines, signed_audits, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.principals import PrincipalKind
from crownkeep.translation import gettext, gettext_noop

STATES = {
    "UNDECIDED": gettext_noop("Undecided"),
    "KEPT": gettext_noop("Kept"),
    "TO_BE_REMOVED": gettext_noop("To be removed"),
    "REMOVED": gettext_noop("Removed"),
    "GONE": gettext_noop("Gone"),
}
CHANGES = {
    "NEW": gettext_noop("New"),
    "CHANGED": gettext_noop("Changed"),
    "UNCHANGED": gettext_noop("Unchanged"),
    "GONE": gettext_noop("Gone"),
}
KINDS = {
    "PASSWORD": gettext_noop("Password"),
    "MFA_DEVICE": gettext_noop("MFA device"),
    "ACCESS_KEY": gettext_noop("Access key"),
    "SIGNING_CERTIFICATE": gettext_noop("Signing certificate"),
    "SSH_PUBLIC_KEY": gettext_noop("SSH public key"),
    "SERVICE_CREDENTIAL": gettext_noop("Service-specific credential"),
}


def page_of(audit_id: str, **query: object) -> str:
    """Return the address of an audit's page."""
    return parts.address(f"{signed_audits.PATH}/{parts.segment(audit_id)}", **query)


async def show(request: Request, *, refusal: Refused | None = None, entered: str = "") -> Response:
    """Show an audit's page, after a refusal with what was typed as the reason."""
    audit_id = request.path_params["audit"]
    here = {
        "state": parts.chosen(request, "state", ("", *STATES)),
        "change": parts.chosen(request, "change", ("", *CHANGES)),
        # 64 characters are IAM's longest user name; more would be refused and find nothing in any case.
        "user": request.query_params.get("user", "").strip()[:64],
    }
    about = await parts.ask(request, "GetCredentialAudit", service=signed_audits.SERVICE, AuditId=audit_id)
    if about.refusal is not None and about.refusal.code == "ResourceNotFoundException":
        folder = signed_audits.PATH
        return parts.missing(request, about, current=folder, title=gettext("There is no such credential audit"), back=folder)
    listed = await _credentials(request, audit_id, here)
    changing = [
        Equivalent(signed_audits.SERVICE, operation, {"AuditId": audit_id, **parameters})
        for operation, parameters in _CHANGING.items()
    ]
    marker = request.query_params.get("marker", "")
    return frame.page(
        request,
        "credential_audit.html",
        current=signed_audits.PATH,
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
        age_of=lambda moment: report_lines.age(moment, now=web.of(request).now),
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
        service=signed_audits.SERVICE,
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
    # Nobody decides on their own credentials; the audit refuses it, and the page shows why beforehand.
    return bool(row["IsRoot"]) if person.kind is PrincipalKind.ROOT else row["OwnerArn"] == person.arn
