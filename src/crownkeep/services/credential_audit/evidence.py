"""Evidence: what is kept of an audit as one canonical document, whose digest the trail holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crownkeep.audit import credential_evidence
from crownkeep.audit.credential_evidence import moment
from crownkeep.operations.call import Call
from crownkeep.services.credential_audit import audit_names
from crownkeep.storage.audits import audited_credentials
from crownkeep.storage.audits.audited_credentials import AuditedCredentialRow
from crownkeep.storage.audits.credential_audits import CredentialAuditRow


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who signs an audit off, in which words, and which event of the trail holds it."""

    by: str
    at: datetime
    statement: str
    event_id: str


def of_audit(call: Call, audit: CredentialAuditRow, sign_off: SignOff | None) -> bytes:
    """Write the document of an audit; the same audit always gives the same bytes."""
    rows = audited_credentials.of_audit(call.db, call.account_id, audit.audit_id)
    return credential_evidence.document(
        account_id=audit.account_id,
        audit={
            "audit_id": audit.audit_id,
            "arn": audit_names.audit_arn(audit.account_id, audit.audit_id),
            "name": audit.name,
            "started_at": moment(audit.started_at),
            "started_by": audit.started_by,
            "start_event_id": audit.start_event_id,
            "previous_audit_id": audit.previous_audit_id,
            "snapshot_sha256": audit.snapshot_sha256,
        },
        credentials=[_entry(row) for row in rows],
        sign_off=_signed(sign_off) if sign_off is not None else None,
    )


def sign_off_of(audit: CredentialAuditRow) -> SignOff | None:
    """Return how an audit was signed off; None for one that was not."""
    if audit.evidence_sha256 is None or audit.closed_at is None:
        return None
    return SignOff(audit.closed_by or "", audit.closed_at, audit.statement or "", audit.closing_event_id or "")


def snapshot_sha256(rows: Sequence[AuditedCredentialRow]) -> str:
    """Return the digest of what was found, before anything is decided."""
    return credential_evidence.snapshot_sha256(_snapshot(row) for row in rows)


def _signed(sign_off: SignOff) -> Mapping[str, object]:
    return {
        "signed_by": sign_off.by,
        "signed_at": moment(sign_off.at),
        "statement": sign_off.statement,
        "event_id": sign_off.event_id,
    }


def _entry(row: AuditedCredentialRow) -> Mapping[str, object]:
    entry: dict[str, object] = {"snapshot": _snapshot(row)}
    if row.decision_event_id is not None:
        entry["decision"] = {
            "decision": "KEEP" if row.state == audited_credentials.KEPT else "REMOVE",
            "reason": row.reason,
            "reviewer": row.decided_by,
            "reviewer_id": row.decided_by_id,
            "decided_at": moment(row.decided_at),
            "event_id": row.decision_event_id,
        }
    if row.removal_event_id is not None:
        entry["removal"] = {
            "removed_by": row.removed_by,
            "removed_at": moment(row.removed_at),
            "event_name": row.removal_name,
            "event_id": row.removal_event_id,
        }
    return entry


def _snapshot(row: AuditedCredentialRow) -> Mapping[str, object]:
    return {
        "credential_id": row.credential_id,
        "kind": row.kind,
        "owner_id": row.owner_id,
        "owner_arn": row.owner_arn,
        "user_name": row.user_name,
        "identifier": row.identifier,
        "status": row.status,
        "owner_has_mfa": row.owner_has_mfa,
        "created_at": moment(row.created_at),
        "changed_at": moment(row.changed_at),
        "last_used_at": moment(row.used_at),
        "change": row.change,
    }
