"""Names: an audit's ARN, what policies and the trail call it, and how it is answered."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.arn import PARTITION
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.audits import credential_audits
from crownkeep.storage.audits.audited_credentials import AuditedCredentialRow
from crownkeep.storage.audits.credential_audits import CredentialAuditRow

RESOURCE_TYPE = "Crownkeep::CredentialAudit::Audit"


def audit_arn(account_id: str, audit_id: str) -> str:
    """Return the ARN of an audit."""
    return f"arn:{PARTITION}:credential-audit::{account_id}:audit/{audit_id}"


def audit(call: Call, *, audit_id: str, **_: object) -> Target:
    """The audit that a call names, whether there is one or not."""
    return Target(audit_arn(call.account_id, audit_id), row=credential_audits.with_id(call.db, call.account_id, audit_id))


def targeted(call: Call, audit_id: str) -> CredentialAuditRow:
    """Return the audit that a call was decided on; raises ResourceNotFoundException."""
    row = call.target_row(CredentialAuditRow)
    if row is None:
        raise errors.ResourceNotFound(f"there is no credential audit `{audit_id}`; ListCredentialAudits names them all")
    return row


def targeted_open(call: Call, audit_id: str) -> CredentialAuditRow:
    """Return the same, which is open; raises ResourceNotFoundException, and ConflictException for one that is closed."""
    row = targeted(call, audit_id)
    if row.status != credential_audits.OPEN:
        raise errors.Conflict(f"credential audit `{audit_id}` is closed, and nothing of it can be changed; start a new one")
    return row


def note(call: Call, audit_id: str) -> None:
    """Let the trail find a call by its audit."""
    call.notes.resources.append((RESOURCE_TYPE, audit_arn(call.account_id, audit_id)))


def describe(row: CredentialAuditRow) -> dict[str, object]:
    """Return an audit by the model's member names."""
    known: dict[str, object | None] = {
        "AuditId": row.audit_id,
        "Arn": audit_arn(row.account_id, row.audit_id),
        "Name": row.name,
        "Status": row.status,
        "CredentialCount": row.credential_count,
        "StartedAt": row.started_at,
        "StartedBy": row.started_by,
        "StartEventId": row.start_event_id,
        "PreviousAuditId": row.previous_audit_id,
        "SnapshotSha256": row.snapshot_sha256,
        "ClosedAt": row.closed_at,
        "ClosedBy": row.closed_by,
        "ClosingEventId": row.closing_event_id,
        "Statement": row.statement,
        "EvidenceSha256": row.evidence_sha256,
    }
    return {name: value for name, value in known.items() if value is not None}


def describe_credential(row: AuditedCredentialRow) -> dict[str, object]:
    """Return a credential by the model's member names."""
    known: dict[str, object | None] = {
        "CredentialId": row.credential_id,
        "Kind": row.kind,
        "UserName": row.user_name or None,
        "OwnerArn": row.owner_arn,
        "IsRoot": row.owner_id == row.account_id,
        "Identifier": row.identifier or None,
        "Status": row.status,
        "OwnerHasMfa": row.owner_has_mfa,
        "CreatedAt": row.created_at,
        "ChangedAt": row.changed_at,
        "LastUsedAt": row.used_at,
        "Change": row.change,
        "State": row.state,
        "Reason": row.reason,
        "DecidedBy": row.decided_by,
        "DecidedAt": row.decided_at,
        "DecisionEventId": row.decision_event_id,
        "RemovedBy": row.removed_by,
        "RemovedAt": row.removed_at,
        "RemovalName": row.removal_name,
        "RemovalEventId": row.removal_event_id,
    }
    return {name: value for name, value in known.items() if value is not None}
