"""Decisions: each credential is kept or removed by a person who answers for it, and a removal is proved by the trail.

Nothing is removed here. Whoever has the permission removes a credential by IAM's own operation; its event is the proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from crownkeep import errors
from crownkeep.domain import page_tokens
from crownkeep.operations import record
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.principals import PrincipalKind
from crownkeep.services.credential_audit import audit_names, audits
from crownkeep.services.credential_audit.service import credential_audit
from crownkeep.storage.audits import audited_credentials, credential_audits
from crownkeep.storage.audits.audited_credentials import AuditedCredentialRow, CredentialDecision, Removal
from crownkeep.storage.audits.credential_audits import CredentialAuditRow
from crownkeep.storage.identities import users
from crownkeep.storage.reports import held_credentials
from crownkeep.storage.trail import lookups
from crownkeep.storage.trail.events import EventRow

KEEP = "KEEP"
_PAGE = 100
_LAST = UUID(int=(1 << 128) - 1)
_IAM = "iam.amazonaws.com"

# By kind: the calls that remove such a credential, each with the parameter that names it; None where its user does.
_REMOVED_BY: Mapping[str, Mapping[str, str | None]] = {
    held_credentials.PASSWORD: {"DeleteLoginProfile": None},
    held_credentials.MFA_DEVICE: {"DeactivateMFADevice": "serialNumber"},
    held_credentials.ACCESS_KEY: {"DeleteAccessKey": "accessKeyId", "UpdateAccessKey": "accessKeyId"},
    held_credentials.SIGNING_CERTIFICATE: {
        "DeleteSigningCertificate": "certificateId",
        "UpdateSigningCertificate": "certificateId",
    },
    held_credentials.SSH_PUBLIC_KEY: {"DeleteSSHPublicKey": "sSHPublicKeyId", "UpdateSSHPublicKey": "sSHPublicKeyId"},
    held_credentials.SERVICE_CREDENTIAL: {
        "DeleteServiceSpecificCredential": "serviceSpecificCredentialId",
        "UpdateServiceSpecificCredential": "serviceSpecificCredentialId",
    },
}


@credential_audit.operation("ListAuditedCredentials", resource=audit_names.audit)
def list_audited_credentials(
    call: Call,
    *,
    audit_id: str,
    state: str | None = None,
    change: str | None = None,
    credential_ids: list[str] | None = None,
    user_name: str | None = None,
    max_results: int = _PAGE,
    next_token: str | None = None,
) -> Result:
    """Return the credentials of an audit in the order of its snapshot, all or those that are meant."""
    audit_names.targeted(call, audit_id)
    user_key = user_name.lower() if user_name is not None else None
    given = {"state": state, "change": change, "user_key": user_key, "ids": credential_ids}
    wanted = {name: value for name, value in given.items() if value is not None}
    filters = [audit_id, state or "", change or "", user_name or "", *(credential_ids or ())]
    after = 0
    if next_token is not None:
        after = int(page_tokens.read(call, next_token, list_name="ListAuditedCredentials", filters=filters))
    found = audited_credentials.page(call.db, call.account_id, audit_id, after=after, limit=max_results + 1, wanted=wanted)
    result: dict[str, object] = {"AuditedCredentials": [audit_names.describe_credential(row) for row in found[:max_results]]}
    if len(found) > max_results:
        last = str(found[max_results - 1].number)
        result["NextToken"] = page_tokens.write(call, last, list_name="ListAuditedCredentials", filters=filters)
    return result


@credential_audit.operation("DecideCredentials", resource=audit_names.audit, effect=Effect.STATE)
def decide_credentials(call: Call, *, audit_id: str, credential_ids: list[str], decision: str, reason: str) -> Result:
    """Keep or remove credentials, all of them or none, in the name of whoever calls."""
    audit_names.targeted_open(call, audit_id)
    # Each once, so that the number of rows that are changed below can be compared with theirs.
    wanted = sorted(set(credential_ids))
    rows = _required(call, audit_id, wanted)
    for row in rows:
        _refuse_own(call, row)
        if row.state in (audited_credentials.GONE, audited_credentials.REMOVED):
            raise errors.Conflict(f"credential `{row.credential_id}` is gone already; there is nothing to decide of it")
    made = CredentialDecision(
        state=audited_credentials.KEPT if decision == KEEP else audited_credentials.TO_BE_REMOVED,
        reason=reason,
        by=call.principal.arn,
        by_id=call.principal.user_id,
        at=call.now,
        event_id=record.id_of(call),
    )
    decided = audited_credentials.decide(call.db, call.account_id, audit_id, wanted, made)
    # The count tells of rows that changed between the look and the update; all or none, so the refusal undoes the rest.
    if decided != len(wanted) or not credential_audits.advance(call.db, call.account_id, audit_id):
        raise errors.Conflict(f"credential audit `{audit_id}` has gone on since; look at it again")
    audit_names.note(call, audit_id)
    return {"Counts": audits.counts(call, audit_id)}


@credential_audit.operation("RecordCredentialRemoval", resource=audit_names.audit, effect=Effect.STATE)
def record_credential_removal(call: Call, *, audit_id: str, credential_id: str, event_id: str) -> Result:
    """Take an event of the trail as the proof that a credential was removed; a credential that still works is refused."""
    audit = audit_names.targeted_open(call, audit_id)
    row = _required(call, audit_id, [credential_id])[0]
    if row.state != audited_credentials.TO_BE_REMOVED:
        raise errors.Conflict(f"credential `{credential_id}` is not to be removed; decide so first")
    removal = _proof(call, audit, row, event_id)
    if removal is None:
        raise errors.Conflict(f"event `{event_id}` is no record of a call that removed `{credential_id}` during this audit")
    if _works(call, row):
        raise errors.Conflict(f"credential `{credential_id}` is there again, and active; remove it once more")
    if not audited_credentials.remove(call.db, call.account_id, audit_id, credential_id, removal):
        raise errors.Conflict(f"credential audit `{audit_id}` has gone on since; look at it again")
    credential_audits.advance(call.db, call.account_id, audit_id)
    audit_names.note(call, audit_id)
    return {"AuditedCredential": audit_names.describe_credential(_required(call, audit_id, [credential_id])[0])}


def _required(call: Call, audit_id: str, credential_ids: list[str]) -> list[AuditedCredentialRow]:
    rows = audited_credentials.with_ids(call.db, call.account_id, audit_id, credential_ids)
    missing = set(credential_ids) - {row.credential_id for row in rows}
    if missing:
        raise errors.ResourceNotFound(f"credential audit `{audit_id}` has no credential `{min(missing)}`")
    return rows


def _refuse_own(call: Call, row: AuditedCredentialRow) -> None:
    """Let nobody decide of what they sign in with themselves, also not through a role that they have taken on."""
    caller = call.principal
    own = {caller.unique_id}
    if caller.session is not None:
        # Whoever took the role on; in a chain of roles that is the role before.
        own.add(caller.session.assumed_by_id)
    if caller.kind is PrincipalKind.FEDERATED_USER:
        own.add(caller.account_id if not caller.name else caller.unique_id)
    if row.owner_id in own:
        raise errors.AccessDenied(
            f"User: {caller.arn} is not authorized to perform: credential-audit:DecideCredentials on credential"
            f" {row.credential_id} because it is the caller's own: another reviewer decides of it"
        )


def _proof(call: Call, audit: CredentialAuditRow, row: AuditedCredentialRow, event_id: str) -> Removal | None:
    """Return the removal that an event of this account's trail records; None where it records none of this credential."""
    found = _event(call, event_id)
    if found is None or found.source != _IAM or found.name not in _REMOVED_BY[row.kind] or found.happened_at < audit.started_at:
        return None
    recorded: dict[str, Any] = msgspec.json.decode(found.record)
    parameters: dict[str, Any] = recorded.get("requestParameters") or {}
    if recorded.get("errorCode") or not _is_about(parameters, row, found.name, names=_names(call, row)):
        return None
    by = str((recorded.get("userIdentity") or {}).get("arn", ""))
    return Removal(found.name, by, found.happened_at, event_id)


