"""Sessions of approval as AWS has them: shown, listed, cancelled; and rehearsals (baselines) of a team."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.approvals import arns, sessions, team_changes, teams
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.mpa import describing, targets
from crownkeep.services.mpa.service import PAGE, mpa
from crownkeep.storage.approvals import approvers, votes
from crownkeep.storage.approvals import sessions as session_rows
from crownkeep.storage.approvals import teams as team_rows
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

Filters = Sequence[Mapping[str, str]]
Matches = Callable[[ApprovalSessionRow], bool]

_AT_ONCE = 100
_BETWEEN = re.compile(r"\s+and\s+", re.IGNORECASE)
_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "EQ": lambda found, value: found == value,
    "NE": lambda found, value: found != value,
    "CONTAINS": lambda found, value: value in found,
    "NOT_CONTAINS": lambda found, value: value not in found,
}
_MOMENTS: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "GT": lambda found, value: found > value,
    "LT": lambda found, value: found < value,
    "GTE": lambda found, value: found >= value,
    "LTE": lambda found, value: found <= value,
}


def of_team(call: Call, *, approval_team_arn: str, **_: object) -> Target:
    """The team whose sessions are listed; policies name none for this action."""
    return replace(targets.team(call, arn=approval_team_arn), arn="*")


@mpa.operation("GetSession", resource=targets.session)
def get_session(call: Call, *, session_arn: str) -> Result:
    """Return a session with the answers of its approvers."""
    row = sessions.seen(_required(call, session_arn), call.now)
    version = team_rows.version(call.db, row.team_id, row.version_id)
    answered = {vote.approver_id: vote for vote in votes.of_session(call.db, row.session_id)}
    asked = set(row.asked.splitlines())
    members = [
        each for each in approvers.of_version(call.db, row.team_id, row.version_id) if not asked or each.approver_id in asked
    ]
    shown = _listed(row) | {
        "NumberOfApprovers": len(members),
        "ApproverResponses": [
            {
                "ApproverId": each.approver_id,
                "IdentitySourceArn": arns.identity_source(each.account_id, each.source_id),
                "IdentityId": each.identity_id,
                "Response": vote.decision if (vote := answered.get(each.approver_id)) else "NO_RESPONSE",
                **({"ResponseTime": vote.voted_at} if vote else {}),
            }
            for each in members
        ],
    }
    if version is not None:
        shown["ApprovalStrategy"] = describing.strategy(version)
    if row.reason:
        shown["RequesterComment"] = row.reason[:200]
    if row.execution_status is not None:
        shown["ExecutionStatus"] = row.execution_status
    return shown


@mpa.operation("ListSessions", resource=of_team)
def list_sessions(
    call: Call,
    *,
    approval_team_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
    filters: Filters = (),
) -> Result:
    """List a team's sessions, the eldest first."""
    state = targets.required_team(call, approval_team_arn)
    wanted = [_matches(each) for each in filters]

    def fetch(after: str, limit: int) -> list[ApprovalSessionRow]:
        found: list[ApprovalSessionRow] = []
        # Filters are applied after the query, so that a page may take several reads.
        while len(found) < limit:
            rows = session_rows.page(call.db, state.row.team_id, after=after, limit=_AT_ONCE)
            seen = [sessions.seen(row, call.now) for row in rows]
            found += [row for row in seen if all(matches(row) for matches in wanted)]
            if len(rows) < _AT_ONCE:
                break
            after = rows[-1].session_id
        return found[:limit]

    said = [f"{each.get('FieldName')} {each.get('Operator')} {each.get('Value')}" for each in filters]
    listed, more = next_tokens.page(
        call,
        list_name="ListSessions",
        filters=(state.row.team_id, *said),
        next_token=next_token,
        max_results=max_results or PAGE,
        fetch=fetch,
        key=lambda row: row.session_id,
    )
    return {"Sessions": [_listed(row) for row in listed], **more}


