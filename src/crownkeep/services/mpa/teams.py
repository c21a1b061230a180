"""Approval teams: made, read, updated and deleted. An active team changes only by its own approval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec

from crownkeep import errors
from crownkeep.domain import next_tokens, quotas
from crownkeep.domain.approvals import approver_invitations, arns, people, team_changes, team_groups, teams
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.domain.approvals.team_changes import WantedTeam
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, everything
from crownkeep.services.mpa import describing, policies, tags, targets
from crownkeep.services.mpa.service import PAGE, mpa
from crownkeep.signin import recovery
from crownkeep.storage.approvals import approval_tags
from crownkeep.storage.approvals import teams as team_rows
from crownkeep.storage.approvals.teams import ApprovalTeamRow

TEAMS = quotas.define("ApprovalTeamsPerAccount", 10, least=0, most=100)
FEWEST_APPROVERS, FEWEST_APPROVALS = 3, 2
LONGEST_WINDOW_DAYS = 30

Approvers = Sequence[Mapping[str, str]]
Strategy = Mapping[str, Mapping[str, int]]


@mpa.operation(
    "CreateApprovalTeam", resource=targets.new_team, effect=Effect.STATE, tagging=Tagging(targets.TAG_ACTION, targets.new_team)
)
def create_approval_team(
    call: Call,
    *,
    approval_strategy: Strategy,
    approvers: Approvers,
    description: str,
    policies: Sequence[Mapping[str, str]],
    name: str,
    client_token: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Result:
    """Make a team and invite its approvers; it is active once all of them have accepted."""
    wanted = _wanted(call, approvers, approval_strategy, description)
    references, checked = _policies(policies), _tags(tags or {})
    # A repeated request with its token is answered as the first one was, and before any quota.
    token = token_digest(call, client_token, name, description, approval_strategy, approvers, references, checked)
    before = _same_name(call, name)
    if before is not None:
        if token is not None and before.client_token == token:
            return _made(before)
        raise errors.Conflict(f"An approval team with the name {name} already exists.")
    quotas_in_use = len(team_rows.page(call.db, call.account_id, after="", limit=TEAMS.most + 1))
    if quotas_in_use >= quotas.of(call, TEAMS):
        raise errors.ServiceQuotaExceeded(f"The account has {quotas_in_use} approval teams, and can have no more.")
    _refuse_flood(call, wanted)
    row = team_changes.create(call, name, wanted, policies=references, client_token=token)
    approval_tags.put(call.db, call.account_id, row.team_id, checked)
    return _made(row)


@mpa.operation("GetApprovalTeam", resource=targets.team)
def get_approval_team(call: Call, *, arn: str) -> Result:
    """Return a team with its approvers, and an update that is not in force yet."""
    return describing.team(call, targets.required_team(call, arn))


@mpa.operation("ListApprovalTeams", resource=everything)
def list_approval_teams(call: Call, *, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the account's teams."""
    listed, more = next_tokens.page(
        call,
        list_name="ListApprovalTeams",
        next_token=next_token,
        max_results=max_results or PAGE,
        fetch=lambda after, limit: team_rows.page(call.db, call.account_id, after=after, limit=limit),
        key=lambda row: row.team_id,
    )
    found = [state for row in listed if (state := teams.look(call.db, row.team_id, now=call.now)) is not None]
    return {"ApprovalTeams": [describing.listed(state) for state in found], **more}


@mpa.operation("UpdateApprovalTeam", resource=targets.team, effect=Effect.STATE)
def update_approval_team(
    call: Call,
    *,
    arn: str,
    approval_strategy: Strategy | None = None,
    approvers: Approvers | None = None,
    description: str | None = None,
    update_actions: Sequence[str] = (),
) -> Result:
    """Ask an active team to approve a change of itself; nothing changes before it has.

    What AWS's model lacks stays as it is: groups, and that a requester may go on alone after a delay.

    Keys of approvers are never out of step with their identity source, so that SYNCHRONIZE_MFA_DEVICES has nothing to do.
    """
    state = targets.required_team(call, arn)
    if approval_strategy is None and approvers is None and description is None:
        if not update_actions:
            raise errors.ServiceValidation("Say what to change: the strategy, the approvers or the description.")
        # SYNCHRONIZE_MFA_DEVICES alone: there is nothing to synchronise.
        return {"VersionId": state.row.version_id}
    team_changes.require_changeable(state)
    members = [_member(each.source_id, each.identity_id, state) for each in state.approvers] if approvers is None else approvers
    strategy = describing.strategy(state.version) if approval_strategy is None else approval_strategy
    wanted = _wanted(call, members, strategy, description or state.version.description)  # type: ignore[arg-type]  # both are its shape
    if approvers is not None:
        _refuse_flood(call, wanted)
    kept = team_groups.staying(team_groups.of_version(state.version, state.approvers), {each.identity for each in wanted.people})
    changed = replace(wanted, groups=kept, alone_after_hours=state.version.alone_after_hours)
    return {"VersionId": team_changes.start_update(call, state, changed).version_id}


