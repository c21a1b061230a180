"""Delegation requests: a product provider asks for temporary access to an account, and somebody there lends it theirs.

A provider is an account for which the operator has registered a policy template, as AWS does for its partners. Its request is
associated with whoever opens it first, accepted by whoever may, and released by SendDelegationToken: then the provider gets the
token that STS exchanges for credentials of whoever accepted, limited to the request's policy (IAM user guide, "IAM temporary
delegation").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from crownkeep import arn, clock, errors, ids
from crownkeep.domain import delegation, page_tokens
from crownkeep.domain.delegation import DelegationState
from crownkeep.operations import permissions
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.notices import Notice
from crownkeep.operations.registry import EVERYTHING, Effect, Target
from crownkeep.policy import PolicyKind, PolicySet, PolicySource, SourceType
from crownkeep.principals import PrincipalKind
from crownkeep.services.iam.delegation import delegation_permissions
from crownkeep.services.iam.service import iam
from crownkeep.storage.accounts import accounts
from crownkeep.storage.delegation import delegation_requests, delegation_templates
from crownkeep.storage.delegation.delegation_requests import DelegationRequestRow
from crownkeep.storage.delegation.delegation_templates import DelegationTemplateRow

TEMPLATE_PREFIX = "arn:aws:iam:::delegation-template/"
"""What a template's ARN begins with; the provider's account and the template's name follow."""

_MOST_OF_PROVIDER = 1000
_ROOT_LONGEST_SECONDS = 4 * 3600
_KEPT = timedelta(days=30)
_NOTHING_YET: dict[str, Any] = dict.fromkeys(
    ("owner_id", "owner_arn", "approver", "approver_arn", "notes", "rejection_reason", "released_at")
)
_OPEN = (DelegationState.ASSIGNED, DelegationState.PENDING_APPROVAL)
# What whoever owns a request may do with it unless a policy denies it (IAM user guide, "Managing Permissions for Delegation
# Requests").
_OWNERS_ACTIONS = ("Associate", "Get", "Update", "Reject")


def new_request(
    call: Call, *, permissions: Mapping[str, Any], notification_channel: str, session_duration: int, **_: object
) -> Target:
    """The request to be made."""
    context: dict[str, str | tuple[str, ...]] = {
        "iam:NotificationChannel": notification_channel,
        "iam:DelegationDuration": str(session_duration),
    }
    template = permissions.get("PolicyTemplateArn")
    if isinstance(template, str):
        context["iam:TemplateArn"] = template
    return Target(arn.iam(call.account_id, "delegation-request/*"), context=context)


def named_request(call: Call, *, delegation_request_id: str, **_: object) -> Target:
    """The request with this id, and what its owner may do by being that."""
    row = delegation_requests.with_id(call.db, delegation_request_id)
    target = Target(arn.iam(call.account_id, f"delegation-request/{delegation_request_id}"))
    if row is None or not _may_know(call, row):
        return replace(target, row=None)
    target = replace(target, row=row)
    if row.owner_arn is not None:
        target = replace(target, context={"iam:DelegationRequestOwner": row.owner_arn})
    return target if _is_lent(call) else replace(target, policy=_owners_policy(call, row))


def summarized(call: Call, *, entity_arn: str, **_: object) -> Target:
    """The request that is to be summarized: whoever may get it may have it summarized."""
    request_id = _id_in(entity_arn)
    return Target(entity_arn) if request_id is None else named_request(call, delegation_request_id=request_id)


def owners_requests(call: Call, *, owner_id: str | None = None, **_: object) -> Target:
    """All requests, or those of an owner, who may always list their own."""
    if owner_id is None:
        return EVERYTHING
    target = Target("*", context={"iam:DelegationRequestOwner": owner_id})
    if owner_id != call.principal.arn or _is_lent(call):
        return target
    return replace(target, policy=_policy(owner_id, ["iam:ListDelegationRequests"]))


