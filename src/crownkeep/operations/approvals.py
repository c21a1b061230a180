"""Approvals at the door: what is sealed is done only by whom a team has let do exactly this, once.

An act that nobody can seal costs one look into a table; a sealable one of an account without a seal costs what its
standing knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crownkeep import canonical_json, errors
from crownkeep.audit import redact
from crownkeep.audit.event import EventFacts
from crownkeep.credentials import approval_proofs, approval_requests
from crownkeep.credentials.approval_proofs import CustodianKey, Quorum
from crownkeep.credentials.approval_requests import ApprovalRequest
from crownkeep.operations import approval_standing, mfa_renewal, record, sealed_acts
from crownkeep.operations.approval_standing import ApprovalStanding
from crownkeep.operations.registry import Operation, Result
from crownkeep.operations.sealed_acts import SealableOperation, SealedAct, Whose
from crownkeep.principals import APPROVED_BY, Caller, Operator, Principal, PrincipalKind
from crownkeep.storage import holds
from crownkeep.storage.accounts import accounts
from crownkeep.storage.approvals import seals, sessions
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.teams import TeamVersionRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.holds import Hold
from crownkeep.storage.trail import buckets
from crownkeep.storage.trail.events import EventRow

if TYPE_CHECKING:
    from crownkeep.operations.call import Call

PENDING, APPROVED = "PENDING", "APPROVED"
EXECUTED = "EXECUTED"
OPERATOR = "operator"
SOURCE = "approvals.crownkeep"
TEAM_SERVICE = "mpa.amazonaws.com"
"""Whose operations a team decides on that change the team itself."""


def require(call: Call, operation: Operation, arguments: Mapping[str, object]) -> None:
    """Refuse a sealed act unless it is approved for this caller, with exactly these parameters; raises ApprovalRequired."""
    name = name_of(operation)
    # First, and for every act of root's: what root does by a key needs no further seal to be refused.
    _refuse_unapproved_root(call, name)
    found = sealed_acts.of(name, call.caller)
    if found is None:
        return
    parameters = parameters_of(operation, arguments)
    if sealed_acts.is_free(found, parameters):
        return
    if found.act is SealedAct.ROOT_MFA and mfa_renewal.is_renewal(call.db, call.caller, parameters):
        # The seal itself asks for it.
        return
    account_id = sealing_account(call, found.act, accounts_of(call, found, parameters))
    if account_id is None:
        return
    # Looked up by what is asked, and not by an id that the caller names: an approval of something else can't be passed off.
    request = approved(call.db, call.caller, account_id, name, parameters, now=call.now)
    if request is None:
        answer = refusal(call.caller, account_id, name, found.act)
        given = canonical_json.plain(parameters)
        raise errors.ApprovalRequired(answer, members={"account_id": account_id, "action": name, "parameters": given})
    # Only noted here: it is used up with the act itself (`used_by`), and not by a call that is refused after this.
    call.notes.approval_id = request.session_id
    call.notes.additional["approvalRequestId"] = request.session_id


def used_by(call: Call, act: Callable[[], Result]) -> Result:
    """Do an act, and use its approval up where it has one; raises ApprovalRequired where another call has been quicker."""
    if not call.notes.approval_id:
        return act()
    # Used up first, for the act may remove what it was approved by, as a purge does; a refusal undoes both.
    used = _use(call)
    result = act()
    call.notes.further.append(_record_of_use(call, used))
    return result


def _use(call: Call) -> ApprovalSessionRow:
    request_id = call.notes.approval_id
    row = sessions.with_id(call.db, request_id)
    if row is None or not use_up(call.db, request_id, now=call.now):
        raise errors.ApprovalRequired(f"the request `{request_id}` was used already: ask for approval anew")
    return row


def use_up(db: Transaction, request_id: str, *, now: datetime) -> bool:
    """Mark an approved request as used; returns False where it was used, ended or refused by anybody before.

    One that nobody has decided on is looked at again while it is held: a refusal that came meanwhile is a veto.
    """
    # Held first, so that a vote and a use come one after the other: whichever is later sees the earlier one.
    row = sessions.held(db, request_id)
    if row is None or (row.status == PENDING and not stands(db, row, approval_requests.read(row.document.encode()), now=now)):
        return False
    return sessions.execute(db, request_id, now=now)


def _record_of_use(call: Call, row: ApprovalSessionRow) -> EventRow:
    """Make the event that an approved act was done, for the account's trail; for the operator's, where the account is gone."""
    # Asked after the act: a purge has removed the account, and then only the operator's trail is left.
    account_id = row.acted_account_id if accounts.with_id(call.db, row.acted_account_id) is not None else record.NOBODY
    facts = EventFacts(
        event_id="",
        happened_at=call.now,
        event_type="AwsServiceEvent",
        source=SOURCE,
        name="ApprovalUsed",
        caller=None,
        identity={"accountId": row.acted_account_id, "invokedBy": SOURCE},
        account_id=account_id,
        region=call.origin.region,
        source_ip=SOURCE,
        user_agent=SOURCE,
        request_id=call.origin.request_id,
        read_only=False,
        service_details={
            "approvalRequestId": row.session_id,
            "action": row.action,
            "requester": row.requester_arn,
            "approvedBy": "team" if row.status == APPROVED else "delay",
        },
    )
    return record.row_of(facts)


def _refuse_unapproved_root(call: Call, name: str) -> None:
    """Refuse what a sealed root does without its custodians: by an access key, or in a session from before the seal."""
    caller = call.caller
    if not isinstance(caller, Principal) or caller.kind is not PrincipalKind.ROOT:
        return
    session = caller.session
    # Neither key nor session: a step of sign-in, which asks for the approval itself (`signin.admissions`).
    is_in_sign_in = session is None and not caller.access_key_id
    is_approved = session is not None and (session.assumed_root or APPROVED_BY in session.context)
    if is_in_sign_in or is_approved or SealedAct.ROOT_SIGN_IN.value not in call.standing.sealed(call.db):
        return
    raise errors.ApprovalRequired(refusal(caller, caller.account_id, name, SealedAct.ROOT_SIGN_IN))


def name_of(operation: Operation) -> str:
    """Return how requests name an operation: the service and its name, such as `sts:AssumeRoot`."""
    return f"{operation.service.name}:{operation.name}"


def parameters_of(operation: Operation, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return an operation's parameters as a request shows them: by the model's names, without secrets."""
    members = operation.model.input.members if operation.model.input is not None else {}
    named = {name: member for member, name in operation.model.arguments.items()}
    given = {named.get(name, name): value for name, value in arguments.items() if value is not None}
    # A client makes a token up for each call, so that no request could name it.
    kept = {name: value for name, value in given.items() if name in members and name not in _TOKENS}
    return redact.for_approval(kept)


