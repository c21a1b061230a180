"""Requests, for whoever asks: made, shown and cancelled."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.approvals import asking, ending, proving, use_reports
from crownkeep.domain.approvals.asking import WantedApproval
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode, Target
from crownkeep.services.approvals import shown
from crownkeep.services.approvals.service import approvals
from crownkeep.storage.approvals import sessions
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

_MOST_SHOWN = 100


def one_request(call: Call, *, request_id: str, **_: object) -> Target:
    """The request with this id, of the caller's account or about it."""
    row = sessions.with_id(call.db, request_id)
    # Who asked, whose account it is about, and whose team decides may be three accounts; each may see it.
    is_theirs = row is not None and call.account_id in (row.requester_account_id, row.acted_account_id, row.account_id)
    return Target(f"arn:aws:approvals::{call.account_id}:request/{request_id}", row=row if is_theirs else None)


@approvals.operation("RequestApproval", resource=registry.everything, effect=Effect.STATE)
def request_approval(
    call: Call, *, action: str, reason: str, parameters: str = "{}", ticket: str = "", hours: int | None = None
) -> Result:
    """Ask custodians to let the caller do one sealed act with exactly these parameters."""
    row = asking.ask(call, WantedApproval(call.account_id, action, parameters, reason, ticket, hours))
    call.notes.resources.append(("AWS::MPA::Session", row.session_id))
    return {"Request": shown.pascal(proving.describe(call.db, row, now=call.now))}


@approvals.operation("ListRequests", resource=registry.everything)
def list_requests(call: Call) -> Result:
    """Return the latest requests about acts on the caller's account, the newest first."""
    found = sessions.latest_of_acted(call.db, call.account_id, limit=_MOST_SHOWN)
    return {"Requests": [shown.pascal(each) for each in proving.describe_each(call.db, found, now=call.now)]}


@approvals.operation("GetRequest", resource=one_request)
def get_request(call: Call, *, request_id: str) -> Result:
    """Return a request with its votes, and the proof of it that can be verified offline."""
    row = _targeted(call, request_id)
    proof = proving.proof_of(call, row)
    described = {"Request": shown.pascal(proving.describe(call.db, row, now=call.now))}
    return described if proof is None else {**described, "Proof": proof.decode()}


@approvals.operation("GetRequestReport", resource=one_request, mode=Mode.LONG_READ)
def get_request_report(call: Call, *, request_id: str) -> Result:
    """Return everything that was done by a request, from the account's own trail."""
    row = _targeted(call, request_id)
    return {"Report": shown.pascal(use_reports.of_request(call.db, row, [call.account_id]))}


@approvals.operation("CancelRequest", resource=one_request, effect=Effect.STATE)
def cancel_request(call: Call, *, request_id: str) -> Result:
    """Cancel a request of the caller's own; nobody else's can be cancelled."""
    _targeted(call, request_id)
    ending.cancel(call, request_id)
    return NOTHING


def _targeted(call: Call, request_id: str) -> ApprovalSessionRow:
    row = call.target_row(ApprovalSessionRow)
    if row is None:
        raise errors.ResourceNotFound(f"there is no request `{request_id}`")
    return row
