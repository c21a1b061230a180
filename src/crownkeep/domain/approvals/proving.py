"""Requests as they are shown, and the proofs of them that anybody can verify without this server."""

from __future__ import annotations

import json
from datetime import datetime

from crownkeep import base64url
from crownkeep.credentials import approval_proofs, approval_requests
from crownkeep.credentials.approval_proofs import ApprovalProof, Assertion, CastVote, CustodianKey, TeamMember
from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.domain.approvals import arns, custodianship, sessions, voting
from crownkeep.operations import approvals
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import approver_keys, approvers, custodians, teams, votes
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.votes import ApprovalVoteRow
from crownkeep.storage.database import Transaction

_DECISIONS = {"APPROVED": ApprovalDecision.APPROVE, "REJECTED": ApprovalDecision.REFUSE}


def state_of(db: Transaction, row: ApprovalSessionRow, *, now: datetime) -> str:
    """Return how far a request has come, in one word: `waiting`, `approved`, `used`, `refused`, `expired`, ..."""
    if row.execution_status == sessions.EXECUTED:
        return "used"
    if row.status == sessions.CANCELLED:
        return "cancelled"
    if row.status == sessions.FAILED:
        words = {sessions.REJECTED: "refused", sessions.EXPIRED: "expired", sessions.CONFIGURATION_CHANGED: "void"}
        return words.get(row.status_code or "", "failed")
    if now >= row.expires_at:
        return "expired"
    if approvals.stands(db, row, sessions.request_of(row), now=now):
        return "approved"
    return "waiting" if row.status == sessions.PENDING else "void"


def describe(db: Transaction, row: ApprovalSessionRow, *, now: datetime) -> dict[str, object]:
    """Return a request with its votes, by names in snake case."""
    request = sessions.request_of(row)
    names = {each.approver_id: _name(db, each) for each in approvers.of_version(db, row.team_id, row.version_id)}
    described: dict[str, object] = {
        "request_id": row.session_id,
        "account_id": row.acted_account_id,
        "team_arn": arns.team(row.account_id, row.team_id),
        "state": state_of(db, row, now=now),
        "requester": row.requester_arn,
        "action": row.action,
        "parameters": json.dumps(request.parameters, sort_keys=True),
        "reason": row.reason,
        "ticket": row.ticket,
        "source": request.source,
        "minutes": request.minutes,
        "asked_at": row.initiated_at,
        "expires_at": row.expires_at,
        "digest": row.digest.hex(),
        "votes": [
            {
                "approver": names.get(each.approver_id, each.identity),
                "decision": _DECISIONS[each.decision].value,
                "cast_at": each.voted_at,
            }
            for each in votes.of_session(db, row.session_id)
        ],
    }
    version = teams.version(db, row.team_id, row.version_id)
    if version is not None:
        described["approvals_needed"] = version.min_approvals
        alone = approvals.alone_from(version, row)
        if alone is not None:
            described["alone_from"] = alone
    return described


def proof_of(call: Call, row: ApprovalSessionRow) -> bytes | None:
    """Return the proof of a request with the votes so far; None where its team is gone."""
    version = teams.version(call.db, row.team_id, row.version_id)
    if version is None:
        return None
    cast = votes.of_session(call.db, row.session_id)
    members = [each for each in approvers.of_version(call.db, row.team_id, row.version_id) if each.status != "REJECTED"]
    proof = ApprovalProof(
        request=sessions.request_of(row),
        quorum=approvals.quorum_of(version, tuple(each.approver_id for each in members)),
        members=tuple(_member(call.db, each, cast) for each in members),
        party=voting.party(call.settings),
        votes=tuple(_cast(each) for each in cast),
    )
    return approval_proofs.write(proof)


def _member(db: Transaction, row: ApproverRow, cast: list[ApprovalVoteRow]) -> TeamMember:
    """Return a member with their keys, those that they have voted with and lost since among them."""
    keys = [CustodianKey(key.credential_id, key.public_key) for key in approver_keys.of_identity(db, row.identity)]
    for vote in cast:
        if vote.approver_id == row.approver_id:
            kept = json.loads(vote.assertion)
            used = CustodianKey(base64url.decode(kept["credential_id"]), bytes.fromhex(kept["public_key"]))
            keys += [] if used in keys else [used]
    return TeamMember(row.approver_id, row.identity, _name(db, row), tuple(keys))


def _cast(row: ApprovalVoteRow) -> CastVote:
    kept = json.loads(row.assertion)
    names = ("credential_id", "client_data", "authenticator_data", "signature")
    assertion = Assertion(*(base64url.decode(kept[name]) for name in names))
    return CastVote(row.approver_id, _DECISIONS[row.decision], approval_requests.moment(row.voted_at), assertion)


def _name(db: Transaction, row: ApproverRow) -> str:
    custodian = custodians.with_id(db, row.identity_id) if row.source_id == custodianship.SOURCE else None
    return custodian.name if custodian is not None else row.identity