@mpa.operation("CancelSession", resource=targets.session, effect=Effect.STATE)
def cancel_session(call: Call, *, session_arn: str) -> Result:
    """Cancel a session: whoever asked for it alone may, whatever policies say, so that nobody stalls what others ask for."""
    row = _required(call, session_arn)
    if row.requester_id != call.principal.lasting_id:
        raise errors.AccessDenied("A session is cancelled by whoever asked for it, and by nobody else.")
    if sessions.seen(row, call.now).status != sessions.PENDING:
        raise errors.Conflict("The session has ended.")
    if not sessions.end(call.db, row, status=sessions.CANCELLED, now=call.now):
        raise errors.Conflict("The session has ended.")
    team_changes.decided(call.db, call.wiring, replace(row, status=sessions.CANCELLED), now=call.now)
    return NOTHING


@mpa.operation("StartApprovalTeamBaseline", resource=targets.team, effect=Effect.STATE)
def start_approval_team_baseline(call: Call, *, arn: str, approver_ids: Sequence[str] = ()) -> Result:
    """Rehearse: ask approvers of an active team whether they still answer."""
    state = targets.required_team(call, arn)
    if not state.is_active:
        raise errors.Conflict(f"The approval team is {state.row.status}, and only an active team rehearses.")
    if len(session_rows.open_of_team(call.db, state.row.team_id, limit=_AT_ONCE)) >= _AT_ONCE:
        raise errors.Conflict("The approval team has too many sessions to answer.")
    members = {each.approver_id for each in state.approvers if each.status == teams.ACCEPTED}
    if not set(approver_ids) <= members:
        raise errors.ServiceValidation("ApproverIds names somebody who is no approver of the team.")
    row = team_changes.start_baseline(call, state, sorted(set(approver_ids)))
    return {"BaselineSessionArn": arns.session(row.account_id, row.team_id, row.session_id)}


def _required(call: Call, session_arn: str) -> ApprovalSessionRow:
    row = call.target_row(ApprovalSessionRow)
    if row is None:
        raise targets.missing(session_arn)
    return row


def _listed(row: ApprovalSessionRow) -> dict[str, object]:
    shown: dict[str, object] = {
        "SessionArn": arns.session(row.account_id, row.team_id, row.session_id),
        "ApprovalTeamArn": arns.team(row.account_id, row.team_id),
        # From the id, which is the name and random digits: the team itself may be gone.
        "ApprovalTeamName": row.team_id.rpartition("-")[0],
        "InitiationTime": row.initiated_at,
        "ExpirationTime": row.expires_at,
        "Description": row.description,
        "ActionName": row.action,
        "ProtectedResourceArn": row.protected_arn,
        "RequesterServicePrincipal": row.service,
        "RequesterPrincipalArn": row.requester_arn,
        "RequesterRegion": row.requester_region,
        "Status": row.status,
        "ActionCompletionStrategy": "AUTO_COMPLETION_UPON_APPROVAL",
        "AdditionalSecurityRequirements": ["APPROVER_VERIFICATION_REQUIRED"],
    }
    if row.requester_account_id:
        shown["RequesterAccountId"] = row.requester_account_id
    optional = {"CompletionTime": row.completed_at, "StatusCode": row.status_code, "StatusMessage": row.status_message}
    return shown | {name: value for name, value in optional.items() if value is not None}


def _matches(sent: Mapping[str, str]) -> Matches:
    """Return what a filter asks of a session; raises ValidationException for one that ListSessions doesn't have."""
    name, operator, value = sent.get("FieldName", ""), sent.get("Operator", ""), sent.get("Value", "")
    match name:
        case "ActionName" if operator in _TEXTS:
            return lambda row: _TEXTS[operator](row.action, value)
        case "SessionStatus" if operator in ("EQ", "NE"):
            return lambda row: _TEXTS[operator](row.status, value)
        case "InitiationTime" if operator in _MOMENTS:
            moment = _moment(value)
            return lambda row: _MOMENTS[operator](row.initiated_at, moment)
        case "InitiationTime" if operator == "BETWEEN":
            ends = [_moment(each) for each in _BETWEEN.split(value.strip())]
            if len(ends) != 2:
                raise errors.ServiceValidation("A filter with BETWEEN has a value such as `a AND b`.")
            return lambda row: ends[0] <= row.initiated_at <= ends[1]
    raise errors.ServiceValidation(f"ListSessions has no filter {name} with the operator {operator}.")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise errors.ServiceValidation(f"{text} is no moment such as 2026-11-30T12:00:00Z.") from error
    # A moment without a zone is UTC, as everything that AWS shows.
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
