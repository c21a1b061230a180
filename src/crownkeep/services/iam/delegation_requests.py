"""Delegation requests: AWS's partners ask for temporary access by them, and no partner is registered here.

A request is made from a policy template that AWS has registered for a partner, its token goes over the partner's SNS topic.
There are neither templates nor topics, so none can be made, and every other operation finds that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import arn, errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import EVERYTHING, Effect, Target
from crownkeep.services.iam.service import iam


def new_request(
    call: Call, *, permissions: Mapping[str, object], notification_channel: str, session_duration: int, **_: object
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
    """The request with this id."""
    return Target(arn.iam(call.account_id, f"delegation-request/{delegation_request_id}"))


def summarized(call: Call, *, entity_arn: str, **_: object) -> Target:
    """The request that is to be summarized."""
    return Target(entity_arn)


def owners_requests(call: Call, *, owner_id: str | None = None, **_: object) -> Target:
    """All requests, or those of an owner."""
    return EVERYTHING if owner_id is None else Target("*", context={"iam:DelegationRequestOwner": owner_id})


@iam.operation("CreateDelegationRequest", resource=new_request, effect=Effect.STATE)
def create_delegation_request(
    call: Call,
    *,
    description: str,
    permissions: Mapping[str, object],
    requestor_workflow_id: str,
    notification_channel: str,
    session_duration: int,
    owner_account_id: str | None = None,
    request_message: str | None = None,
    redirect_url: str | None = None,
    only_send_by_owner: bool | None = None,
) -> Result:
    """Refuse a request: it can only be made from a policy template of a registered partner."""
    template = permissions.get("PolicyTemplateArn")
    raise errors.InvalidInput(f"The policy template {template} does not exist: no partner is registered for delegation requests.")


@iam.operation("GetDelegationRequest", resource=named_request)
def get_delegation_request(call: Call, *, delegation_request_id: str, delegation_permission_check: bool | None = None) -> Result:
    """Answer a request."""
    raise _missing(delegation_request_id)


@iam.operation("ListDelegationRequests", resource=owners_requests)
def list_delegation_requests(
    call: Call, *, owner_id: str | None = None, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the requests that have an owner."""
    if marker is not None:
        raise errors.ValidationError("Invalid Marker.")
    return {"DelegationRequests": [], "isTruncated": False}


@iam.operation("AssociateDelegationRequest", resource=named_request, effect=Effect.STATE)
def associate_delegation_request(call: Call, *, delegation_request_id: str) -> Result:
    """Make a request the caller's own."""
    raise _missing(delegation_request_id)


@iam.operation("AcceptDelegationRequest", resource=named_request, effect=Effect.STATE)
def accept_delegation_request(call: Call, *, delegation_request_id: str) -> Result:
    """Grant what a request asks for."""
    raise _missing(delegation_request_id)


@iam.operation("RejectDelegationRequest", resource=named_request, effect=Effect.STATE)
def reject_delegation_request(call: Call, *, delegation_request_id: str, notes: str | None = None) -> Result:
    """Turn a request down."""
    raise _missing(delegation_request_id)


@iam.operation("UpdateDelegationRequest", resource=named_request, effect=Effect.STATE)
def update_delegation_request(call: Call, *, delegation_request_id: str, notes: str | None = None) -> Result:
    """Hand a request on to whoever may grant it."""
    raise _missing(delegation_request_id)


@iam.operation("SendDelegationToken", resource=named_request, effect=Effect.STATE)
def send_delegation_token(call: Call, *, delegation_request_id: str) -> Result:
    """Send the token of an accepted request to the partner."""
    raise _missing(delegation_request_id)


@iam.operation("GetHumanReadableSummary", resource=summarized)
def get_human_readable_summary(call: Call, *, entity_arn: str, locale: str | None = None) -> Result:
    """Answer a request in plain words."""
    parts = arn.parse(entity_arn)
    kind, _, request_id = (parts.resource if parts is not None and parts.service == "iam" else "").partition("/")
    if kind != "delegation-request" or not request_id:
        raise errors.InvalidInput(f"The entity {entity_arn} cannot be summarized: only delegation requests can.")
    raise _missing(request_id)


def _missing(request_id: str) -> errors.NoSuchEntity:
    return errors.NoSuchEntity(f"The delegation request with id {request_id} cannot be found.")
