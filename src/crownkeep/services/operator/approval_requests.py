"""Requests for approval as the operator sees them: asked for what the operator is to do, shown, relayed and cancelled."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.domain.approvals import asking, ending, proving, use_reports, voting
from crownkeep.domain.approvals.asking import WantedApproval
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode
from crownkeep.services.operator.service import operator
from crownkeep.storage.approvals import sessions
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

_MOST_SHOWN = 100


@operator.operation("RequestApproval", resource=registry.everything, effect=Effect.STATE)
def request_approval(
    call: Call,
    *,
    account_id: str,
    action: str,
    reason: str,
    parameters: str = "{}",
    ticket: str = "",
    hours: int | None = None,
) -> Result:
    """Ask the team of an account's seal to approve an act of the operator's, or the sign-in as root."""
    row = asking.ask(call, WantedApproval(account_id, action, parameters, reason, ticket, hours))
    call.notes.account_id = row.acted_account_id
    return proving.describe(call.db, row, now=call.now)


@operator.operation("ListApprovalRequests", resource=registry.everything)
def list_approval_requests(call: Call, *, account_id: str) -> Result:
    """Return the latest requests about acts on an account, the newest first."""
    found = sessions.latest_of_acted(call.db, account_id, limit=_MOST_SHOWN)
    call.notes.account_id = account_id
    return {"requests": proving.describe_each(call.db, found, now=call.now)}


@operator.operation("GetApprovalRequest", resource=registry.everything)
def get_approval_request(call: Call, *, request_id: str) -> Result:
    """Return a request with its votes, and the proof of it."""
    row = _required(call, request_id)
    proof = proving.proof_of(call, row)
    call.notes.account_id = row.acted_account_id
    described = proving.describe(call.db, row, now=call.now)
    return described if proof is None else {**described, "proof": proof.decode()}


@operator.operation("GetApprovalReport", resource=registry.everything, mode=Mode.LONG_READ)
def get_approval_report(call: Call, *, request_id: str) -> Result:
    """Return everything that was done by a request, from the trails of the accounts that it concerns and the operator's own."""
    row = _required(call, request_id)
    call.notes.account_id = row.acted_account_id
    # The empty id stands for the operator's own trail.
    return use_reports.of_request(call.db, row, [row.acted_account_id, row.requester_account_id, ""])


@operator.operation("CancelApprovalRequest", resource=registry.everything, effect=Effect.STATE)
def cancel_approval_request(call: Call, *, request_id: str) -> Result:
    """Cancel a request of the operator's own."""
    row = ending.cancel(call, request_id)
    call.notes.account_id = row.acted_account_id
    return NOTHING


@operator.operation("RelayVote", resource=registry.everything, effect=Effect.STATE)
def relay_vote(call: Call, *, request_id: str, decision: str, assertion: str) -> Result:
    """Hand in what a custodian's security key has signed elsewhere; it counts because of the signature, and by nobody's word."""
    row = voting.vote(call, request_id, ApprovalDecision(decision), assertion)
    return proving.describe(call.db, row, now=call.now)


def _required(call: Call, request_id: str) -> ApprovalSessionRow:
    row = sessions.with_id(call.db, request_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no request `{request_id}`")
    return row
