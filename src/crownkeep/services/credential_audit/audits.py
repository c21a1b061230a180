"""Audits: started with a snapshot, read, and closed for good, with a digest of all that was decided."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

from crownkeep import clock, errors, ids
from crownkeep.audit import credential_evidence
from crownkeep.domain import page_tokens
from crownkeep.operations import record, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode
from crownkeep.services.credential_audit import audit_names, evidence, snapshots
from crownkeep.services.credential_audit.evidence import SignOff
from crownkeep.services.credential_audit.service import credential_audit
from crownkeep.storage.audits import audited_credentials, credential_audits
from crownkeep.storage.audits.audited_credentials import AuditedCredentialRow
from crownkeep.storage.audits.credential_audits import Closing, CredentialAuditRow

_PAGE = 100
_LAST_NUMBER = (1 << 31) - 1
_ID_BYTES = 10


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that was taken before the transaction."""

    rows: list[AuditedCredentialRow]
    previous: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class SignedEvidence:
    """Evidence that was written before the transaction: of which version of the audit, and what its digest is."""

    version: int
    event_id: str
    sha256: str


def take_snapshot(call: Call, *, name: str) -> Taken:
    """Take the snapshot, unless an audit is open."""
    _refuse_second(call)
    rows, previous = snapshots.take(call)
    return Taken(rows, previous, evidence.snapshot_sha256(rows))


@credential_audit.operation("StartCredentialAudit", resource=registry.everything, effect=Effect.STATE, prepare=take_snapshot)
def start_credential_audit(call: Call, *, name: str) -> Result:
    """Open an audit with a snapshot of every credential; one is open at a time."""
    # Asked again: another one may have been started while this snapshot was taken.
    _refuse_second(call)
    taken = call.prepared if isinstance(call.prepared, Taken) else take_snapshot(call, name=name)
    chance = base64.b32encode(clock.token_bytes(_ID_BYTES)).decode().lower()
    audit = CredentialAuditRow(
        account_id=call.account_id,
        audit_id=f"{call.now:%Y%m%d}-{chance}",
        number=credential_audits.next_number(call.db, call.account_id),
        name=name,
        status=credential_audits.OPEN,
        version=0,
        credential_count=sum(row.change != snapshots.GONE for row in taken.rows),
        started_at=call.now,
        started_by=call.principal.arn,
        start_event_id=record.id_of(call),
        snapshot_sha256=taken.sha256,
        previous_audit_id=taken.previous,
    )
    credential_audits.add(call.db, audit)
    audited_credentials.add_all(call.db, [replace(row, audit_id=audit.audit_id) for row in taken.rows])
    audit_names.note(call, audit.audit_id)
    return {"CredentialAudit": audit_names.describe(audit)}


@credential_audit.operation("ListCredentialAudits", resource=registry.everything)
def list_credential_audits(
    call: Call, *, status: str | None = None, max_results: int = _PAGE, next_token: str | None = None
) -> Result:
    """Return the account's audits, the latest first."""
    filters = [status or ""]
    before = _LAST_NUMBER
    if next_token is not None:
        before = int(page_tokens.read(call, next_token, list_name="ListCredentialAudits", filters=filters))
    found = credential_audits.page(call.db, call.account_id, before=before, limit=max_results + 1, status=status)
    result: dict[str, object] = {"CredentialAudits": [audit_names.describe(row) for row in found[:max_results]]}
    if len(found) > max_results:
        last = str(found[max_results - 1].number)
        result["NextToken"] = page_tokens.write(call, last, list_name="ListCredentialAudits", filters=filters)
    return result


@credential_audit.operation("GetCredentialAudit", resource=audit_names.audit)
def get_credential_audit(call: Call, *, audit_id: str) -> Result:
    """Return an audit and how far it has come."""
    audit = audit_names.targeted(call, audit_id)
    return {"CredentialAudit": audit_names.describe(audit), "Counts": counts(call, audit_id)}


def write_evidence(call: Call, *, audit_id: str, statement: str) -> SignedEvidence:
    """Write the evidence of an audit as it stands, for its digest."""
    audit = _finished(call, audit_id)
    _refuse_restored(call, audit_id)
    # Chosen here, as the evidence names the event that holds its own digest.
    event_id = str(ids.event_id(call.now, clock.id_bytes(10)))
    document = evidence.of_audit(call, audit, SignOff(call.principal.arn, call.now, statement, event_id))
    return SignedEvidence(audit.version, event_id, credential_evidence.sha256(document))


