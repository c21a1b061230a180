"""Voting: a custodian's decision, proved by the assertion of their security key over the whole request, taken once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from crownkeep import errors
from crownkeep.credentials import approval_proofs
from crownkeep.credentials.approval_proofs import Assertion, CustodianKey
from crownkeep.credentials.approval_requests import ApprovalDecision, ApprovalRequest
from crownkeep.credentials.webauthn import WebauthnRefused
from crownkeep.domain.approvals import enrolment, sessions, team_changes
from crownkeep.operations import approval_standing, approvals
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import approver_keys, approvers, teams, votes
from crownkeep.storage.approvals import sessions as session_rows
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.teams import TeamVersionRow
from crownkeep.storage.approvals.votes import ApprovalVoteRow

_DECISIONS = {ApprovalDecision.APPROVE: "APPROVED", ApprovalDecision.REFUSE: "REJECTED"}
_BASELINE = "mpa:StartApprovalTeamBaseline"


@dataclass(frozen=True, slots=True)
class Voter:
    """Who has proved to be there, with which key, as which approver."""

    approver: ApproverRow
    key: ApproverKeyRow


def vote(call: Call, session_id: str, decision: ApprovalDecision, answer: str) -> ApprovalSessionRow:
    """Take a custodian's decision on a request; raises AccessDenied where the assertion is not theirs, over exactly this.

    Whoever has voted, votes no more; a request that has ended takes no votes; the requester's own counts for nothing.
    """
    # The request is held from here: two votes are counted one after the other, and the second one may end it.
    row = _open(call, session_id)
    request = sessions.request_of(row)
    version = _version(call, row)
    voter, assertion = prove(call, row, request, decision, answer)
    # After the proof, since only that says who votes.
    if voter.approver.identity == request.requester_identity:
        raise errors.AccessDenied("nobody approves or refuses what they have asked for themselves")
    if votes.find(call.db, row.session_id, voter.approver.approver_id) is not None:
        raise errors.Conflict("you have decided on this request already")
    # The public key is kept with the vote: it can be verified when the custodian has lost the key since.
    kept = json.dumps({**assertion.document(), "public_key": voter.key.public_key.hex()}, sort_keys=True)
    votes.add(
        call.db,
        ApprovalVoteRow(
            session_id=row.session_id,
            approver_id=voter.approver.approver_id,
            account_id=row.account_id,
            identity=voter.approver.identity,
            key_id=voter.key.key_id,
            decision=_DECISIONS[decision],
            assertion=kept,
            voted_at=call.now,
        ),
    )
    _remember(call, row, voter)
    note(call, row, voter)
    call.notes.additional["approvalAssertion"] = assertion.document()
    return _decide(call, row, request, version)


def prove(
    call: Call, row: ApprovalSessionRow, request: ApprovalRequest, decision: ApprovalDecision, answer: str
) -> tuple[Voter, Assertion]:
    """Return which approver of a request's team has signed a decision on it; raises AccessDenied where none has."""
    try:
        assertion = approval_proofs.assertion_of(mapping(answer))
        # Nobody says who they are: the key does.
        key = approver_keys.with_credential(call.db, assertion.credential_id)
        approver = None if key is None else _approver(call, row, key)
        if key is None or approver is None:
            raise WebauthnRefused("the security key is of nobody in the team that was asked")
        keys = [CustodianKey(key.credential_id, key.public_key)]
        approval_proofs.verify_vote(request, decision, assertion, keys, enrolment.party(call.settings))
    except WebauthnRefused as error:
        raise errors.AccessDenied(f"this proves no decision on the request `{row.session_id}`: {error}") from error
    # Whoever can have keys enrolled could otherwise make the votes that they lack.
    if key.enrolled_at > row.initiated_at:
        raise errors.AccessDenied("this security key was enrolled after the request was made, and decides on later ones alone")
    return Voter(approver, key), assertion


def note(call: Call, row: ApprovalSessionRow, voter: Voter) -> None:
    """Say in the record of a call which custodian it came from, about which request, in whose trail."""
    call.notes.account_id = row.acted_account_id
    call.notes.additional |= {
        "approvalRequestId": row.session_id,
        "approvalDigest": row.digest.hex(),
        "approver": voter.approver.identity,
        "approvalKeyId": voter.key.key_id,
    }