@mpa.operation("DeleteInactiveApprovalTeamVersion", resource=targets.team, effect=Effect.STATE)
def delete_inactive_approval_team_version(call: Call, *, arn: str, version_id: str) -> Result:
    """Delete a team that was never active, or an update that is not in force."""
    state = targets.required_team(call, arn)
    if state.pending is not None and version_id == state.pending.version_id:
        if state.pending.status_code == teams.UPDATE_PENDING_APPROVAL:
            raise errors.Conflict("The update waits for the team's approval: cancel its session first.")
        team_changes.forget_pending(call.db, state)
        return NOTHING
    if version_id != state.version.version_id:
        raise targets.missing(f"{arn}/{version_id}")
    # Or one person could do away with a team that seals an account, without any of its approvers.
    if state.row.status not in (teams.INVITING, teams.INACTIVE):
        raise errors.Conflict("The version is active: an active team is deleted by its own approval.")
    team_changes.remove(call.db, state.row)
    return NOTHING


@mpa.operation("StartActiveApprovalTeamDeletion", resource=targets.team, effect=Effect.STATE)
def start_active_approval_team_deletion(call: Call, *, arn: str, pending_window_days: int | None = None) -> Result:
    """Ask an active team to approve that it is deleted, so many days after its approval."""
    state = targets.required_team(call, arn)
    days = pending_window_days or 0
    if not 0 <= days <= LONGEST_WINDOW_DAYS:
        raise errors.ServiceValidation(f"PendingWindowDays must be between 0 and {LONGEST_WINDOW_DAYS}.")
    team_changes.require_changeable(state)
    session = team_changes.start_deletion(call, state, window=timedelta(days=days))
    return {"DeletionStartTime": call.now, "DeletionCompletionTime": session.expires_at + timedelta(days=days)}


def token_digest(call: Call, client_token: str | None, *request: object) -> bytes | None:
    """Return by what a repeated request is known to be the same; None without a token."""
    if client_token is None:
        return None
    # Over the request as well: a token that is used again for something else is another request.
    return hashlib.sha256(msgspec.json.encode([call.account_id, client_token, *request])).digest()


def _made(row: ApprovalTeamRow) -> Result:
    arn = arns.team(row.account_id, row.team_id)
    return {"CreationTime": row.created_at, "Arn": arn, "Name": row.name, "VersionId": row.version_id}


def _same_name(call: Call, name: str) -> ApprovalTeamRow | None:
    """Return the team that has a name; one whose time has come gives it up."""
    row = team_rows.named(call.db, call.account_id, name)
    if row is not None and teams.is_over(row, call.now):
        team_changes.remove(call.db, row)
        return None
    return row


def _wanted(call: Call, approvers: Approvers, strategy: Strategy, description: str) -> WantedTeam:
    found = [_person(call, each) for each in approvers]
    if len(found) < FEWEST_APPROVERS:
        raise errors.ServiceValidation(f"An approval team needs at least {FEWEST_APPROVERS} approvers.")
    if len({each.identity for each in found}) < len(found):
        raise errors.ServiceValidation("An approver is named twice.")
    # Whoever reads two approvers' mail could enrol a key for either.
    if len({each.email.lower() for each in found}) < len(found):
        raise errors.ServiceValidation("Two approvers have the same e-mail address: each needs a mailbox of their own.")
    least = strategy.get("MofN", {}).get("MinApprovalsRequired", 0)
    if not FEWEST_APPROVALS <= least <= len(found):
        raise errors.ServiceValidation(f"MinApprovalsRequired must be between {FEWEST_APPROVALS} and the number of approvers.")
    return WantedTeam(description, least, found)


def _person(call: Call, approver: Mapping[str, str]) -> ApproverIdentity:
    source = targets.find_source(call, approver["PrimaryIdentitySourceArn"])
    found = people.find(call.db, call.account_id, source.source_id, approver["PrimaryIdentityId"]) if source else None
    if found is None:
        raise errors.ServiceValidation(f"There is no identity {approver['PrimaryIdentityId']} in that identity source.")
    if not found.email:
        raise errors.ServiceValidation(f"The identity {found.identity_id} has no e-mail address to be invited by.")
    return found


def _member(source_id: str, identity_id: str, state: TeamState) -> Mapping[str, str]:
    source = arns.identity_source(state.row.account_id, source_id)
    return {"PrimaryIdentityId": identity_id, "PrimaryIdentitySourceArn": source}


def _policies(references: Sequence[Mapping[str, str]]) -> list[str]:
    found = [policies.required_version(each["PolicyArn"]).arn for each in references]
    if len(set(found)) < len(found):
        raise errors.ServiceValidation("A policy is named twice.")
    return found


def _tags(sent: Mapping[str, str]) -> dict[str, str]:
    return tags.checked(sent)


def _refuse_flood(call: Call, wanted: WantedTeam) -> None:
    """Raise ThrottlingException where the account has invited somebody too often lately: each invitation is a mail."""
    for each in wanted.people:
        sent = recovery.count(
            call.db, call.wiring, "approver invitation", each.identity, account_id=call.account_id, now=call.now
        )
        if sent > approver_invitations.MOST_WITHIN_HOUR:
            raise errors.Throttling("Rate exceeded")
