"""Ending requests otherwise than by votes: cancelled by whoever asked, and by nobody else; and the review after root was used."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import errors
from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.domain.approvals import sessions, team_changes, voting
from crownkeep.operations import approvals
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import seals
from crownkeep.storage.approvals import sessions as session_rows
from crownkeep.storage.approvals.sessions import ApprovalSessionRow


def cancel(call: Call, session_id: str) -> ApprovalSessionRow:
    """Cancel a request that is not used; raises AccessDenied for everybody but who asked."""
    row = session_rows.held(call.db, session_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no request `{session_id}`")
    if (row.requester_id, row.requester_account_id) != approvals.asker_of(call.caller):
        raise errors.AccessDenied("a request is cancelled by whoever has asked, and by its team's refusal")
    # What a team has decided about itself is being carried out already.
    open_as = (sessions.PENDING,) if row.service == team_changes.SERVICE else (sessions.PENDING, sessions.APPROVED)
    is_over = row.execution_status != sessions.PENDING or row.status not in open_as
    if is_over or call.now >= row.expires_at:
        raise errors.Conflict(f"the request `{session_id}` has ended: there is nothing to cancel")
    session_rows.change(call.db, session_id, was=row.status, status=sessions.CANCELLED, completed_at=call.now)
    # Otherwise the team would wait for ever for its own decision, and take no other change.
    team_changes.decided(call.db, call.wiring, replace(row, status=sessions.CANCELLED), now=call.now)
    call.notes.additional["approvalRequestId"] = session_id
    return row


def sign_off(call: Call, session_id: str, answer: str) -> ApprovalSessionRow:
    """Take a custodian's sign-off of root's last use, by the assertion of their key; raises AccessDenied for who asked for it."""
    row = session_rows.held(call.db, session_id)
    seal = None if row is None else seals.of_account(call.db, row.acted_account_id)
    if row is None or seal is None or seal.last_session_id != session_id or not seal.review_is_due:
        raise errors.Conflict(f"no use of root by the request `{session_id}` waits for a review")
    request = sessions.request_of(row)
    voter, assertion = voting.prove(call, row, request, ApprovalDecision.REVIEW, answer)
    if voter.approver.identity == request.requester_identity:
        raise errors.AccessDenied("a review is signed off by another person than the one who has asked for the use")
    seals.change(call.db, seal.account_id, review_is_due=False)
    voting.note(call, row, voter)
    call.notes.additional["approvalAssertion"] = assertion.document()
    return row