@credential_audit.operation("SignOffCredentialAudit", resource=audit_names.audit, effect=Effect.STATE, prepare=write_evidence)
def sign_off_credential_audit(call: Call, *, audit_id: str, statement: str) -> Result:
    """Close an audit in which everything is decided and carried out; the record holds the digest of its evidence."""
    signed = (
        call.prepared
        if isinstance(call.prepared, SignedEvidence)
        else write_evidence(call, audit_id=audit_id, statement=statement)
    )
    audit = _finished(call, audit_id)
    # The evidence was written before the transaction: what was decided since is not in it.
    if audit.version != signed.version:
        raise errors.Conflict(f"credential audit `{audit_id}` has gone on since; look at it and sign it off again")
    call.notes.event_id = signed.event_id
    return _close(call, audit, statement, status=credential_audits.SIGNED_OFF, evidence_sha256=signed.sha256)


@credential_audit.operation("CancelCredentialAudit", resource=audit_names.audit, effect=Effect.STATE)
def cancel_credential_audit(call: Call, *, audit_id: str, reason: str) -> Result:
    """Close an audit that won't be finished; it stays on record, and the next one isn't compared with it."""
    return _close(
        call, audit_names.targeted_open(call, audit_id), reason, status=credential_audits.CANCELLED, evidence_sha256=None
    )


@credential_audit.operation("GetCredentialAuditEvidence", resource=audit_names.audit, mode=Mode.LONG_READ)
def get_credential_audit_evidence(call: Call, *, audit_id: str) -> Result:
    """Return the evidence of an audit; of one that was signed off only as it was signed."""
    audit = audit_names.targeted(call, audit_id)
    document = evidence.of_audit(call, audit, evidence.sign_off_of(audit))
    digest = credential_evidence.sha256(document)
    # Nothing rather than a document that looks signed: rows may have been changed in the database since.
    if audit.evidence_sha256 is not None and digest != audit.evidence_sha256:
        raise errors.Conflict(f"what is kept of credential audit `{audit_id}` is not what was signed off; ask the operator")
    return {"Document": document.decode(), "Sha256": digest}


def counts(call: Call, audit_id: str) -> Mapping[str, int]:
    """Return how many credentials of an audit are undecided, kept and removed, and how many are new, changed and gone."""
    found = audited_credentials.counts(call.db, call.account_id, audit_id)
    states = {"Undecided": "UNDECIDED", "Kept": "KEPT", "ToBeRemoved": "TO_BE_REMOVED", "Removed": "REMOVED"}
    changes = {"New": "NEW", "Changed": "CHANGED", "Unchanged": "UNCHANGED", "Gone": "GONE"}
    return {name: sum(count for state, _, count in found if state == each) for name, each in states.items()} | {
        name: sum(count for _, change, count in found if change == each) for name, each in changes.items()
    }


def _refuse_second(call: Call) -> None:
    open_one = credential_audits.latest(call.db, call.account_id, status=credential_audits.OPEN)
    if open_one is not None:
        raise errors.Conflict(f"credential audit `{open_one.audit_id}` is open; sign it off or cancel it first")


def _refuse_restored(call: Call, audit_id: str) -> None:
    """Raise Conflict where a credential works again whose removal was recorded: nobody signs that it is gone."""
    wanted = {"state": audited_credentials.REMOVED}
    removed = audited_credentials.page(call.db, call.account_id, audit_id, after=0, limit=_LAST_NUMBER, wanted=wanted)
    # An inactive key can be turned on again after its removal was recorded.
    restored = {row.credential_id for row in removed} & snapshots.working(call) if removed else set()
    if restored:
        raise errors.Conflict(f"credential `{min(restored)}` is there again, and active; remove it once more")


def _finished(call: Call, audit_id: str) -> CredentialAuditRow:
    audit = audit_names.targeted_open(call, audit_id)
    found = counts(call, audit_id)
    if found["Undecided"]:
        raise errors.Conflict(f"{found['Undecided']} credentials of audit `{audit_id}` are undecided; keep or remove them first")
    if found["ToBeRemoved"]:
        raise errors.Conflict(
            f"{found['ToBeRemoved']} credentials of audit `{audit_id}` are to be removed and were not; remove or keep them first"
        )
    return audit


def _close(call: Call, audit: CredentialAuditRow, statement: str, *, status: str, evidence_sha256: str | None) -> Result:
    closing = Closing(status, call.now, call.principal.arn, record.id_of(call), statement, evidence_sha256)
    if not credential_audits.close(call.db, audit, closing):
        raise errors.Conflict(f"credential audit `{audit.audit_id}` was closed meanwhile; look at it again")
    audit_names.note(call, audit.audit_id)
    closed = credential_audits.with_id(call.db, call.account_id, audit.audit_id)
    return {"CredentialAudit": audit_names.describe(closed or audit)}
