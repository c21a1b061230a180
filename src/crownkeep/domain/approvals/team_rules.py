"""What AWS's strategy can't say of a team: groups each of which must approve, and that a requester goes on alone after a delay.

Both change like everything about an active team: by its own approval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crownkeep import arn, errors
from crownkeep.domain.approvals import people, team_changes, team_groups, teams
from crownkeep.domain.approvals.team_changes import WantedTeam
from crownkeep.domain.approvals.team_groups import TeamGroup
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations import approval_standing
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import sessions
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

SOONEST_ALONE, LATEST_ALONE = 24, 48
"""Hours. A request stands for 72 at most, so that there is a day left in which the act can be done."""


@dataclass(frozen=True, slots=True)
class WantedRules:
    """What is to change; None leaves it as it is."""

    groups: Sequence[Mapping[str, Any]] | None
    """Each with a `name`, `min_approvals`, and `approvers` as a caller names them."""
    alone_after_hours: int | None
    """0 for never."""
    reason: str = ""


def start_update(call: Call, state: TeamState, wanted: WantedRules) -> ApprovalSessionRow:
    """Ask an active team to approve other rules of itself; nothing changes before it has.

    Raises ValidationException for rules that make no sense, and ConflictException where the team can't change now.
    """
    if wanted.groups is None and wanted.alone_after_hours is None:
        raise errors.ServiceValidation("say what to change: the groups, or after how many hours a requester may go on alone")
    hours = wanted.alone_after_hours
    if hours and not SOONEST_ALONE <= hours <= LATEST_ALONE:
        raise errors.ServiceValidation(
            f"whoever asks may go on alone after {SOONEST_ALONE} to {LATEST_ALONE} hours, or never (0): "
            "everybody in the team needs time to refuse"
        )
    team_changes.require_changeable(state)
    found = [people.of_approver(call.db, each) for each in state.approvers]
    staying = [each for each in found if each is not None]
    if len(staying) < len(found):
        raise errors.Conflict(
            "somebody in the team is gone: change its approvers first, by UpdateApprovalTeam of the service `mpa`"
        )
    current = team_groups.of_version(state.version, state.approvers)
    changed = WantedTeam(
        description=state.version.description,
        min_approvals=state.version.min_approvals,
        people=staying,
        groups=current if wanted.groups is None else team_groups.checked([_group(call, state, each) for each in wanted.groups]),
        alone_after_hours=state.version.alone_after_hours if hours is None else hours or None,
    )
    team_changes.start_update(call, state, changed, reason=wanted.reason)
    after = teams.look(call.db, state.row.team_id, now=call.now)
    session = (
        None if after is None or after.row.update_session_id is None else sessions.with_id(call.db, after.row.update_session_id)
    )
    if session is None:
        raise LookupError(f"team `{state.row.team_id}` was not asked about its update")
    return session


def find(call: Call, team_arn: str) -> TeamState:
    """Return the team with an ARN, whichever account's it is; raises ResourceNotFoundException."""
    parts = arn.parse(team_arn)
    state = None if parts is None else teams.look(call.db, team_arn.rpartition("/")[2], now=call.now)
    if parts is None or state is None or state.row.account_id != parts.account_id:
        raise errors.ResourceNotFound(f"there is no approval team `{team_arn}`")
    return state


def _group(call: Call, state: TeamState, given: Mapping[str, Any]) -> TeamGroup:
    identities = tuple(_identity(call, state, str(each)) for each in given["approvers"])
    return TeamGroup(str(given["name"]), int(given["min_approvals"]), identities)


def _identity(call: Call, state: TeamState, named: str) -> str:
    """Return whom somebody means by an approver's id, the id in an identity source, or a custodian's address."""
    custodian = approval_standing.identity_named(call.db, named)
    for each in state.approvers:
        if named in (each.approver_id, each.identity_id) or custodian == each.identity:
            return each.identity
    raise errors.ServiceValidation(
        f"`{named}` is nobody in the team: name people by `ApproverId`, or custodians by their address"
    )
