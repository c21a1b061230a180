"""Handshakes: what the management account and another account agree on, seen and answered by these two and nobody else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from crownkeep import errors
from crownkeep.domain.accounts import membership
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.organizations import arns, callers, next_tokens, organization, quotas, refusals
from crownkeep.services.organizations.arns import Place
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.accounts import accounts
from crownkeep.storage.organizations import handshakes, organization_accounts, organization_tags
from crownkeep.storage.organizations import organizations as organization_rows
from crownkeep.storage.organizations.handshakes import HandshakeRow
from crownkeep.storage.organizations.organizations import OrganizationRow

INVITE = "INVITE"
ENABLE_ALL_FEATURES = "ENABLE_ALL_FEATURES"
APPROVE_ALL_FEATURES = "APPROVE_ALL_FEATURES"
OPEN = "OPEN"
REQUESTED = "REQUESTED"
_ACTIONS = (INVITE, ENABLE_ALL_FEATURES, APPROVE_ALL_FEATURES)


def handshake(call: Call, *, handshake_id: str, **_: object) -> Target:
    """The handshake with this id, as far as the caller's account is a party to it."""
    row = _find(call, handshake_id)
    # The ARN of a handshake that can't be seen names the caller's own place, and so gives nothing away about another's.
    if row is None:
        return Target(arns.handshake(callers.place(call), INVITE, handshake_id), row=None)
    return Target(arns.handshake(Place(row.account_id, row.organization_id), row.action, handshake_id), row=row)


@organizations.operation("AcceptHandshake", resource=handshake, caller=AllowedCaller.ANY_ACCOUNT)
def accept_handshake(call: Call, *, handshake_id: str) -> Result:
    """Accept what the caller's account is asked for: to join, or to let the organization have all features."""
    # From here on the organization is locked, so that two answers to one handshake come one after the other.
    row, organization_row = _asked(call, handshake_id, to="ACCEPTED")
    match row.action:
        case "INVITE":
            _join(call, row, organization_row)
        case "ENABLE_ALL_FEATURES":
            _enable_all_features(call, row)
        case _:
            _approve(call, row)
    return _end(call, row, organization_row, "ACCEPTED")


@organizations.operation("DeclineHandshake", resource=handshake, effect=Effect.STATE, caller=AllowedCaller.ANY_ACCOUNT)
def decline_handshake(call: Call, *, handshake_id: str) -> Result:
    """Decline what the caller's account is asked for."""
    row, organization_row = _asked(call, handshake_id, to="DECLINED")
    if row.action == ENABLE_ALL_FEATURES:
        # It was the management account's own request, which it cancels.
        raise _wrong_transition()
    return _end(call, row, organization_row, "DECLINED")


@organizations.operation("CancelHandshake", resource=handshake, effect=Effect.STATE, caller=AllowedCaller.ANY_ACCOUNT)
def cancel_handshake(call: Call, *, handshake_id: str) -> Result:
    """Take back what the caller's organization asked for."""
    row = _targeted(call)
    # Only the asking side may cancel. The account that is asked declines instead.
    if row.account_id != call.account_id:
        raise callers.no_permission()
    organization_row = callers.held(call, callers.member(call))
    # As it is now that nobody else can change it.
    row = _required(call, handshake_id)
    _require_transition(call, row, to="CANCELED")
    if row.action == APPROVE_ALL_FEATURES:
        # A part goes with the whole.
        raise _wrong_transition()
    # Members that were asked to approve must not find open requests whose purpose is gone.
    handshakes.cancel_parts(call.db, row.handshake_id, at=call.now)
    return _end(call, row, organization_row, "CANCELED")


@organizations.operation("DescribeHandshake", resource=handshake, caller=AllowedCaller.ANY_ACCOUNT)
def describe_handshake(call: Call, *, handshake_id: str) -> Result:
    """Return a handshake to those who are parties to it."""
    row = _targeted(call)
    organization_row = organization_rows.with_id(call.db, row.organization_id)
    if organization_row is None:
        raise _not_found()
    return {"Handshake": describe(call, organization_row, row)}


