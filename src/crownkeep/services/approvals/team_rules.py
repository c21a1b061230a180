"""Rules of teams beyond AWS's strategy, for an account's own people: the team decides on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.domain.approvals import arns, proving, team_rules, teams
from crownkeep.domain.approvals.team_rules import WantedRules
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.approvals import shown
from crownkeep.services.approvals.service import approvals


def one_team(call: Call, *, team_arn: str, **_: object) -> Target:
    """The team with this ARN, of the caller's account."""
    state = teams.look(call.db, team_arn.rpartition("/")[2], now=call.now)
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
    state = call.target_row(TeamState)
    if state is None:
        raise errors.ResourceNotFound(f"there is no approval team `{team_arn}` in this account")
    given = None if groups is None else [_snake(each) for each in groups]
    session = team_rules.start_update(call, state, WantedRules(given, alone_after_hours, reason))
    return {"Request": shown.pascal(proving.describe(call.db, session, now=call.now))}


def _snake(group: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": group["Name"], "min_approvals": group["MinApprovals"], "approvers": group["Approvers"]}
