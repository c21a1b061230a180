"""Credential audits: started here, and one audit with its credentials, what was decided of them, and how it is closed."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, parts, report_lines, signed_audits, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.audits import audit_page
from crownkeep.errors import AwsError


async def audits(request: Request) -> Response:
    """List the account's audits, the latest first, with a form to start one."""
    web.signed_in(request)
    return await _list_page(request)


async def started(request: Request) -> Response:
    """Start an audit and go to it."""
    wanted = Equivalent(signed_audits.SERVICE, "StartCredentialAudit", {"Name": parts.entered(request, "name")["name"]})
    found, outcome = await parts.obtain(request, wanted)
    if outcome.refused is not None:
        return await _list_page(request, refusal=outcome.refused)
    return calls.go(request, audit_page.page_of(found["CredentialAudit"]["AuditId"]), *outcome.made)


async def audit(request: Request) -> Response:
    """Show one audit and a page of its credentials."""
    web.signed_in(request)
    return await audit_page.show(request)


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
    found = await parts.ask(request, "GetCredentialAuditEvidence", service=signed_audits.SERVICE, AuditId=audit_id)
    if found.refusal is not None:
        return await audit_page.show(request, refusal=found.refusal)
    name = f"credential-audit-{web.signed_in(request).principal.account_id}-{audit_id}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(found.text("Document").encode(), media_type="application/json", headers=headers)


async def _list_page(request: Request, *, refusal: Refused | None = None) -> Response:
    marker = request.query_params.get("marker", "")
    listed = await parts.ask(
        request, "ListCredentialAudits", service=signed_audits.SERVICE, MaxResults=parts.ROWS, NextToken=marker
    )
    rows = listed.rows("CredentialAudits")
    signed = next((row["ClosedAt"] for row in rows if row["Status"] == "SIGNED_OFF"), None)
    return frame.page(
        request,
        "credential_audits.html",
        current=signed_audits.PATH,
        same=[listed.call, Equivalent(signed_audits.SERVICE, "StartCredentialAudit", {"Name": "NAME"})],
        refusal=refusal,
        path=signed_audits.PATH,
        listed=listed,
        is_open=any(row["Status"] == "OPEN" for row in rows),
        last=report_lines.age(signed, now=web.of(request).now),
        name=_quarter(web.of(request).now),
        first=signed_audits.PATH if marker else "",
        next_page=parts.address(signed_audits.PATH, marker=listed.marker) if listed.marker else "",
    )


def _quarter(now: datetime) -> str:
    return f"{now.year} Q{(now.month + 2) // 3}"


async def _closed(request: Request, operation: str, member: str, field: str) -> Response:
    audit_id, words = request.path_params["audit"], parts.entered(request, field)[field]
    wanted = Equivalent(signed_audits.SERVICE, operation, {"AuditId": audit_id, member: words})
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await audit_page.show(request, refusal=calls.refused(request, wanted, error), entered=words)
    return calls.go(request, audit_page.page_of(audit_id), done)


ROUTES = [
    Route(signed_audits.PATH, audits, methods=["GET"]),
    Route(signed_audits.PATH, started, methods=["POST"]),
    Route(f"{signed_audits.PATH}/{{audit}}", audit, methods=["GET"]),
    Route(f"{signed_audits.PATH}/{{audit}}/sign-off", signed_off, methods=["POST"]),
    Route(f"{signed_audits.PATH}/{{audit}}/cancel", cancelled, methods=["POST"]),
    Route(f"{signed_audits.PATH}/{{audit}}/evidence", evidence, methods=["GET"]),
]
