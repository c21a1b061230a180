"""Evidence of a credential audit: whatever is changed in it, or in what it refers to, is seen."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from crownkeep import canonical_json
from crownkeep.audit import credential_evidence
from crownkeep.audit.credential_evidence import Altered

ACCOUNT = "123456789012"
SNAPSHOT = [{"credential_id": "access-key/AKIAEXAMPLE", "user_name": "zoë", "change": "NEW"}]
DIGEST = credential_evidence.snapshot_sha256(SNAPSHOT)
DOCUMENT = credential_evidence.document(
    account_id=ACCOUNT,
    audit={"audit_id": "20261124-a", "start_event_id": "start", "snapshot_sha256": DIGEST},
    credentials=[{"snapshot": each, "decision": {"decision": "KEEP", "reviewer": "alice"}} for each in SNAPSHOT],
    sign_off={"signed_by": "alice", "signed_at": "2026-11-24T12:00:00.000000Z", "statement": "Seen.", "event_id": "end"},
)


def event(event_id: str, name: str, **answered: str) -> dict[str, Any]:
    elements = {"credentialAudit": {"auditId": "20261124-a", **answered}}
    return {"eventID": event_id, "eventName": name, "recipientAccountId": ACCOUNT, "responseElements": elements}


STARTED = event("start", "StartCredentialAudit", snapshotSha256=DIGEST)
SIGNED = event("end", "SignOffCredentialAudit", evidenceSha256=credential_evidence.sha256(DOCUMENT))


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    whole = json.loads(DOCUMENT)
    change(whole)
    return canonical_json.write(whole)


def test_the_document_is_what_any_tool_writes_as_canonical_json():
    written = json.dumps(json.loads(DOCUMENT), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert written == DOCUMENT


def test_what_was_signed_is_accepted():
    claims = credential_evidence.read(DOCUMENT)

    credential_evidence.hold(claims, started=STARTED, signed=SIGNED)

    assert ("alice", 1) == (claims.signed_by, claims.credentials)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole["credentials"][0]["decision"].update(reviewer="mallory"),
        lambda whole: whole["credentials"][0]["decision"].update(decision="REMOVE"),
        lambda whole: whole["sign_off"].update(signed_by="mallory"),
        lambda whole: whole["audit"].update(name="another"),
    ],
)
def test_evidence_can_not_be_altered_unseen(change: Callable[[dict[str, Any]], object]):
    claims = credential_evidence.read(changed(change))

    with pytest.raises(Altered, match="is not the one that was signed off"):
        credential_evidence.hold(claims, started=STARTED, signed=SIGNED)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole["credentials"].clear(),
        lambda whole: whole["credentials"][0]["snapshot"].update(user_name="bob"),
        lambda whole: whole["audit"].update(snapshot_sha256="0" * 64),
    ],
)
def test_a_credential_can_not_be_taken_out_of_the_snapshot(change: Callable[[dict[str, Any]], object]):
    with pytest.raises(Altered, match="the snapshot is not the one"):
        credential_evidence.read(changed(change))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"format":"crownkeep-credential-audit/1"}', DOCUMENT + b"\n"]
)
def test_what_is_no_evidence_is_refused(content: bytes):
    with pytest.raises(Altered):
        credential_evidence.read(content)


@pytest.mark.parametrize(
    ("member", "value"),
    [("eventName", "GetUser"), ("eventID", "other"), ("recipientAccountId", "210987654321"), ("errorCode", "AccessDenied")],
)
def test_an_event_of_something_else_proves_nothing(member: str, value: str):
    claims = credential_evidence.read(DOCUMENT)
    forged = copy.deepcopy(SIGNED) | {member: value}

    with pytest.raises(Altered):
        credential_evidence.hold(claims, started=STARTED, signed=forged)


def test_an_event_that_the_trail_does_not_have_proves_nothing():
    claims = credential_evidence.read(DOCUMENT)

    with pytest.raises(Altered, match="the trail has no event `end`"):
        credential_evidence.hold(claims, started=STARTED, signed=None)
