"""Decisions, for custodians: they need no account and no session, since each call is proved by their security key.

No policy is asked and no credential is needed: these work when every account is locked. Whoever can't prove to be in the team
that was asked learns nothing and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from crownkeep import base64url
from crownkeep.credentials import approval_requests
from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.domain.approvals import ending, enrolment, proving, sessions, voting
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Permission
from crownkeep.services.approvals import presence, shown
from crownkeep.services.approvals.service import approvals
from crownkeep.storage.approvals import approvers, seals, votes
from crownkeep.storage.approvals import sessions as session_rows
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

_MOST_SHOWN = 50


@approvals.operation("GetChallenge", resource=registry.everything, permission=Permission.NONE)
def get_challenge(call: Call, *, purpose: str = presence.REQUESTS) -> Result:
    """Return a challenge for a custodian's security key, good for five minutes, and whose keys are asked for."""
    token = presence.token(call, **{"for": purpose})
    return {
        "Token": base64url.encode(token),
        "Challenge": base64url.encode(hashlib.sha256(token).digest()),
        "RelyingPartyId": enrolment.party(call.settings).id,
    }


@approvals.operation("ListMyRequests", resource=registry.everything, permission=Permission.NONE)
def list_my_requests(call: Call, *, token: str, assertion: str, request_id: str = "") -> Result:
    """Return the requests that wait for a custodian who proves to be there, with what their key is to sign for each decision.

    A request that is named comes first, however many others wait.
    """
    key = presence.proven(call, token, assertion, purpose=presence.REQUESTS)
    # Whoever was invited and has not accepted decides on nothing yet.
    places = [each for each in approvers.of_identity(call.db, key.identity) if each.status == "ACCEPTED"]
    versions = {(each.team_id, each.version_id): each.approver_id for each in places}
    waiting = votes.unanswered(
        call.db, list(versions.values()), [version_id for _, version_id in versions], now=call.now, limit=_MOST_SHOWN
    )
    named = session_rows.with_id(call.db, request_id) if request_id else None
    if named is not None and _waits_for(call, named, versions):
        waiting = [named, *(row for row in waiting if row.session_id != named.session_id)]
    reviews = [
        row
        for team_id in dict.fromkeys(each.team_id for each in places)
        for seal in seals.of_team(call.db, team_id)
        if seal.review_is_due and seal.last_session_id is not None
        for row in [session_rows.with_id(call.db, seal.last_session_id)]
        if row is not None
    ]
    return {
        "Identity": key.identity,
        "KeyId": base64url.encode(key.credential_id),
        "Requests": [_with_challenges(call, row, (ApprovalDecision.APPROVE, ApprovalDecision.REFUSE)) for row in waiting],
        "Reviews": [_with_challenges(call, row, (ApprovalDecision.REVIEW,)) for row in reviews],
    }


@approvals.operation("Approve", resource=registry.everything, permission=Permission.NONE, effect=Effect.STATE)
def approve(call: Call, *, request_id: str, assertion: str) -> Result:
    """Approve a request, by the assertion of a security key over all of it."""
    row = voting.vote(call, request_id, ApprovalDecision.APPROVE, assertion)
    return {"Request": shown.pascal(proving.describe(call.db, row, now=call.now))}


@approvals.operation("Refuse", resource=registry.everything, permission=Permission.NONE, effect=Effect.STATE)
def refuse(call: Call, *, request_id: str, assertion: str) -> Result:
    """Refuse a request, by the assertion of a security key over all of it."""
    row = voting.vote(call, request_id, ApprovalDecision.REFUSE, assertion)
    return {"Request": shown.pascal(proving.describe(call.db, row, now=call.now))}


@approvals.operation("SignOffReview", resource=registry.everything, permission=Permission.NONE, effect=Effect.STATE)
def sign_off_review(call: Call, *, request_id: str, assertion: str) -> Result:
    """Sign off how root was used by a request, before it can be used again."""
    row = ending.sign_off(call, request_id, assertion)
    return {"Request": shown.pascal(proving.describe(call.db, row, now=call.now))}


def _waits_for(call: Call, row: ApprovalSessionRow, versions: Mapping[tuple[str, str], str]) -> bool:
    """Tell whether a request waits for somebody with these places in versions of teams."""
    approver_id = versions.get((row.team_id, row.version_id))
    is_open = row.status == sessions.PENDING and call.now < row.expires_at
    return is_open and approver_id is not None and votes.find(call.db, row.session_id, approver_id) is None


def _with_challenges(call: Call, row: ApprovalSessionRow, decisions: tuple[ApprovalDecision, ...]) -> dict[str, object]:
    request = sessions.request_of(row)
    described = shown.pascal(proving.describe(call.db, row, now=call.now))
    challenges = [
        {"Decision": each.value, "Challenge": base64url.encode(approval_requests.challenge(request, each))} for each in decisions
    ]
    return {**described, "Challenges": challenges}