@iam.operation("CreateDelegationRequest", resource=new_request, effect=Effect.STATE)
def create_delegation_request(
    call: Call,
    *,
    description: str,
    permissions: Mapping[str, Any],
    requestor_workflow_id: str,
    notification_channel: str,
    session_duration: int,
    owner_account_id: str | None = None,
    request_message: str | None = None,
    redirect_url: str | None = None,
    only_send_by_owner: bool | None = None,
) -> Result:
    """Ask for what one of the provider's own templates says, of an account or of whoever opens the request first."""
    template_arn = str(permissions.get("PolicyTemplateArn", ""))
    template = _required_template(call, template_arn)
    _require_room(call, requestor_workflow_id)
    parameters = permissions.get("Parameters", ())
    row = DelegationRequestRow(
        request_id=ids.request_id(clock.token_bytes(16)),
        account_id=call.account_id,
        owner_account_id=owner_account_id,
        state=DelegationState.UNASSIGNED.value,
        description=description,
        message=request_message,
        template_arn=template_arn,
        parameters=msgspec.json.encode(parameters).decode(),
        policy=delegation_permissions.fill_in(template.policy, parameters),
        workflow_id=requestor_workflow_id,
        channel=notification_channel,
        redirect_url=redirect_url,
        seconds=session_duration,
        only_send_by_owner=bool(only_send_by_owner),
        created_at=call.now,
        updated_at=call.now,
        expires_at=delegation.expiry(DelegationState.UNASSIGNED, call.now),
        **_NOTHING_YET,
    )
    delegation_requests.add(call.db, row)
    return {"DelegationRequestId": row.request_id}


@iam.operation("GetDelegationRequest", resource=named_request)
def get_delegation_request(call: Call, *, delegation_request_id: str, delegation_permission_check: bool | None = None) -> Result:
    """Return a request and, where that is wanted, whether the caller has as much to lend."""
    row = _known(call, delegation_request_id)
    answered: dict[str, object] = {"DelegationRequest": _describe(call, row)}
    if delegation_permission_check:
        answered |= {
            "PermissionCheckStatus": "COMPLETE",
            "PermissionCheckResult": delegation_permissions.check(call, row.policy),
        }
    return answered


