"""GetDelegatedAccessToken: a product provider exchanges the token it was sent for credentials of whoever accepted its request."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import errors
from crownkeep.domain import delegation
from crownkeep.domain.credentials import issue
from crownkeep.domain.delegation import DelegationState
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode, everything
from crownkeep.principals import Principal, Session
from crownkeep.services.sts.service import sts
from crownkeep.storage.delegation import delegation_requests
from crownkeep.storage.delegation.delegation_requests import DelegationRequestRow


@sts.operation("GetDelegatedAccessToken", resource=everything, mode=Mode.READ, effect=Effect.STATE)
def get_delegated_access_token(call: Call, *, trade_in_token: str) -> Result:
    """Return credentials with the permissions that the request asks for and whoever accepted it has.

    The token may be exchanged again and again; all that comes of it ends at the same moment
    (IAM user guide, "Exchange tokens").
    """
    row = _released(call, trade_in_token)
    approver = _vouched(call, row)
    ends = delegation.ends_at(row)
    if ends is None or call.now >= ends:
        raise errors.ExpiredTradeInToken("The trade-in token has expired and can no longer be exchanged for credentials.")
    # When it began stays: who revokes what was issued before a moment (aws:TokenIssueTime) means what is exchanged later as well.
    # What is lent lasts as long as was agreed on, not as long as the console session in which it was accepted.
    began = approver.session or Session(row.released_at or call.now, ends, issuing_key_id=approver.access_key_id)
    session = replace(
        began,
        expires_at=ends,
        policies=(row.policy,),
        policy_arns=(),
        has_policy=True,
        from_console=False,
        delegate=call.account_id,
        derived_until=None,
    )
    return {"Credentials": issue.credentials(call, approver, session), "AssumedPrincipal": approver.arn}


def _released(call: Call, token: str) -> DelegationRequestRow:
    """Return the request that a token of the caller's account is for; all that is wrong with one is told in the same words."""
    try:
        request_id = delegation.request_of(call.keyring, token, account_id=call.principal.account_id)
    except delegation.InvalidTradeInToken as fault:
        raise _invalid() from fault
    row = delegation_requests.with_id(call.db, request_id)
    if row is None or row.account_id != call.account_id or row.approver is None or row.state != DelegationState.FINALIZED.value:
        raise _invalid()
    return row


def _vouched(call: Call, row: DelegationRequestRow) -> Principal:
    """Return whoever accepted, as they are now; raises AccessDenied where they are gone or may act no more."""
    approver = delegation.read_approver(row.approver or "")
    standing = call.wiring.standings.of_account(call.db, approver.account_id)
    refusal = errors.AccessDenied("The identity that accepted the delegation request can no longer delegate its permissions.")
    if standing is None:
        raise refusal
    try:
        return standing.vouch(call.db, approver)
    except errors.InvalidClientTokenId as fault:
        raise refusal from fault


def _invalid() -> errors.InvalidParameterValue:
    return errors.InvalidParameterValue("The trade-in token is not valid.")
