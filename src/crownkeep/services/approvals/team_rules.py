"""What AWS's model lacks of teams, for an account's own people: rules that the team decides on, and invitations sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.domain.approvals import approver_invitations, arns, proving, team_rules, teams
from crownkeep.domain.approvals.team_rules import WantedRules
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.approvals import shown
from crownkeep.services.approvals.service import approvals
from crownkeep.signin import recovery


def one_team(call: Call, *, team_arn: str, **_: object) -> Target:
    """The team with this ARN, of the caller's account."""
    state = teams.look(call.db, team_arn.rpartition("/")[2], now=call.now)
    # The whole ARN is compared, and not the id alone: another account's team must look like none.
    is_theirs = state is not None and arns.team(call.account_id, state.row.team_id) == team_arn
    return Target(team_arn if is_theirs else arns.team(call.account_id, "*"), row=state if is_theirs else None)


@approvals.operation("UpdateTeamRules", resource=one_team, effect=Effect.STATE)
def update_team_rules(
    call: Call,
    *,
    team_arn: str,
    groups: Sequence[Mapping[str, Any]] | None = None,
    alone_after_hours: int | None = None,
    reason: str = "",
) -> Result:
    """Ask a team to approve groups each of which must approve, or that whoever asks goes on alone after so many hours."""
    state = _required(call, team_arn)
    given = None if groups is None else [_snake(each) for each in groups]
    session = team_rules.start_update(call, state, WantedRules(given, alone_after_hours, reason))
    return {"Request": shown.pascal(proving.describe(call.db, session, now=call.now))}


@approvals.operation("ResendInvitation", resource=one_team, effect=Effect.STATE)
def resend_invitation(call: Call, *, team_arn: str, approver_id: str) -> Result:
    """Mail an approver who has not answered another link; the one before is void, and the time to answer stays as it was."""
    state = _required(call, team_arn)
    found = next((each for each in (*state.approvers, *state.pending_approvers) if each.approver_id == approver_id), None)
    if found is None:
        raise errors.ResourceNotFound(f"there is no approver `{approver_id}` in this team")
    if not approver_invitations.waits_for(state, found):
        raise errors.Conflict("this approver has answered, or is asked no more: there is nothing to send again")
    sent = recovery.count(call.db, call.wiring, "approver invitation", found.identity, account_id=call.account_id, now=call.now)
    if sent > approver_invitations.MOST_WITHIN_HOUR:
        raise errors.Conflict(
            f"you have sent {approver_invitations.MOST_WITHIN_HOUR} invitations to this person within an hour: wait"
        )
    approver_invitations.send(call.db, call.wiring, found, now=call.now)
    return NOTHING


def _required(call: Call, team_arn: str) -> TeamState:
    state = call.target_row(TeamState)
    if state is None:
        raise errors.ResourceNotFound(f"there is no approval team `{team_arn}` in this account")
    return state


def _snake(group: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": group["Name"], "min_approvals": group["MinApprovals"], "approvers": group["Approvers"]}