def _open(call: Call, session_id: str) -> ApprovalSessionRow:
    row = session_rows.held(call.db, session_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no request `{session_id}`")
    if row.status != sessions.PENDING or call.now >= row.expires_at:
        raise errors.Conflict(f"the request `{session_id}` waits for no decision any more")
    return row


def _version(call: Call, row: ApprovalSessionRow) -> TeamVersionRow:
    team = teams.with_id(call.db, row.team_id)
    version = teams.version(call.db, row.team_id, row.version_id)
    if team is None or version is None or (team.status, team.version_id) != ("ACTIVE", row.version_id):
        raise errors.Conflict("the team has changed since this was asked: it has to be asked anew")
    return version


def _approver(call: Call, row: ApprovalSessionRow, key: ApproverKeyRow) -> ApproverRow | None:
    asked = set(row.asked.split("\n")) if row.asked else None
    for each in approvers.of_version(call.db, row.team_id, row.version_id):
        if each.identity == key.identity and each.status == "ACCEPTED" and (asked is None or each.approver_id in asked):
            # Whoever was disabled in the directory must not decide by a key that they still have.
            return None if approval_standing.disabled(call.db, {each.identity}) else each
    return None


def mapping(answer: str) -> Mapping[str, object]:
    """Read a browser's answer from its JSON; raises WebauthnRefused for anything else."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise WebauthnRefused("the answer of the security key is no JSON") from error
    if not isinstance(value, Mapping):
        raise WebauthnRefused("the answer of the security key is no JSON object")
    return value


def _remember(call: Call, row: ApprovalSessionRow, voter: Voter) -> None:
    is_rehearsal = row.action == _BASELINE
    used = {"last_used_at": call.now, **({"last_rehearsed_at": call.now} if is_rehearsal else {})}
    approver_keys.change(call.db, voter.key.key_id, **used)
    did = "BASELINED" if is_rehearsal else "VOTED"
    approvers.change(call.db, row.team_id, voter.approver.approver_id, last_activity=did, last_activity_at=call.now)


def _decide(call: Call, row: ApprovalSessionRow, request: ApprovalRequest, version: TeamVersionRow) -> ApprovalSessionRow:
    """End a request once enough have approved it, or once too many have refused for that."""
    # Read under the hold, this vote among them.
    cast = votes.of_session(call.db, row.session_id)
    members = [each for each in approvers.of_version(call.db, row.team_id, row.version_id) if each.status == "ACCEPTED"]
    if row.action == _BASELINE:
        asked = row.asked.split("\n") if row.asked else [each.approver_id for each in members]
        # A rehearsal is over when all who were asked have answered, with either decision: it shows who still can.
        if {vote.approver_id for vote in cast} >= set(asked):
            _end(call, row, status=sessions.APPROVED, code="ALL_APPROVERS_IN_SESSION")
    elif approvals.is_met(call.db, row, request, version):
        _end(call, row, status=sessions.APPROVED)
    else:
        refused = {vote.approver_id for vote in cast if vote.decision != "APPROVED"}
        able = [
            each.approver_id
            for each in members
            if each.approver_id not in refused and each.identity != request.requester_identity
        ]
        # Could the rest still approve? If not, waiting for them would only keep the request open.
        quorum = approvals.quorum_of(version, tuple(each.approver_id for each in members))
        if not quorum.is_met(able):
            _end(call, row, status=sessions.FAILED, code=sessions.REJECTED)
    return session_rows.with_id(call.db, row.session_id) or row


def _end(call: Call, row: ApprovalSessionRow, *, status: str, code: str | None = None) -> None:
    sessions.end(call.db, row, status=status, now=call.now, code=code)
    ended = session_rows.with_id(call.db, row.session_id)
    if ended is not None:
        # What a team decides about itself is carried out with its last vote.
        team_changes.decided(call.db, call.wiring, ended, now=call.now)
    call.notes.additional["approvalStatus"] = status