def _event(call: Call, event_id: str) -> EventRow | None:
    try:
        UUID(event_id)
    except ValueError:
        return None
    wanted = ("EventId", event_id)
    found = lookups.newest(call.db, call.account_id, first=UUID(int=0), before=_LAST, limit=1, attribute=wanted)
    return found[0] if found else None


def _names(call: Call, row: AuditedCredentialRow) -> set[str]:
    """Return what the owner was called when the audit began, and what it is called now."""
    # Another user may have taken the name since. That is why a removal is believed only where the credential is gone as well.
    user = users.with_id(call.db, call.account_id, row.owner_id)
    return {row.user_name.lower()} | ({user.name_key} if user else set())


def _is_about(parameters: Mapping[str, Any], row: AuditedCredentialRow, name: str, *, names: set[str]) -> bool:
    # The same operation switches a credential on, too.
    if name.startswith("Update") and parameters.get("status") != "Inactive":
        return False
    member = _REMOVED_BY[row.kind][name]
    if member is None:
        # Root's own password is named by nobody's name.
        return str(parameters.get("userName") or "").lower() in names
    return bool(parameters.get(member) == row.identifier)


def _works(call: Call, row: AuditedCredentialRow) -> bool:
    held = held_credentials.of_owner(call.db, call.account_id, row.owner_id, kind=row.kind)
    return any(each.key == row.credential_id.partition("/")[2] and each.status == held_credentials.ACTIVE for each in held)