_TOKENS = frozenset({"ClientToken", "ClientRequestToken", "IdempotencyToken", "clientToken"})


def accounts_of(call: Call, found: SealableOperation, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the accounts whose seals may cover an operation with these parameters, in the order in which they are looked at."""
    match found.whose:
        case Whose.BUCKET:
            bucket = buckets.named(call.db, str(parameters.get(found.member)))
            return () if bucket is None else (bucket.account_id,)
        case Whose.INSTALLATION:
            oldest = seals.oldest_over(call.db, found.act.value)
            return () if oldest is None else (oldest.account_id,)
        case Whose.CUSTODIAN:
            # Whoever seals an account under somebody who is about to go is waited for, and then seen.
            holds.take(call.db, Hold.CUSTODY)
            return approval_standing.sealed_by(call.db, str(parameters.get(found.member)))
        case _:
            return sealed_acts.accounts_of(found, call.account_id, management_of(call), parameters)


def sealing_account(call: Call, act: SealedAct, account_ids: tuple[str, ...]) -> str | None:
    """Return the first of some accounts whose seal covers an act, None where none does."""
    for account_id in account_ids:
        is_own = account_id == call.standing.account_id
        standing = call.standing if is_own else call.wiring.standings.of_account(call.db, account_id)
        sealed = standing.sealed(call.db) if standing is not None else frozenset()
        # Lifting a seal is sealed by every seal, whatever else it covers: or that would be the way around it.
        if act.value in sealed or (sealed and act is SealedAct.UNSEAL):
            return account_id
    return None


def approved(
    db: Transaction, caller: Caller, account_id: str, action: str, parameters: Mapping[str, object], *, now: datetime
) -> ApprovalSessionRow | None:
    """Return a request that lets a caller do exactly this now: approved as of now, not expired, not used."""
    asker, asker_account = asker_of(caller)
    wanted = approval_requests.act_digest(account_id, action, parameters)
    for row in sessions.usable_of_acted(db, account_id, now=now):
        if (row.requester_id, row.requester_account_id, row.action) != (asker, asker_account, action):
            continue
        request = approval_requests.read(row.document.encode())
        digest = approval_requests.act_digest(request.account_id, request.action, request.parameters)
        # By a digest of account, act and parameters, so that no detail of the approved act can be exchanged.
        if digest == wanted and stands(db, row, request, now=now):
            return row
    return None


def asker_of(caller: Caller) -> tuple[str, str]:
    """Return by which id, and of which account, somebody's requests are kept."""
    if isinstance(caller, Principal):
        return caller.lasting_id, caller.account_id
    name = caller.name if isinstance(caller, Operator) else ""
    return (f"{OPERATOR}:{name}" if name else OPERATOR), ""


def stands(db: Transaction, row: ApprovalSessionRow, request: ApprovalRequest, *, now: datetime) -> bool:
    """Tell whether a request is approved as of now: its team is as it was, and enough of its people and keys still are.

    Counted anew whenever it is asked: a key that was reported stolen approves nothing any more, nor does who has left.
    """
    return stands_by(approval_standing.of(db, row), row, request, now=now)


def stands_by(found: ApprovalStanding, row: ApprovalSessionRow, request: ApprovalRequest, *, now: datetime) -> bool:
    """Tell the same from what is known of the request."""
    team, version = found.team, found.version
    is_as_it_was = team is not None and (team.status, team.version_id) == ("ACTIVE", row.version_id)
    if version is None or not is_as_it_was or now >= row.expires_at:
        return False
    if row.status == PENDING:
        starts = alone_from(version, row)
        # A single refusal is a veto: going on alone is only for requests that nobody has objected to.
        is_quiet = starts is not None and now >= starts and all(vote.decision == APPROVED for vote in found.cast)
        return is_quiet and _could_refuse(found, row, request, version)
    return row.status == APPROVED and _is_met(found, row, request, version)


def _could_refuse(found: ApprovalStanding, row: ApprovalSessionRow, request: ApprovalRequest, version: TeamVersionRow) -> bool:
    """Tell whether as many could have decided as an approval takes: the silence of people without keys is no consent."""
    able = {each.approver_id: each.identity for each in _able(found)}
    held = [
        (approver_id, CustodianKey(key.credential_id, key.public_key).fingerprint)
        for approver_id, identity in able.items()
        for key in found.keys.values()
        # As for votes: a key that came later could have been enrolled so that silence counts.
        if key.identity == identity and key.enrolled_at <= row.initiated_at and identity != request.requester_identity
    ]
    return quorum_of(version, tuple(able)).is_met(approval_proofs.distinct(held))


def _able(found: ApprovalStanding) -> list[ApproverRow]:
    return [each for each in found.people if each.status == "ACCEPTED" and each.identity not in found.disabled]


def is_met(db: Transaction, row: ApprovalSessionRow, request: ApprovalRequest, version: TeamVersionRow) -> bool:
    """Tell whether the votes of a session make up the quorum: distinct people, distinct keys, and never the requester."""
    return _is_met(approval_standing.of(db, row), row, request, version)


def _is_met(found: ApprovalStanding, row: ApprovalSessionRow, request: ApprovalRequest, version: TeamVersionRow) -> bool:
    members = {each.approver_id: each for each in _able(found)}
    counted: dict[str, tuple[str, str]] = {}
    for vote in found.cast:
        member, key = members.get(vote.approver_id), found.keys.get(vote.key_id)
        if member is None or key is None or vote.decision != APPROVED or member.identity == request.requester_identity:
            continue
        # A key that came later than the request could have been enrolled for it, by whoever can have keys enrolled anew.
        if key.identity == member.identity and key.enrolled_at <= row.initiated_at:
            fingerprint = CustodianKey(key.credential_id, key.public_key).fingerprint
            # By identity and not by seat: somebody with two seats is one person.
            counted.setdefault(member.identity, (vote.approver_id, fingerprint))
    return quorum_of(version, tuple(members)).is_met(approval_proofs.distinct(counted.values()))


def quorum_of(version: TeamVersionRow, approver_ids: tuple[str, ...]) -> Quorum:
    """Return what a team's version asks for: so many of all, and of each of its groups where it has any."""
    everybody = Quorum(version.min_approvals, approver_ids)
    if version.groups is None:
        return everybody
    groups = [Quorum(int(each["min_approvals"]), tuple(each["approvers"])) for each in json.loads(version.groups)]
    # Everybody's number and each group's must be met, all of them.
    return Quorum(len(groups) + 1, (), (everybody, *groups))


def alone_from(version: TeamVersionRow, row: ApprovalSessionRow) -> datetime | None:
    """Return from when the requester may go on alone where nobody vetoes.

    None where the team doesn't let them, and for a change of the team itself.
    """
    # A change of the team always takes votes: or one person could wait, and then own the team.
    if version.alone_after_hours is None or row.service == TEAM_SERVICE:
        return None
    return row.initiated_at + timedelta(hours=version.alone_after_hours)


def refusal(caller: Caller, account_id: str, action: str, act: SealedAct) -> str:
    """Return what somebody is told whose act waits for approval: why, and how to ask."""
    who = caller.arn if isinstance(caller, Principal) else "the operator"
    how = "`crownkeep approvals request`" if not isinstance(caller, Principal) else "RequestApproval of the service `approvals`"
    return (
        f"{who} is not authorized to perform: {action} because account {account_id} is sealed ({act.value}): "
        f"ask its custodians by {how}, and call again once they have approved exactly this"
    )


def is_sealed(db: Transaction, account_id: str, act: SealedAct) -> bool:
    """Tell whether an act on an account is sealed, for steps of sign-in, which no standing is at hand for."""
    return act.value in seals.acts(db, account_id)


def management_of(call: Call) -> str:
    """Return the management account of the caller's organization; empty where the account is in none."""
    membership = call.standing.membership(call.db) if call.account_id else None
    return membership.management_account_id if membership is not None else ""
