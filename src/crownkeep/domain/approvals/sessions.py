"""Sessions of approval: begun for a team's version, and ended once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crownkeep import clock, errors, ids
from crownkeep.credentials import approval_requests
from crownkeep.credentials.approval_requests import NONCE_SIZE, ApprovalRequest
from crownkeep.domain.approvals import arns, custodianship, telling
from crownkeep.operations import approvals
from crownkeep.operations.call import Call
from crownkeep.principals import Principal
from crownkeep.storage.approvals import sessions
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow
from crownkeep.storage.database import Transaction

LASTS = timedelta(hours=24)
"""How long approvers have to answer."""

MOST_WITHIN_HOUR = 40
"""Sessions that one party may begin within an hour, cancelled ones among them: each is a mail to every approver."""

PENDING, APPROVED, FAILED, CANCELLED = "PENDING", "APPROVED", "FAILED", "CANCELLED"
EXPIRED, REJECTED, CONFIGURATION_CHANGED = "EXPIRED", "REJECTED", "CONFIGURATION_CHANGED"
EXECUTED = "EXECUTED"


@dataclass(frozen=True, slots=True)
class WantedSession:
    """What a team is asked to approve."""

    service: str
    """The service whose operation waits, such as `mpa.amazonaws.com`."""
    action: str
    protected_arn: str
    acted_account_id: str
    description: str
    parameters: Mapping[str, object]
    reason: str = ""
    ticket: str = ""
    asked: Sequence[str] = ()
    """The ids of the approvers who are asked; none for all."""
    principal: str = ""
    """The ARN of who may do it, where that is not who asks."""
    minutes: int = 0
    """How long what begins by it lasts at most."""


def begin(call: Call, team: ApprovalTeamRow, wanted: WantedSession, *, lasts: timedelta = LASTS) -> ApprovalSessionRow:
    """Put a request to the version of a team that is in force, keep it, and tell everybody who is asked; raises Conflict."""
    asker, asker_account = approvals.asker_of(call.caller)
    if sessions.count_begun(call.db, asker, asker_account, since=call.now - timedelta(hours=1)) >= MOST_WITHIN_HOUR:
        raise errors.Conflict(f"you have asked {MOST_WITHIN_HOUR} times within an hour: wait before you ask again")
    request = _request(call, team, wanted, call.now + lasts)
    document = request.canonical()
    # The document that is signed is kept whole; the columns beside it are for lists and lookups, and decide nothing.
    row = ApprovalSessionRow(
        session_id=request.request_id,
        account_id=team.account_id,
        team_id=team.team_id,
        version_id=team.version_id,
        requester_arn=request.requester,
        requester_id=asker,
        requester_account_id=asker_account,
        requester_region=call.origin.region,
        service=wanted.service,
        action=wanted.action,
        protected_arn=wanted.protected_arn,
        acted_account_id=wanted.acted_account_id,
        description=wanted.description,
        reason=wanted.reason,
        ticket=wanted.ticket,
        digest=hashlib.sha256(document).digest(),
        document=document.decode(),
        nonce=request.nonce,
        asked="\n".join(wanted.asked),
        status=PENDING,
        status_code=None,
        status_message=None,
        execution_status=PENDING,
        initiated_at=call.now,
        expires_at=request.expires_at,
    )
    sessions.add(call.db, row)
    telling.tell_asked(call, row)
    return row


def _request(call: Call, team: ApprovalTeamRow, wanted: WantedSession, until: datetime) -> ApprovalRequest:
    who = call.caller.arn if isinstance(call.caller, Principal) else approvals.asker_of(call.caller)[0]
    return ApprovalRequest(
        # Ordered by time, as the ids of events are.
        request_id=ids.event_id(call.now, clock.id_bytes(10)).hex,
        account_id=wanted.acted_account_id,
        team=arns.team(team.account_id, team.team_id),
        team_version=team.version_id,
        requester=who,
        requester_identity=_identity(call),
        principal=wanted.principal or who,
        action=wanted.action,
        parameters=wanted.parameters,
        reason=wanted.reason,
        ticket=wanted.ticket,
        source=call.origin.source_ip,
        minutes=wanted.minutes,
        asked_at=call.now,
        expires_at=until,
        # So that two requests for the same act have different documents, and a signature over one is none over the other.
        nonce=clock.token_bytes(NONCE_SIZE),
    )


def request_of(row: ApprovalSessionRow) -> ApprovalRequest:
    """Return the request that a session is about, as it was kept."""
    return approval_requests.read(row.document.encode())


def seen(row: ApprovalSessionRow, now: datetime) -> ApprovalSessionRow:
    """Return a session as it stands: one whose time is over has expired, whether or not that was written down."""
    if row.status != PENDING or now < row.expires_at:
        return row
    return replace(row, status=FAILED, status_code=EXPIRED, completed_at=row.expires_at)


def _identity(call: Call) -> str:
    """Return by what the person behind the caller would be an approver, so that nobody approves what they ask for."""
    session = call.caller.session if isinstance(call.caller, Principal) else None
    person = session.on_behalf_of if session is not None else None
    return custodianship.identity_of_person(person.identity_store_id, person.user_id) if person is not None else ""


def end(db: Transaction, row: ApprovalSessionRow, *, status: str, now: datetime, code: str | None = None) -> bool:
    """End a session that waits; changes nothing and returns False where it has ended already."""
    return sessions.change(db, row.session_id, was=PENDING, status=status, status_code=code, completed_at=now)
