"""Asking for approval of a sealed act: who asks, for what exactly, and how many requests one party may have open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from crownkeep import arn, canonical_json, errors
from crownkeep.domain.approvals import arns, sessions
from crownkeep.domain.approvals.sessions import WantedSession
from crownkeep.operations import approvals, registry, sealed_acts
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Operation
from crownkeep.operations.sealed_acts import SealedAct
from crownkeep.principals import Principal
from crownkeep.storage.approvals import seals, teams
from crownkeep.storage.approvals import sessions as session_rows
from crownkeep.storage.approvals.seals import SealRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow

MOST_OPEN = 20
"""Requests that one party may have open at a time: nobody drowns what others ask in their own."""

LONGEST = timedelta(hours=72)
SHORTEST = timedelta(minutes=5)
_LARGEST_PARAMETERS = 32_768


@dataclass(frozen=True, slots=True)
class WantedApproval:
    """What somebody asks a team to approve."""

    account_id: str
    """The account that is acted on; the caller's own, or the one that the parameters name, where empty."""
    action: str
    """Such as `sts:AssumeRoot`, or `signin:ConsoleLogin` for the sign-in as root."""
    parameters: str
    """The parameters that the operation will be called with, as JSON."""
    reason: str
    ticket: str
    hours: int | None
    """How long it stands; None for a day, or for a day after the requester may go on alone."""


def ask(call: Call, asked: WantedApproval) -> ApprovalSessionRow:
    """Put a request to the team of the account's seal; every approver is told.

    Raises Conflict where the account or the act is not sealed or too many requests are open, and ServiceValidation for an act or
    parameters that there are none of.
    """
    if asked.action in (sealed_acts.SIGN_IN, sealed_acts.PASSWORD_RECOVERY):
        return _ask_about_root(call, asked)
    operation, parameters = _operation(asked)
    found = sealed_acts.of(asked.action, call.caller)
    if operation is None or found is None:
        raise errors.ServiceValidation(f"`{asked.action}` is no act that could be sealed for whoever asks")
    accounts = approvals.accounts_of(call, found, parameters)
    account_id = approvals.sealing_account(call, found.act, accounts)
    seal = None if account_id is None else seals.of_account(call.db, account_id)
    if seal is None or sealed_acts.is_free(found, parameters):
        where = f"in account `{accounts[0]}`" if accounts else "in any account"
        raise errors.Conflict(f"`{asked.action}` is not sealed {where}: no approval is needed")
    return _begin(call, seal, asked, parameters, principal="")


def begin_about_root(call: Call, seal: SealRow, asked: WantedApproval) -> ApprovalSessionRow:
    """Put a request to sign in as root, or to recover its password, to the team of a seal."""
    return _begin(call, seal, asked, {}, principal=arn.root(seal.account_id), minutes=seal.session_minutes)


def _ask_about_root(call: Call, asked: WantedApproval) -> ApprovalSessionRow:
    account_id = call.account_id if isinstance(call.caller, Principal) else asked.account_id
    seal = seals.of_account(call.db, account_id)
    act = SealedAct.ROOT_SIGN_IN if asked.action == sealed_acts.SIGN_IN else SealedAct.ROOT_RECOVERY
    if seal is None or act.value not in seal.acts.split("\n"):
        raise errors.Conflict(f"`{asked.action}` is not sealed in account `{account_id}`: no approval is needed")
    return begin_about_root(call, seal, asked)


def _begin(
    call: Call, seal: SealRow, asked: WantedApproval, parameters: Mapping[str, object], *, principal: str, minutes: int = 0
) -> ApprovalSessionRow:
    asker, asker_account = approvals.asker_of(call.caller)
    if session_rows.count_open(call.db, asker, asker_account, now=call.now) >= MOST_OPEN:
        raise errors.Conflict(f"{MOST_OPEN} of your requests are open: cancel one, or wait for an answer")
    team = teams.with_id(call.db, seal.team_id)
    if team is None or team.status != "ACTIVE":
        raise errors.Conflict(f"the team that account `{seal.account_id}` is sealed under is not active; see docs/sealed-root.md")
    lasts = min(max(_lasting(call, team, asked.hours), SHORTEST), LONGEST)
    wanted = WantedSession(
        service=f"{asked.action.partition(':')[0]}.amazonaws.com",
        action=asked.action,
        protected_arn=arn.root(seal.account_id),
        acted_account_id=seal.account_id,
        description=f"{asked.action} on account {seal.account_id}"[:256],
        parameters=parameters,
        reason=asked.reason,
        ticket=asked.ticket,
        principal=principal,
        minutes=minutes,
    )
    row = sessions.begin(call, team, wanted, lasts=lasts)
    call.notes.additional |= {
        "approvalRequestId": row.session_id,
        "approvalDigest": row.digest.hex(),
        "approvalTeam": arns.team(team.account_id, team.team_id),
    }
    return row


def _lasting(call: Call, team: ApprovalTeamRow, hours: int | None) -> timedelta:
    if hours is not None:
        return timedelta(hours=hours)
    version = teams.version(call.db, team.team_id, team.version_id)
    return sessions.LASTS + timedelta(hours=version.alone_after_hours or 0 if version is not None else 0)


def _operation(asked: WantedApproval) -> tuple[Operation | None, dict[str, object]]:
    service, _, name = asked.action.partition(":")
    registered = registry.service(service)
    operation = registered.find(name) if registered is not None else None
    if operation is None:
        return None, {}
    if len(asked.parameters) > _LARGEST_PARAMETERS:
        raise errors.ServiceValidation(f"the parameters have more than {_LARGEST_PARAMETERS} characters")
    try:
        given = json.loads(asked.parameters or "{}")
        # What approvers sign is this text: what has none is refused before anything is looked up by it.
        canonical_json.write(canonical_json.plain(given))
    except (ValueError, RecursionError) as error:
        raise errors.ServiceValidation(
            f"the parameters are no JSON that can be signed: not deeper than {canonical_json.DEEPEST}, of whole characters"
        ) from error
    if not canonical_json.is_storable(given):
        raise errors.ServiceValidation("the parameters have a null character in them")
    if not isinstance(given, dict):
        raise errors.ServiceValidation("the parameters are no JSON object")
    names = operation.model.arguments
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise errors.ServiceValidation(f"`{asked.action}` has no parameter `{unknown[0]}`")
    return operation, approvals.parameters_of(operation, {names[key]: value for key, value in given.items()})
