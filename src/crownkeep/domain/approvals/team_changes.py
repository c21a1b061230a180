"""How teams change: made, updated and deleted, each only once everybody who must agree has agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crownkeep import clock, errors
from crownkeep.domain.approvals import ability, approver_invitations, arns, sessions, team_groups, teams
from crownkeep.domain.approvals.approver_invitations import Invitation
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.domain.approvals.sessions import WantedSession
from crownkeep.domain.approvals.team_groups import TeamGroup
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations import approvals
from crownkeep.operations.call import Call, Wiring
from crownkeep.storage.approvals import approval_tags, approvers, seals
from crownkeep.storage.approvals import sessions as session_rows
from crownkeep.storage.approvals import teams as team_rows
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow, TeamVersionRow
from crownkeep.storage.database import Transaction

SERVICE = approvals.TEAM_SERVICE
UPDATE, DELETE, BASELINE = "mpa:UpdateApprovalTeam", "mpa:StartActiveApprovalTeamDeletion", "mpa:StartApprovalTeamBaseline"
_MOST_OPEN = 1000


@dataclass(frozen=True, slots=True)
class WantedTeam:
    """What a version of a team is to be."""

    description: str
    min_approvals: int
    people: Sequence[ApproverIdentity]
    groups: Sequence[TeamGroup] = ()
    alone_after_hours: int | None = None


def create(call: Call, name: str, wanted: WantedTeam, *, policies: Sequence[str], client_token: bytes | None) -> ApprovalTeamRow:
    """Make a team and invite everybody; it is active once all have accepted."""
    team_id, version_id = f"{name}-{clock.token_bytes(8).hex()}", _new_id()
    row = ApprovalTeamRow(
        team_id=team_id,
        account_id=call.account_id,
        name=name,
        version_id=version_id,
        pending_version_id=None,
        status=teams.INVITING,
        status_code=teams.PENDING_ACTIVATION,
        status_message=None,
        policies="\n".join(policies),
        client_token=client_token,
        update_session_id=None,
        deletes_at=None,
        created_at=call.now,
        updated_at=call.now,
    )
    team_rows.add(call.db, row)
    # Everybody of a new team must accept: nobody becomes a custodian without knowing.
    for each in _add_version(call, row, version_id, wanted, code=None, kept=()):
        approver_invitations.send(call.db, call.wiring, each, now=call.now)
    return row


def require_changeable(state: TeamState) -> None:
    """Raise ConflictException unless the team is active and has no other change of itself to decide on."""
    if not state.is_active:
        raise errors.Conflict(f"The approval team is {state.row.status}, and only an active team can change.")
    if state.is_updating or state.is_ending:
        raise errors.Conflict("The approval team has another change of itself to decide on.")


def start_update(call: Call, state: TeamState, wanted: WantedTeam, *, reason: str = "") -> TeamVersionRow:
    """Put an update to the team that is to be changed; nobody new is invited before the team has approved it."""
    row, version_id = state.row, _new_id()
    # An earlier change that was approved and not yet accepted gives way.
    forget_pending(call.db, state)
    kept = [each for each in state.approvers if each.status == teams.ACCEPTED]
    code = teams.UPDATE_PENDING_APPROVAL
    members = _add_version(call, row, version_id, wanted, code=code, kept=kept)
    found = team_rows.version(call.db, row.team_id, version_id)
    assert found is not None  # noqa: S101 - added above, for the type checker
    # Refused at once, before people are asked for nothing; asked again when it comes into force.
    if seals.of_team(call.db, row.team_id) and not ability.could_act(call.db, found, members):
        raise errors.Conflict(teams.UNABLE)
    arn = arns.team(row.account_id, row.team_id)
    parameters: dict[str, object] = {
        "Arn": arn,
        "VersionId": version_id,
        "Description": wanted.description,
        "MinApprovalsRequired": wanted.min_approvals,
        "Groups": team_groups.shown(found),
        "AloneAfterHours": wanted.alone_after_hours or 0,
        "Approvers": [{"ApproverId": each.approver_id, "Identity": each.identity} for each in members],
    }
    asked = replace(_wanted(UPDATE, row, "Update this approval team.", parameters), reason=reason)
    session = sessions.begin(call, row, asked)
    values = {"pending_version_id": version_id, "update_session_id": session.session_id, "updated_at": call.now}
    team_rows.change(call.db, row.team_id, **values, status_code=None, status_message=None)
    return found


def start_deletion(call: Call, state: TeamState, *, window: timedelta) -> ApprovalSessionRow:
    """Put to a team whether it is to be deleted, so long after its approval; raises ConflictException for one that seals."""
    row = state.row
    if seals.of_team(call.db, row.team_id):
        raise errors.Conflict(teams.SEALING)
    parameters: dict[str, object] = {"Arn": arns.team(row.account_id, row.team_id), "PendingWindowDays": window.days}
    session = sessions.begin(call, row, _wanted(DELETE, row, "Delete this approval team.", parameters))
    values = {"status_code": teams.DELETE_PENDING_APPROVAL, "status_message": None, "update_session_id": session.session_id}
    team_rows.change(call.db, row.team_id, **values, updated_at=call.now)
    return session


def start_baseline(call: Call, state: TeamState, asked: Sequence[str]) -> ApprovalSessionRow:
    """Rehearse: ask these approvers, or all, whether they still answer. Nothing comes of it but that they have."""
    row = state.row
    parameters: dict[str, object] = {"Arn": arns.team(row.account_id, row.team_id)}
    wanted = _wanted(BASELINE, row, "Rehearsal: show that you can still approve.", parameters)
    return sessions.begin(call, row, replace(wanted, asked=tuple(asked)))


def forget_pending(db: Transaction, state: TeamState) -> None:
    """Drop an update that is not to come into force."""
    if state.pending is None:
        return
    for each in state.pending_approvers:
        if each.status == teams.INVITED:
            approver_invitations.withdraw(db, each)
    approvers.remove_version(db, state.row.team_id, state.pending.version_id)
    team_rows.remove_version(db, state.row.team_id, state.pending.version_id)
    team_rows.change(db, state.row.team_id, pending_version_id=None)


def remove(db: Transaction, row: ApprovalTeamRow) -> None:
    """Remove a team and who is in it; its sessions and votes stay, for they are evidence."""
    found = [each for version in (row.version_id, row.pending_version_id) if version for each in _of(db, row, version)]
    for each in found:
        approver_invitations.withdraw(db, each)
    approval_tags.remove_all(db, row.team_id)
    approvers.remove_team(db, row.team_id)
    team_rows.remove(db, row.team_id)


def decided(db: Transaction, wiring: Wiring, session: ApprovalSessionRow, *, now: datetime) -> None:
    """Carry out what a session about its own team has come to; call it once, in the transaction that ends the session.

    Sessions about anything else are carried out elsewhere, and nothing is done here.
    """
    if session.service != SERVICE or session.action not in (UPDATE, DELETE):
        return
    state = teams.look(db, session.team_id, now=now)
    # A later change has taken this one's place: its outcome concerns nothing any more.
    if state is None or state.row.update_session_id != session.session_id:
        return
    is_approved = session.status == sessions.APPROVED
    if is_approved:
        session_rows.execute(db, session.session_id, now=now)
    if session.action == DELETE:
        _decide_deletion(db, session, state, is_approved=is_approved, now=now)
    elif state.pending is not None:
        code = teams.UPDATE_PENDING_ACTIVATION if is_approved else teams.UPDATE_FAILED_APPROVAL
        team_rows.change_version(db, state.row.team_id, state.pending.version_id, status_code=code)
        if is_approved:
            _invite(db, wiring, state, now=now)


def accept(db: Transaction, invitation: Invitation, *, now: datetime) -> None:
    """Write down that somebody has accepted; with the last one the version comes into force."""
    row = invitation.approver
    _respond(db, row, teams.ACCEPTED, now)
    if all(each.status == teams.ACCEPTED for each in _of_version(db, row)):
        activate(db, invitation.state.row, row.version_id, now=now)


def refuse(db: Transaction, invitation: Invitation, *, now: datetime) -> None:
    """Write down that somebody has refused: the version will never come into force, and nobody else is asked any more."""
    row, state = invitation.approver, invitation.state
    _respond(db, row, teams.REJECTED, now)
    for each in _of_version(db, row):
        approver_invitations.withdraw(db, each)
    message = "Somebody has refused the invitation."
    if row.version_id == state.row.version_id:
        values = {"status": teams.INACTIVE, "status_code": teams.FAILED_ACTIVATION, "status_message": message}
        team_rows.change(db, row.team_id, **values, updated_at=now)
    else:
        code = teams.UPDATE_FAILED_ACTIVATION
        team_rows.change_version(db, row.team_id, row.version_id, status_code=code, status_message=message)


def activate(db: Transaction, row: ApprovalTeamRow, version_id: str, *, now: datetime) -> None:
    """Let a version come into force that everybody in it has accepted; what the version before was asked is void.

    One that could approve nothing, since keys were lost meanwhile, does not come into force where an account is sealed under it.
    """
    version = team_rows.version(db, row.team_id, version_id)
    members = approvers.of_version(db, row.team_id, version_id)
    if version is not None and seals.of_team(db, row.team_id) and not ability.can_act(db, version, members):
        # Told as a code of the version and not raised: it was the last person's acceptance, which stands.
        code = teams.UPDATE_FAILED_VALIDATION
        team_rows.change_version(db, row.team_id, version_id, status_code=code, status_message=teams.UNABLE)
        return
    # Votes of the old team must not add up with those of the new one.
    for session in session_rows.open_of_team(db, row.team_id, limit=_MOST_OPEN):
        sessions.end(db, session, status=sessions.FAILED, code=sessions.CONFIGURATION_CHANGED, now=now)
    values: dict[str, object] = {"version_id": version_id, "pending_version_id": None, "status": teams.ACTIVE}
    team_rows.change(db, row.team_id, **values, status_code=None, status_message=None, updated_at=now)
    team_rows.change_version(db, row.team_id, version_id, status_code=None, status_message=None)


def _add_version(
    call: Call, team: ApprovalTeamRow, version_id: str, wanted: WantedTeam, *, code: str | None, kept: Sequence[ApproverRow]
) -> list[ApproverRow]:
    """Keep a version with its approvers; those who have accepted the one before need not do so again."""
    known: Mapping[str, ApproverRow] = {each.identity: each for each in kept}
    members = []
    for each in wanted.people:
        before = known.get(each.identity)
        fresh = ApproverRow(
            team_id=team.team_id,
            version_id=version_id,
            approver_id=_new_id(),
            account_id=team.account_id,
            source_id=each.source_id,
            identity_id=each.identity_id,
            identity=each.identity,
            status=teams.INVITED,
            invited_at=call.now,
        )
        # Whoever stays keeps their approver id, and need not accept again: they approve the change itself.
        members.append(fresh if before is None else replace(before, version_id=version_id))
    approvers.add_each(call.db, members)
    version = TeamVersionRow(
        team_id=team.team_id,
        version_id=version_id,
        account_id=team.account_id,
        description=wanted.description,
        min_approvals=wanted.min_approvals,
        groups=team_groups.written(wanted.groups, members),
        alone_after_hours=wanted.alone_after_hours,
        status_code=code,
        status_message=None,
        created_at=call.now,
    )
    team_rows.add_version(call.db, version)
    return members


def _decide_deletion(db: Transaction, session: ApprovalSessionRow, state: TeamState, *, is_approved: bool, now: datetime) -> None:
    row = state.row
    if not is_approved:
        team_rows.change(db, row.team_id, status_code=teams.DELETE_FAILED_APPROVAL, updated_at=now)
        return
    if seals.of_team(db, row.team_id):
        # Sealed since it was asked.
        failed = {"status_code": teams.DELETE_FAILED_VALIDATION, "status_message": teams.SEALING}
        team_rows.change(db, row.team_id, **failed, updated_at=now)
        return
    # From the document that was signed, as the custodians saw it.
    days = sessions.request_of(session).parameters.get("PendingWindowDays", 0)
    goes = now + timedelta(days=days if isinstance(days, int) else 0)
    team_rows.change(db, row.team_id, status=teams.DELETING, status_code=None, deletes_at=goes, updated_at=now)


def _invite(db: Transaction, wiring: Wiring, state: TeamState, *, now: datetime) -> None:
    """Invite those who are new in an update that the team has approved; where nobody is, it is in force at once."""
    if state.pending is not None and any(each.status == teams.GONE for each in state.pending_approvers):
        values = {"status_code": teams.UPDATE_FAILED_VALIDATION, "status_message": teams.LEFT}
        team_rows.change_version(db, state.row.team_id, state.pending.version_id, **values)
        return
    invited = [each for each in state.pending_approvers if each.status != teams.ACCEPTED]
    for each in invited:
        approvers.change(db, each.team_id, each.approver_id, invited_at=now)
        approver_invitations.send(db, wiring, each, now=now)
    if not invited and state.pending is not None:
        activate(db, state.row, state.pending.version_id, now=now)


def _respond(db: Transaction, row: ApproverRow, status: str, now: datetime) -> None:
    values = {"status": status, "responded_at": now, "last_activity": "RESPONDED_TO_INVITATION", "last_activity_at": now}
    approvers.change(db, row.team_id, row.approver_id, **values)
    approver_invitations.withdraw(db, row)


def _of_version(db: Transaction, row: ApproverRow) -> list[ApproverRow]:
    return approvers.of_version(db, row.team_id, row.version_id)


def _of(db: Transaction, row: ApprovalTeamRow, version_id: str) -> list[ApproverRow]:
    return approvers.of_version(db, row.team_id, version_id)


def _wanted(action: str, row: ApprovalTeamRow, description: str, parameters: Mapping[str, object]) -> WantedSession:
    arn = arns.team(row.account_id, row.team_id)
    return WantedSession(SERVICE, action, arn, row.account_id, description, parameters)


def _new_id() -> str:
    return clock.token_bytes(16).hex()