@iam.operation("ListDelegationRequests", resource=owners_requests)
def list_delegation_requests(
    call: Call, *, owner_id: str | None = None, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the requests that identities of the caller's account own, or one of them; a caller's own are no namesake's."""
    own_id = call.principal.lasting_id if owner_id == call.principal.arn else None
    found, more = page_tokens.page(
        call,
        list_name="ListDelegationRequests",
        filters=(owner_id or "",),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: delegation_requests.owned(
            call.db, call.account_id, owner_arn=owner_id, owner_id=own_id, after=after, limit=limit
        ),
        key=lambda row: row.request_id,
    )
    # The model spells this member, alone in IAM, with a small letter.
    shown = {"isTruncated" if name == "IsTruncated" else name: value for name, value in more.items()}
    return {"DelegationRequests": [_describe(call, row) for row in found], **shown}


@iam.operation("AssociateDelegationRequest", resource=named_request, effect=Effect.STATE)
def associate_delegation_request(call: Call, *, delegation_request_id: str) -> Result:
    """Make a request the caller's own."""
    row = _known(call, delegation_request_id)
    _require_state(call, row, DelegationState.UNASSIGNED)
    owner = call.principal
    _move(call, row, DelegationState.ASSIGNED, owner_account_id=call.account_id, owner_id=owner.lasting_id, owner_arn=owner.arn)
    return NOTHING


@iam.operation("UpdateDelegationRequest", resource=named_request, effect=Effect.STATE)
def update_delegation_request(call: Call, *, delegation_request_id: str, notes: str | None = None) -> Result:
    """Hand a request on to whoever may grant it."""
    row = _known(call, delegation_request_id)
    _require_state(call, row, *_OPEN)
    _move(call, row, DelegationState.PENDING_APPROVAL, notes=notes if notes is not None else row.notes)
    return NOTHING


@iam.operation("AcceptDelegationRequest", resource=named_request, effect=Effect.STATE)
def accept_delegation_request(call: Call, *, delegation_request_id: str) -> Result:
    """Grant what a request asks for, out of the caller's own permissions, as soon as its token is released."""
    row = _known(call, delegation_request_id)
    _require_state(call, row, *_OPEN)
    approver = call.principal
    session = approver.session
    if session is not None and (session.has_policy or session.is_scoped or session.assumed_root or session.delegate):
        # What limits this session could not limit the provider's as well: session policies add up, they don't intersect.
        raise errors.AccessDenied("A session that is limited by a session policy cannot accept a delegation request.")
    if approver.kind is PrincipalKind.ROOT and row.seconds > _ROOT_LONGEST_SECONDS:
        raise errors.AccessDenied("The root user can only accept delegation requests with a duration of 4 hours or less.")
    written = delegation.write_approver(approver)
    _move(call, row, DelegationState.ACCEPTED, approver=written, approver_arn=approver.arn)
    return NOTHING


@iam.operation("RejectDelegationRequest", resource=named_request, effect=Effect.STATE)
def reject_delegation_request(call: Call, *, delegation_request_id: str, notes: str | None = None) -> Result:
    """Turn a request down, also one that was accepted and whose token is not released yet."""
    row = _known(call, delegation_request_id)
    _require_state(call, row, *_OPEN, DelegationState.ACCEPTED)
    _move(call, row, DelegationState.REJECTED, rejection_reason=notes)
    return NOTHING


@iam.operation("SendDelegationToken", resource=named_request, effect=Effect.STATE)
def send_delegation_token(call: Call, *, delegation_request_id: str) -> Result:
    """Release the token of an accepted request to the provider: from now on the permissions are lent, as long as was asked."""
    row = _known(call, delegation_request_id)
    _require_state(call, row, DelegationState.ACCEPTED)
    if row.only_send_by_owner and not _is_owner(call, row):
        raise errors.AccessDenied("The token of this delegation request can only be sent by the owner of the request.")
    sent = _move(call, row, DelegationState.FINALIZED, released_at=call.now)
    _write_to_provider(call, sent)
    return NOTHING


@iam.operation("GetHumanReadableSummary", resource=summarized)
def get_human_readable_summary(call: Call, *, entity_arn: str, locale: str | None = None) -> Result:
    """Say that nobody here writes summaries: AWS has a language model do it."""
    request_id = _id_in(entity_arn)
    if request_id is None:
        raise errors.InvalidInput(f"The entity {entity_arn} cannot be summarized: only delegation requests can.")
    _known(call, request_id)
    return {"SummaryState": "NOT_SUPPORTED", **({"Locale": locale} if locale is not None else {})}


def _is_lent(call: Call) -> bool:
    """Tell whether the caller is a provider in somebody's name, who owns no request by being called like its owner."""
    session = call.principal.session
    return session is not None and session.delegate != ""


def _required_template(call: Call, template_arn: str) -> DelegationTemplateRow:
    prefix = f"{TEMPLATE_PREFIX}{call.account_id}/"
    name = template_arn.removeprefix(prefix) if template_arn.startswith(prefix) else ""
    template = delegation_templates.named(call.db, call.account_id, name)
    if template is None:
        raise errors.InvalidInput(f"The policy template {template_arn} does not exist or is not registered for this account.")
    return template


def _require_room(call: Call, workflow_id: str) -> None:
    delegation_requests.remove_ended(call.db, call.account_id, before=call.now - _KEPT)
    if delegation_requests.has_workflow(call.db, call.account_id, workflow_id):
        raise errors.EntityAlreadyExists(f"A delegation request with workflow id {workflow_id} already exists.")
    if delegation_requests.count(call.db, call.account_id) >= _MOST_OF_PROVIDER:
        raise errors.LimitExceeded(f"Cannot exceed quota for DelegationRequestsPerAccount: {_MOST_OF_PROVIDER}")


def _known(call: Call, request_id: str) -> DelegationRequestRow:
    """Return the request that the call was decided on, of which the caller's account may know; raises NoSuchEntity."""
    row = call.target_row(DelegationRequestRow)
    if row is None:
        raise errors.NoSuchEntity(f"The delegation request with id {request_id} cannot be found.")
    return row


def _may_know(call: Call, row: DelegationRequestRow) -> bool:
    """Tell whether this is the account that asks, the one that is asked, or anyone while none is (API_GetDelegationRequest)."""
    return row.owner_account_id in (None, call.account_id) or row.account_id == call.account_id


def _require_state(call: Call, row: DelegationRequestRow, *wanted: DelegationState) -> None:
    if row.owner_account_id not in (None, call.account_id):
        # The provider sees its request, and nothing more.
        raise errors.AccessDenied(f"The delegation request with id {row.request_id} belongs to another account.")
    state = delegation.state_of(row, call.now)
    if state not in wanted:
        allowed = " or ".join(each.value for each in wanted)
        raise errors.ConcurrentModification(
            f"The delegation request with id {row.request_id} is in state {state.value}, it must be in state {allowed}."
        )


def _move(call: Call, row: DelegationRequestRow, state: DelegationState, **changes: Any) -> DelegationRequestRow:
    new = replace(row, state=state.value, updated_at=call.now, expires_at=delegation.expiry(state, call.now), **changes)
    # Replaced only where nobody has changed it since it was read. A request is changed from two accounts, and holding one of
    # them keeps nobody in the other waiting.
    if not delegation_requests.replace(call.db, row, new):
        raise errors.ConcurrentModification(f"The delegation request with id {row.request_id} is being changed.")
    call.notes.additional |= {"requestorId": row.account_id}
    return new


def _owners_policy(call: Call, row: DelegationRequestRow) -> PolicySet | None:
    """Return what whoever owns the request, or may come to own it, is allowed by that alone."""
    # Whoever opens a request that has no owner yet may look at it, and make it theirs.
    if row.owner_arn is None:
        return _policy(call.principal.arn, ["iam:AssociateDelegationRequest", "iam:GetDelegationRequest"])
    if not _is_owner(call, row):
        return None
    actions = [f"iam:{action}DelegationRequest" for action in _OWNERS_ACTIONS]
    # By the name of today: an owner who was renamed is still the owner.
    return _policy(call.principal.arn, [*actions, "iam:SendDelegationToken", "iam:GetHumanReadableSummary"])


def _is_owner(call: Call, row: DelegationRequestRow) -> bool:
    """Tell whether the caller is whose the request is: by unique id, which no namesake of a deleted user has."""
    return row.owner_account_id == call.account_id and row.owner_id == call.principal.lasting_id


def _policy(principal_arn: str, actions: list[str]) -> PolicySet:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal_arn}, "Action": actions, "Resource": "*"}
    document = msgspec.json.encode({"Version": "2012-10-17", "Statement": [statement]}).decode()
    source = PolicySource(PolicyKind.RESOURCE, "delegation-request", type=SourceType.RESOURCE)
    return permissions.compiled([permissions.Text(document, source)])


