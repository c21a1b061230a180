"""Decisions of a credential audit: kept or removed, and removed by IAM's own operations with the reviewer's own permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, danger, parts, web
from crownkeep.console.kit.calls import Done
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import ChangesMade
from crownkeep.console.kit.signed_audits import PATH, SERVICE
from crownkeep.console.pages.audits import audit_page
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind
from crownkeep.translation import gettext

# What removes a credential of each kind, with the parameter that names it beside its user.
_REMOVE = {
    "PASSWORD": ("DeleteLoginProfile", None),
    "MFA_DEVICE": ("DeactivateMFADevice", "SerialNumber"),
    "ACCESS_KEY": ("DeleteAccessKey", "AccessKeyId"),
    "SIGNING_CERTIFICATE": ("DeleteSigningCertificate", "CertificateId"),
    "SSH_PUBLIC_KEY": ("DeleteSSHPublicKey", "SSHPublicKeyId"),
    "SERVICE_CREDENTIAL": ("DeleteServiceSpecificCredential", "ServiceSpecificCredentialId"),
}


async def decided(request: Request) -> Response:
    """Keep the chosen credentials, or remove them: first it is decided, then each is removed and its event recorded."""
    audit_id, form = request.path_params["audit"], web.form(request)
    chosen, reason = form.all("credential"), form.one("reason").strip()
    decision = "REMOVE" if form.one("decision") == "REMOVE" else "KEEP"
    if decision == "REMOVE":
        _require_word(request, audit_id)
    named: dict[str, object] = {"AuditId": audit_id, "CredentialIds": chosen}
    wanted = Equivalent(SERVICE, "DecideCredentials", {**named, "Decision": decision, "Reason": reason})
    outcome = await parts.carry_out(request, [wanted])
    if outcome.refused is not None:
        return await audit_page.show(request, refusal=outcome.refused, entered=reason)
    if decision == "REMOVE":
        outcome = await _remove(request, audit_id, chosen, made=list(outcome.made))
    return _outcome_page(request, audit_id, outcome)


async def removed(request: Request) -> Response:
    """Remove credentials that are to be removed, as whoever may: root's own keys, for example, only root does."""
    audit_id = request.path_params["audit"]
    _require_word(request, audit_id)
    return _outcome_page(request, audit_id, await _remove(request, audit_id, web.form(request).all("credential"), made=[]))


async def proved(request: Request) -> Response:
    """Record the event of a removal that was made elsewhere."""
    audit_id = request.path_params["audit"]
    given = parts.entered(request, "credential", "event")
    parameters = {"AuditId": audit_id, "CredentialId": given["credential"], "EventId": given["event"]}
    outcome = await parts.carry_out(request, [Equivalent(SERVICE, "RecordCredentialRemoval", parameters)])
    if outcome.refused is not None:
        return await audit_page.show(request, refusal=outcome.refused)
    return _outcome_page(request, audit_id, outcome)


def _require_word(request: Request, audit_id: str) -> None:
    """Ask for a word before access keys are deleted; those that are only deactivated can be activated again."""
    if web.form(request).one("how") == "delete":
        text = gettext("Programs that sign with them are refused from now on. Deactivate them instead to be able to go back.")
        here = audit_page.page_of(audit_id)
        danger.require(
            request, Ending("delete", gettext("Delete these access keys for good?"), text, gettext("Delete them"), here)
        )


async def _remove(request: Request, audit_id: str, chosen: Sequence[str], *, made: list[Done]) -> ChangesMade:
    """Remove one after the other; at a refusal the rest stays as it is, to be removed later or by somebody else."""
    # What is removed is read from the audit and not from the form, which anybody can fill in.
    listed = await parts.ask(
        request,
        "ListAuditedCredentials",
        service=SERVICE,
        AuditId=audit_id,
        CredentialIds=list(chosen),
        State="TO_BE_REMOVED",
    )
    if listed.refusal is not None:
        return ChangesMade(tuple(made), listed.refusal)
    is_root = web.signed_in(request).principal.kind is PrincipalKind.ROOT
    only_deactivate = web.form(request).one("how") != "delete"
    for row in listed.rows("AuditedCredentials"):
        # Only root removes root's own; they stay in the list until somebody comes as root.
        if row["IsRoot"] and not is_root:
            continue
        for wanted in _removal(row, only_deactivate=only_deactivate):
            try:
                done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
            except AwsError as error:
                return ChangesMade(tuple(made), calls.refused(request, wanted, error))
            made.append(done)
            # The deactivation is the proof; deleting the device after it only clears up.
            if wanted.operation != "DeleteVirtualMFADevice":
                proof = {"AuditId": audit_id, "CredentialId": row["CredentialId"], "EventId": done.event_id}
                proven = await parts.carry_out(request, [Equivalent(SERVICE, "RecordCredentialRemoval", proof)])
                made += proven.made
                if proven.refused is not None:
                    return ChangesMade(tuple(made), proven.refused)
    return ChangesMade(tuple(made), None)


def _removal(row: Mapping[str, Any], *, only_deactivate: bool) -> list[Equivalent]:
    """Return the calls that remove a credential; an access key may be deactivated, which can be undone."""
    operation, member = _REMOVE[row["Kind"]]
    named: dict[str, object] = {} if row["IsRoot"] else {"UserName": row["UserName"]}
    if member is not None:
        named[member] = row["Identifier"]
    if row["Kind"] == "ACCESS_KEY" and only_deactivate:
        return [Equivalent("iam", "UpdateAccessKey", {**named, "Status": "Inactive"})]
    # DeactivateMFADevice names root by the account's id, as it requires a user name (`enrolment.user_name`).
    if row["Kind"] == "MFA_DEVICE" and row["IsRoot"]:
        named["UserName"] = row["OwnerArn"].split(":")[4]
    wanted = [Equivalent("iam", operation, named)]
    if row["Kind"] == "MFA_DEVICE" and ":mfa/" in row["Identifier"]:
        wanted.append(Equivalent("iam", "DeleteVirtualMFADevice", {"SerialNumber": row["Identifier"]}))
    return wanted


def _outcome_page(request: Request, audit_id: str, outcome: ChangesMade) -> Response:
    return parts.after(request, outcome, then=audit_page.page_of(audit_id), current=PATH)


ROUTES = [
    Route(f"{PATH}/{{audit}}/decide", decided, methods=["POST"]),
    Route(f"{PATH}/{{audit}}/remove", removed, methods=["POST"]),
    Route(f"{PATH}/{{audit}}/proof", proved, methods=["POST"]),
]