@organizations.operation("ListHandshakesForAccount", resource=registry.everything, caller=AllowedCaller.ANY_ACCOUNT)
def list_handshakes_for_account(
    call: Call,
    *,
    filter: Mapping[str, str] | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List what the caller's account is, or lately was, asked for; an account in no organization may ask as well."""
    # An invitation names an account by its id or by its e-mail address, and either finds it here.
    keys = membership.keys_of(call, call.account_id)
    wanted = filter or {}
    found, more = next_tokens.page(
        call,
        list_name="ListHandshakesForAccount",
        filters=_filters(wanted),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: handshakes.page_for_account(
            call.db,
            keys,
            actions=_chosen(wanted),
            parent_id=wanted.get("ParentHandshakeId"),
            since=_since(call),
            after=after,
            limit=limit,
        ),
        key=lambda row: row.handshake_id,
    )
    return {"Handshakes": _describe_all(call, found), **more}


@organizations.operation("ListHandshakesForOrganization", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def list_handshakes_for_organization(
    call: Call,
    row: OrganizationRow,
    *,
    filter: Mapping[str, str] | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List what the organization asks, or lately asked, of accounts."""
    wanted = filter or {}
    found, more = next_tokens.page(
        call,
        list_name="ListHandshakesForOrganization",
        filters=_filters(wanted),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: handshakes.page_for_organization(
            call.db,
            row.organization_id,
            actions=_chosen(wanted),
            parent_id=wanted.get("ParentHandshakeId"),
            since=_since(call),
            after=after,
            limit=limit,
        ),
        key=lambda each: each.handshake_id,
    )
    return {"Handshakes": _describe_all(call, found), **more}


def describe(call: Call, organization_row: OrganizationRow, row: HandshakeRow) -> dict[str, object]:
    """Return a `Handshake`."""
    party = {"Id": row.recipient, "Type": row.recipient_type}
    parties = [{"Id": row.organization_id, "Type": "ORGANIZATION"}]
    resources = [_organization_resource(call, organization_row)]
    # The request for all features is the organization's own, and has no second party.
    if row.action != ENABLE_ALL_FEATURES:
        parties.append(party)
        resources.append({"Value": row.recipient, "Type": row.recipient_type})
    if row.notes is not None:
        resources.append({"Value": row.notes, "Type": "NOTES"})
    if row.parent_id is not None:
        resources.append({"Value": row.parent_id, "Type": "PARENT_HANDSHAKE"})
    return {
        "Id": row.handshake_id,
        "Arn": arns.handshake(Place(row.account_id, row.organization_id), row.action, row.handshake_id),
        "Parties": parties,
        "State": _state(call, row),
        "RequestedTimestamp": row.requested_at,
        "ExpirationTimestamp": row.expires_at,
        "Action": row.action,
        "Resources": resources,
    }


def _organization_resource(call: Call, organization_row: OrganizationRow) -> dict[str, object]:
    """Return who it is that asks: whoever is invited must be able to tell."""
    account = accounts.with_id(call.db, organization_row.management_account_id)
    details = [{"Value": organization_row.feature_set, "Type": "ORGANIZATION_FEATURE_SET"}]
    if account is not None:
        details = [{"Value": account.email, "Type": "MASTER_EMAIL"}, {"Value": account.name, "Type": "MASTER_NAME"}, *details]
    return {"Value": organization_row.organization_id, "Type": "ORGANIZATION", "Resources": details}


def _describe_all(call: Call, found: Sequence[HandshakeRow]) -> list[dict[str, object]]:
    # One query for all organizations of a page, not one for each handshake.
    rows = organization_rows.with_ids(call.db, [each.organization_id for each in found])
    return [describe(call, rows[each.organization_id], each) for each in found if each.organization_id in rows]


def duplicate() -> errors.DuplicateHandshake:
    """Make the refusal of an invitation that waits for an answer already."""
    return errors.DuplicateHandshake("A handshake with the same action and target already exists.")


# What becomes of a handshake that is accepted.


def _join(call: Call, row: HandshakeRow, organization_row: OrganizationRow) -> None:
    # The account may have joined another organization since it was invited.
    if organization_accounts.of_account(call.db, call.account_id) is not None:
        raise refusals.handshake("ALREADY_IN_AN_ORGANIZATION")
    if handshakes.open_of(call.db, row.organization_id, ENABLE_ALL_FEATURES, now=call.now) is not None:
        # Whoever joins now would be bound by policies that it was not asked about.
        raise refusals.handshake("INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES")
    # Since the invitation was sent other accounts may have been made, or the limit lowered.
    if organization_accounts.count(call.db, row.organization_id) >= quotas.accounts(call):
        raise refusals.handshake("ACCOUNT_NUMBER_LIMIT_EXCEEDED")
    organization.require_linked_role(call)
    membership.join(call, organization_row, call.account_id, joined_method=membership.INVITED)
    # The tags were given with the invitation and are put only now, since only a member can have tags.
    tags: dict[str, str] = json.loads(row.tags) if row.tags is not None else {}
    organization_tags.put(call.db, row.organization_id, row.account_id, call.account_id, tags)


def _enable_all_features(call: Call, row: HandshakeRow) -> None:
    # The management account finishes the change; until every member has agreed it can't.
    if not handshakes.all_parts_agreed(call.db, row.handshake_id):
        raise _wrong_transition()
    organization_rows.set_feature_set(call.db, row.organization_id, organization.ALL_FEATURES)


def _approve(call: Call, row: HandshakeRow) -> None:
    handshakes.set_state(call.db, row.handshake_id, "ACCEPTED", ended_at=call.now)
    # The last approval opens the whole, which the management account then has to accept.
    if row.parent_id is not None and handshakes.all_parts_agreed(call.db, row.parent_id):
        handshakes.set_state(call.db, row.parent_id, OPEN, ended_at=None)


# Who may see a handshake, and which state leads to which.


def _find(call: Call, handshake_id: str) -> HandshakeRow | None:
    """Return a handshake that the caller's account is a party to; to anybody else it doesn't exist."""
    row = handshakes.with_id(call.db, handshake_id)
    # One that ended or expired longer ago than it is shown is as good as unknown.
    if row is None or (row.ended_at or row.expires_at) <= _since(call):
        return None
    is_party = row.account_id == call.account_id or row.recipient_key in membership.keys_of(call, call.account_id)
    return row if is_party else None


def _targeted(call: Call) -> HandshakeRow:
    """Return the handshake that the call was decided on."""
    return _found(call.target_row(HandshakeRow))


def _required(call: Call, handshake_id: str) -> HandshakeRow:
    return _found(_find(call, handshake_id))


def _found(row: HandshakeRow | None) -> HandshakeRow:
    if row is None:
        raise _not_found()
    return row


def _asked(call: Call, handshake_id: str, *, to: str) -> tuple[HandshakeRow, OrganizationRow]:
    """Return a handshake that waits for the answer of the caller's account, and hold the organization that asks."""
    row = _targeted(call)
    # The asking side may see the handshake, and still must not answer for the other.
    if row.recipient_key not in membership.keys_of(call, call.account_id):
        raise callers.no_permission()
    organization_row = organization_rows.hold(call.db, row.organization_id)
    if organization_row is None:
        raise _not_found()
    # As it is now that nobody else can change it.
    row = _required(call, handshake_id)
    _require_transition(call, row, to=to)
    return row, organization_row


def _require_transition(call: Call, row: HandshakeRow, *, to: str) -> None:
    if row.state == to:
        raise errors.HandshakeAlreadyInState(
            "The specified handshake is already in the requested state. For example, you can't accept a handshake that was "
            "already accepted."
        )
    if _state(call, row) not in (OPEN, REQUESTED):
        raise _wrong_transition()


def _end(call: Call, row: HandshakeRow, organization_row: OrganizationRow, state: str) -> Result:
    handshakes.set_state(call.db, row.handshake_id, state, ended_at=call.now)
    # Accepting may have changed the organization itself, and the answer shows it as it is now.
    after = organization_rows.with_id(call.db, organization_row.organization_id) or organization_row
    return {"Handshake": describe(call, after, _required(call, row.handshake_id))}


def _state(call: Call, row: HandshakeRow) -> str:
    # Nothing runs when a handshake expires; it counts as expired whenever somebody looks at it.
    return "EXPIRED" if row.state in (OPEN, REQUESTED) and row.expires_at <= call.now else row.state


def _since(call: Call) -> datetime:
    return call.now - quotas.HANDSHAKES_KEPT


def _filters(wanted: Mapping[str, str]) -> tuple[str, str]:
    return wanted.get("ActionType", ""), wanted.get("ParentHandshakeId", "")


def _chosen(wanted: Mapping[str, str]) -> tuple[str, ...]:
    if "ActionType" in wanted and "ParentHandshakeId" in wanted:
        raise refusals.value("MAX_LIMIT_EXCEEDED_FILTER")
    return (wanted["ActionType"],) if "ActionType" in wanted else _ACTIONS


def _not_found() -> errors.HandshakeNotFound:
    return errors.HandshakeNotFound("We can't find a handshake with the HandshakeId that you specified.")


def _wrong_transition() -> errors.InvalidHandshakeTransition:
    return errors.InvalidHandshakeTransition("You can't perform the operation on the handshake in its current state.")