def _write_to_provider(call: Call, row: DelegationRequestRow) -> None:
    """Mail the token to the provider's root user: there is no SNS here, and the token is worth nothing to any other account."""
    provider, ends = accounts.with_id(call.db, row.account_id), delegation.ends_at(row)
    if provider is None or ends is None:
        return
    values = {
        "account_id": row.account_id,
        "request_id": row.request_id,
        "owner_account_id": call.account_id,
        "ends_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "token": delegation.mint_token(call.keyring, row).reveal(),
    }
    call.wiring.outbox.send(call.db, Notice("delegation-token", provider.email, row.account_id, call.now, values))


def _describe(call: Call, row: DelegationRequestRow) -> dict[str, object]:
    provider = accounts.with_id(call.db, row.account_id)
    described: dict[str, object | None] = {
        "DelegationRequestId": row.request_id,
        "OwnerAccountId": row.owner_account_id,
        "Description": row.description,
        "RequestMessage": row.message,
        "Permissions": {"PolicyTemplateArn": row.template_arn, "Parameters": msgspec.json.decode(row.parameters)},
        "PermissionPolicy": row.policy,
        "RolePermissionRestrictionArns": delegation_permissions.boundaries(row.policy) or None,
        "OwnerId": row.owner_arn,
        "ApproverId": row.approver_arn,
        "State": delegation.state_of(row, call.now).value,
        "ExpirationTime": row.expires_at,
        "RequestorId": row.account_id,
        "RequestorName": provider.name[:30] if provider is not None else None,
        "CreateDate": row.created_at,
        "SessionDuration": row.seconds,
        "RedirectUrl": row.redirect_url,
        "Notes": row.notes,
        "RejectionReason": row.rejection_reason,
        "OnlySendByOwner": row.only_send_by_owner,
        "UpdatedTime": row.updated_at,
    }
    return {name: value for name, value in described.items() if value is not None}


def _id_in(entity_arn: str) -> str | None:
    parts = arn.parse(entity_arn)
    kind, _, request_id = (parts.resource if parts is not None and parts.service == "iam" else "").partition("/")
    return request_id if kind == "delegation-request" and request_id else None
