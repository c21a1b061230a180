"""What operations are done to: teams, sessions and identity sources of the caller's account, each found once."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import arn, errors
from crownkeep.domain.approvals import arns, custodianship, teams
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.approvals import approval_tags, identity_sources, sessions
from crownkeep.storage.approvals.identity_sources import IdentitySourceRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

TAG_ACTION = "mpa:TagResource"


@dataclass(frozen=True, slots=True)
class FoundSource:
    """An identity source of an account; its row is None for the custodians, whom every account has."""

    source_id: str
    row: IdentitySourceRow | None


def new_team(call: Call, **_: object) -> Target:
    """The team to be made."""
    return Target(arns.team(call.account_id, "*"))


def new_identity_source(call: Call, **_: object) -> Target:
    """The identity source to be made."""
    return Target(arns.identity_source(call.account_id, "*"))


def team(call: Call, *, arn: str, **_: object) -> Target:
    """The team with this ARN."""
    state = find_team(call, arn)
    tags = lambda: approval_tags.of_resource(call.db, state.row.team_id) if state else {}  # noqa: E731 - read when a policy asks
    return Target(arn, tags=tags, row=state)


def session(call: Call, *, session_arn: str, **_: object) -> Target:
    """The session with this ARN."""
    row = find_session(call, session_arn)
    if row is None:
        return Target(session_arn, row=None)
    context = {"mpa:RequestedOperation": row.action, "mpa:ProtectedResourceAccount": row.acted_account_id}
    return Target(session_arn, tags=lambda: approval_tags.of_resource(call.db, row.team_id), context=context, row=row)


def identity_source(call: Call, *, identity_source_arn: str, **_: object) -> Target:
    """The identity source with this ARN; of what is no ARN, no identity source is named."""
    found = find_source(call, identity_source_arn)
    if arn.parse(identity_source_arn) is None:
        return Target(arns.identity_source(call.account_id, "*"), row=None)
    tags = lambda: approval_tags.of_resource(call.db, found.source_id) if found else {}  # noqa: E731 - as above
    return Target(identity_source_arn, tags=tags, row=found)


def find_team(call: Call, team_arn: str) -> TeamState | None:
    """Return the team of the caller's account with this ARN."""
    team_id = _id_in(call, team_arn, "approval-team/")
    state = teams.look(call.db, team_id, now=call.now) if team_id else None
    # The ARN says so already; compared once more, as a row of another account must look like none.
    return state if state is not None and state.row.account_id == call.account_id else None


def find_session(call: Call, session_arn: str) -> ApprovalSessionRow | None:
    """Return the session of a team of the caller's account with this ARN."""
    team_id, _, session_id = _id_in(call, session_arn, "session/").rpartition("/")
    row = sessions.with_id(call.db, session_id) if team_id else None
    return row if row is not None and (row.account_id, row.team_id) == (call.account_id, team_id) else None


def find_source(call: Call, source_arn: str) -> FoundSource | None:
    """Return the identity source of the caller's account with this ARN."""
    source_id = _id_in(call, source_arn, "identity-source/")
    if source_id == custodianship.SOURCE:
        return FoundSource(source_id, None)
    row = identity_sources.with_id(call.db, source_id) if source_id else None
    return FoundSource(source_id, row) if row is not None and row.account_id == call.account_id else None


def required_team(call: Call, team_arn: str) -> TeamState:
    """Return the team that was decided on; raises ResourceNotFoundException where there is none."""
    state = call.target_row(TeamState)
    if state is None:
        raise missing(team_arn)
    return state


def missing(named: str) -> errors.ResourceNotFound:
    """Return the refusal of an ARN that names nothing in the caller's account."""
    return errors.ResourceNotFound(f"The resource {named} was not found.")


def _id_in(call: Call, text: str, kind: str) -> str:
    """Return what an ARN of the caller's account names; empty where it is no such ARN, letter by letter, as policies name it."""
    prefix = f"{arns.prefix(call.account_id)}{kind}"
    return text.removeprefix(prefix) if text.startswith(prefix) else ""
