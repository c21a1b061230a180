"""Evidence of a credential audit: one canonical JSON document, and whether it is the one that the trail speaks of.

The document is canonical JSON (`canonical_json`) of texts and truth values and nothing else, so that
`json.dumps(..., sort_keys=True, separators=(",", ":"), ensure_ascii=False)` of any tool gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crownkeep import canonical_json, untrusted_json

FORMAT = "crownkeep-credential-audit/1"
SIGN_OFF = "SignOffCredentialAudit"
START = "StartCredentialAudit"


class Altered(ValueError):
    """The evidence is not what the trail says was signed; the text says what differs."""


@dataclass(frozen=True, slots=True)
class EvidenceClaims:
    """What a document says of itself, once its own digests were found to be right."""

    account_id: str
    audit_id: str
    start_event_id: str
    sign_off_event_id: str
    signed_by: str
    signed_at: str
    credentials: int
    sha256: str
    snapshot_sha256: str


def moment(value: datetime | None) -> str | None:
    """Write a moment as the document holds it: UTC, to the microsecond."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sha256(content: bytes) -> str:
    """Return the SHA-256 digest in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def snapshot_sha256(snapshots: Iterable[Mapping[str, object]]) -> str:
    """Return the digest of a snapshot: of the canonical JSON of its list."""
    return sha256(canonical_json.write(list(snapshots)))


def document(
    *,
    account_id: str,
    audit: Mapping[str, object],
    credentials: Sequence[Mapping[str, object]],
    sign_off: Mapping[str, object] | None,
) -> bytes:
    """Write the document. Each credential has `snapshot` and, where there is one, `decision` and `removal`."""
    whole = {"format": FORMAT, "account_id": account_id, "audit": audit, "credentials": credentials, "sign_off": sign_off}
    return canonical_json.write(whole)


def read(content: bytes) -> EvidenceClaims:
    """Read a document's claims; raises Altered where it is no signed evidence or breaks its own digest of the snapshot."""
    try:
        whole = untrusted_json.read(content)
        claims = _claims(whole, content)
        snapshot = snapshot_sha256(each["snapshot"] for each in whole["credentials"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Altered("this is no evidence of a credential audit that was signed off") from error
    if canonical_json.write(whole) != content:
        raise Altered("the document is not in its canonical form: it was changed after it was exported")
    if snapshot != claims.snapshot_sha256:
        raise Altered("the snapshot is not the one whose digest the document gives")
    return claims


def hold(claims: EvidenceClaims, *, started: Mapping[str, Any] | None, signed: Mapping[str, Any] | None) -> None:
    """Hold a document's claims against the two records of the trail that it names; raises Altered where they differ."""
    _hold_event(claims, signed, name=SIGN_OFF, event_id=claims.sign_off_event_id)
    _hold_event(claims, started, name=START, event_id=claims.start_event_id)
    if _answered(signed).get("evidenceSha256") != claims.sha256:
        raise Altered("the document is not the one that was signed off: its digest differs from that of the record")
    if _answered(started).get("snapshotSha256") != claims.snapshot_sha256:
        raise Altered("the snapshot is not the one that was taken: its digest differs from that of the record")


def _claims(whole: Mapping[str, Any], content: bytes) -> EvidenceClaims:
    audit, sign_off = whole["audit"], whole["sign_off"]
    if whole["format"] != FORMAT:
        raise ValueError("the format is another one")
    return EvidenceClaims(
        account_id=str(whole["account_id"]),
        audit_id=str(audit["audit_id"]),
        start_event_id=str(audit["start_event_id"]),
        sign_off_event_id=str(sign_off["event_id"]),
        signed_by=str(sign_off["signed_by"]),
        signed_at=str(sign_off["signed_at"]),
        credentials=len(whole["credentials"]),
        sha256=sha256(content),
        snapshot_sha256=str(audit["snapshot_sha256"]),
    )


def _hold_event(claims: EvidenceClaims, event: Mapping[str, Any] | None, *, name: str, event_id: str) -> None:
    if event is None:
        raise Altered(f"the trail has no event `{event_id}`, by which `{name}` is said to be recorded")
    recorded = (event.get("eventID"), event.get("eventName"), event.get("recipientAccountId"), event.get("errorCode"))
    if recorded != (event_id, name, claims.account_id, None):
        raise Altered(f"the event `{event_id}` is not the record of a `{name}` in account `{claims.account_id}`")
    if _answered(event).get("auditId") != claims.audit_id:
        raise Altered(f"the event `{event_id}` is of another audit")


def _answered(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    answered = ((event or {}).get("responseElements") or {}).get("credentialAudit")
    return answered if isinstance(answered, Mapping) else {}
