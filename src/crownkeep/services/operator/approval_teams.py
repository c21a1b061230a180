"""Approval teams as the operator sees them, and asks them for other rules; the team itself decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep.domain.approvals import custody, proving, team_rules
from crownkeep.domain.approvals.team_rules import WantedRules
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import accounts


@operator.operation("ListApprovalTeams", resource=registry.everything)
def list_approval_teams(call: Call, *, account_id: str) -> Result:
    """Return an account's teams, and that of its seal, with who in them could act today."""
    known_accounts.recorded(call, account_id)
    return {"teams": [custody.describe(each, now=call.now) for each in custody.of_account(call.db, account_id)]}


@operator.operation("UpdateApprovalTeamRules", resource=registry.everything, effect=Effect.STATE)
def update_approval_team_rules(
    call: Call,
    *,
    team_arn: str,
    groups: Sequence[Mapping[str, Any]] | None = None,
    alone_after_hours: int | None = None,
    reason: str = "",
) -> Result:
    """Ask a team to approve groups each of which must approve, or that whoever asks goes on alone after so many hours."""
    state = team_rules.find(call, team_arn)
    # Found, held and found again: only the team tells whose row is to be held, and the team may have changed before it was.
    accounts.hold(call.db, state.row.account_id)
    state = team_rules.find(call, team_arn)
    session = team_rules.start_update(call, state, WantedRules(groups, alone_after_hours, reason))
    call.notes.account_id = state.row.account_id
    return proving.describe(call.db, session, now=call.now)
