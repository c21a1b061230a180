"""Requests as they are shown, and the proofs of them that anybody can verify without this server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from crownkeep import base64url
from crownkeep.credentials import approval_proofs, approval_requests
from crownkeep.credentials.approval_proofs import ApprovalProof, Assertion, CastVote, CustodianKey, TeamMember
from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.domain.approvals import arns, enrolment, people_names, sessions
from crownkeep.operations import approval_standing, approvals
from crownkeep.operations.approval_standing import ApprovalStanding
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import approver_keys, approvers, teams, votes
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.votes import ApprovalVoteRow
from crownkeep.storage.database import Transaction

_DECISIONS = {"APPROVED": ApprovalDecision.APPROVE, "REJECTED": ApprovalDecision.REFUSE}


def state_of(found: ApprovalStanding, row: ApprovalSessionRow, *, now: datetime) -> str:
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
    if approvals.stands_by(found, row, sessions.request_of(row), now=now):
        return "approved"
    return "waiting" if row.status == sessions.PENDING else "void"


def describe(db: Transaction, row: ApprovalSessionRow, *, now: datetime) -> dict[str, object]:
    """Return a request with its votes, by names in snake case."""
    return describe_each(db, [row], now=now)[0]


def describe_each(db: Transaction, rows: Sequence[ApprovalSessionRow], *, now: datetime) -> list[dict[str, object]]:
    """Return the same of many requests, with as many queries as of one."""
    standings = approval_standing.of_each(db, rows)
    people = [each for found in standings.values() for each in found.people]
    names = people_names.of_approvers(db, people)
    return [_described(standings[row.session_id], row, names, now) for row in rows]


def _described(found: ApprovalStanding, row: ApprovalSessionRow, names: Mapping[str, str], now: datetime) -> dict[str, object]:
    request = sessions.request_of(row)
    seats = {each.approver_id: names[each.identity] for each in found.people}
    asked = set(row.asked.split("\n")) if row.asked else seats.keys()
    described: dict[str, object] = {
        "request_id": row.session_id,
        "account_id": row.acted_account_id,
        "team_arn": arns.team(row.account_id, row.team_id),
        "state": state_of(found, row, now=now),
        "requester": row.requester_arn,
        "action": row.action,
        "parameters": json.dumps(request.parameters, sort_keys=True),
        "reason": row.reason,
        "ticket": row.ticket,
        "source": request.source,
        "minutes": request.minutes,
        "asked_at": row.initiated_at,
        "asked": [name for approver_id, name in seats.items() if approver_id in asked],
        "expires_at": row.expires_at,
        "digest": row.digest.hex(),
        "votes": [
            {
                "approver": seats.get(each.approver_id, each.identity),
                "decision": _DECISIONS[each.decision].value,
                "cast_at": each.voted_at,
            }
            for each in found.cast
        ],
    }
    if row.completed_at is not None:
        described["decided_at"] = row.completed_at
    if found.version is not None:
        described["approvals_needed"] = found.version.min_approvals
        alone = approvals.alone_from(found.version, row)
        if alone is not None:
            described["alone_from"] = alone
    return described


def proof_of(call: Call, row: ApprovalSessionRow) -> bytes | None:
    """Return the proof of a request with the votes so far; None where its team is gone."""
    version = teams.version(call.db, row.team_id, row.version_id)
    if version is None:
        return None
    cast = votes.of_session(call.db, row.session_id)
    # Those who left since as well: their votes are in the proof, and the quorum was theirs.
    members = [each for each in approvers.of_version(call.db, row.team_id, row.version_id) if each.status != "REJECTED"]
    names = people_names.of_approvers(call.db, members)
    proof = ApprovalProof(
        request=sessions.request_of(row),
        quorum=approvals.quorum_of(version, tuple(each.approver_id for each in members)),
        members=tuple(_member(call.db, each, cast, names[each.identity]) for each in members),
        party=enrolment.party(call.settings),
        votes=tuple(_cast(each) for each in cast),
    )
    return approval_proofs.write(proof)


def _member(db: Transaction, row: ApproverRow, cast: list[ApprovalVoteRow], name: str) -> TeamMember:
    """Return a member with their keys, those that they have voted with and lost since among them."""
    keys = [CustodianKey(key.credential_id, key.public_key) for key in approver_keys.of_identity(db, row.identity)]
    for vote in cast:
        # A key that was lost after the vote is still what signed it, so the proof must hold it.
        if vote.approver_id == row.approver_id:
            kept = json.loads(vote.assertion)
            used = CustodianKey(base64url.decode(kept["credential_id"]), bytes.fromhex(kept["public_key"]))
            keys += [] if used in keys else [used]
    return TeamMember(row.approver_id, row.identity, name, tuple(keys))


def _cast(row: ApprovalVoteRow) -> CastVote:
    kept = json.loads(row.assertion)
    names = ("credential_id", "client_data", "authenticator_data", "signature")
    assertion = Assertion(*(base64url.decode(kept[name]) for name in names))
    return CastVote(row.approver_id, _DECISIONS[row.decision], approval_requests.moment(row.voted_at), assertion)
