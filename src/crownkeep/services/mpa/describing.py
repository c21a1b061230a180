"""How teams and their approvers are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep.domain.approvals import arns
from crownkeep.domain.approvals import team_changes as changes
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import approver_keys, sessions, votes
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow, TeamVersionRow

_MOST_OPEN = 1000
_MOST_KEYS = 5
Shown = dict[str, object]


def listed(state: TeamState) -> Shown:
    """Show a team in a list."""
    return {
        "Arn": arns.team(state.row.account_id, state.row.team_id),
        "Name": state.row.name,
        "Description": state.version.description,
        "CreationTime": state.row.created_at,
        "ApprovalStrategy": strategy(state.version),
        "NumberOfApprovers": len(state.approvers),
        **standing(state.row),
    }


def team(call: Call, state: TeamState) -> Shown:
    """Show a team with its approvers, and an update that is not in force."""
    row = state.row
    rehearsals = _rehearsals(call, state)
    shown = listed(state) | {
        "Approvers": _approvers(call, state.approvers, rehearsals),
        "VersionId": row.version_id,
        "Policies": [{"PolicyArn": each} for each in row.policies.splitlines()],
        "LastUpdateTime": row.updated_at,
    }
    if row.update_session_id is not None:
        shown["UpdateSessionArn"] = arns.session(row.account_id, row.team_id, row.update_session_id)
    if state.pending is not None:
        shown["PendingUpdate"] = {
            "VersionId": state.pending.version_id,
            "Description": state.pending.description,
            "ApprovalStrategy": strategy(state.pending),
            "NumberOfApprovers": len(state.pending_approvers),
            "Status": "PENDING" if state.is_updating else "INACTIVE",
            **_present(StatusCode=state.pending.status_code, StatusMessage=state.pending.status_message),
            "Approvers": _approvers(call, state.pending_approvers, rehearsals),
            "UpdateInitiationTime": state.pending.created_at,
        }
    return shown


def strategy(version: TeamVersionRow) -> Shown:
    """Show how a team approves."""
    return {"MofN": {"MinApprovalsRequired": version.min_approvals}}


def standing(row: ApprovalTeamRow) -> Shown:
    """Show how a team stands."""
    return {"Status": row.status, **_present(StatusCode=row.status_code, StatusMessage=row.status_message)}


def _approvers(call: Call, rows: Sequence[ApproverRow], rehearsals: Mapping[str, str]) -> list[Shown]:
    keys: dict[str, int] = {}
    for key in approver_keys.of_identities(call.db, [row.identity for row in rows]):
        keys[key.identity] = keys.get(key.identity, 0) + 1
    return [_approver(row, keys.get(row.identity, 0), rehearsals.get(row.approver_id)) for row in rows]


def _approver(row: ApproverRow, keys: int, rehearsal: str | None) -> Shown:
    # AWS's one kind is a code by e-mail; what approvers have here is a security key, which nobody can read over a shoulder.
    methods = [{"Type": "WEBAUTHN", "SyncStatus": "IN_SYNC"}] * min(keys, _MOST_KEYS)
    return {
        "ApproverId": row.approver_id,
        "PrimaryIdentityId": row.identity_id,
        "PrimaryIdentitySourceArn": arns.identity_source(row.account_id, row.source_id),
        "PrimaryIdentityStatus": row.status,
        "MfaMethods": methods,
        **_present(
            ResponseTime=row.responded_at,
            LastActivity=row.last_activity,
            LastActivityTime=row.last_activity_at,
            PendingBaselineSessionArn=rehearsal,
        ),
    }


def _rehearsals(call: Call, state: TeamState) -> dict[str, str]:
    """Return the rehearsals that approvers have not answered yet: the newest of each."""
    found: dict[str, str] = {}
    # The oldest first, so that a newer rehearsal of the same approver takes the place of an older one.
    for session in sessions.open_of_team(call.db, state.row.team_id, limit=_MOST_OPEN):
        if session.action != changes.BASELINE or call.now >= session.expires_at:
            continue
        answered = {vote.approver_id for vote in votes.of_session(call.db, session.session_id)}
        # Empty stands for everybody.
        asked = session.asked.splitlines() or [each.approver_id for each in state.approvers]
        arn = arns.session(session.account_id, session.team_id, session.session_id)
        found |= {each: arn for each in asked if each not in answered}
    return found


def _present(**members: object) -> Shown:
    return {name: value for name, value in members.items() if value is not None}
