"""What a permission set allows: AWS's managed policies, customers' by name, one inline policy, and a boundary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crownkeep import errors, policy
from crownkeep.catalogue import managed_policies
from crownkeep.domain import next_tokens
from crownkeep.domain.policies import policy_documents
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.policy import MalformedPolicy, PolicyKind
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.storage.single_sign_on import permission_set_policies, permission_sets
from crownkeep.storage.single_sign_on.permission_set_policies import PermissionSetPolicyRow
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow

MOST = 20
"""Managed policies of one permission set, of both kinds together."""
_MOST_INLINE = 10_240
"""Characters without white space, as a role's inline policies may have."""
Reference = Mapping[str, str]


@sso_admin.operation("AttachManagedPolicyToPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def attach_managed_policy_to_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, managed_policy_arn: str
) -> Result:
    """Attach one of AWS's managed policies."""
    # Changeable: a delegated administrator may not touch what has a role in the management account.
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    if managed_policies.with_arn(managed_policy_arn) is None:
        raise errors.ResourceNotFound(f"Policy does not exist with ARN: {managed_policy_arn}")
    # AWS's text, with its typing error.
    taken = "already has a typed link attachment to a manged policy with"
    _attach(call, row, managed_policy_arn, taken=f"Permission set with id {row.permission_set_id} {taken} {managed_policy_arn}")
    return NOTHING


@sso_admin.operation("DetachManagedPolicyFromPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def detach_managed_policy_from_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, managed_policy_arn: str
) -> Result:
    """Detach one of AWS's managed policies."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    _detach(call, row, managed_policy_arn, missing=f"Could not find ManagedPolicy with arn {managed_policy_arn}")
    return NOTHING


@sso_admin.operation("ListManagedPoliciesInPermissionSet", resource=targets.permission_set)
def list_managed_policies_in_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, max_results: int | None = None, next_token: str | None = None
) -> Result:
    """List AWS's managed policies in a permission set."""
    _, row = targets.required_permission_set(call, instance_arn, permission_set_arn)
    listed, more = _page(call, row, "ListManagedPoliciesInPermissionSet", "arn:", next_token, max_results)
    return {"AttachedManagedPolicies": [{"Name": each.rpartition("/")[2], "Arn": each} for each in listed], **more}


@sso_admin.operation("AttachCustomerManagedPolicyReferenceToPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def attach_customer_managed_policy_reference_to_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, customer_managed_policy_reference: Reference
) -> Result:
    """Attach a policy by its name and path: each account has one of its own by that name."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    name, path = _name_and_path(customer_managed_policy_reference)
    taken = f"Given customer managed policy with name: {name}  and path {path} already attached"
    _attach(call, row, path + name, taken=taken)
    return NOTHING


@sso_admin.operation(
    "DetachCustomerManagedPolicyReferenceFromPermissionSet", resource=targets.permission_set, effect=Effect.STATE
)
def detach_customer_managed_policy_reference_from_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, customer_managed_policy_reference: Reference
) -> Result:
    """Detach a policy by its name and path."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    name, path = _name_and_path(customer_managed_policy_reference)
    missing = f"Given managed policy with name: {name}  and path {path} does not exist on PermissionSet"
    _detach(call, row, path + name, missing=missing)
    return NOTHING


@sso_admin.operation("ListCustomerManagedPolicyReferencesInPermissionSet", resource=targets.permission_set)
def list_customer_managed_policy_references_in_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, max_results: int | None = None, next_token: str | None = None
) -> Result:
    """List the policies by name and path in a permission set."""
    _, row = targets.required_permission_set(call, instance_arn, permission_set_arn)
    listed, more = _page(call, row, "ListCustomerManagedPolicyReferencesInPermissionSet", "/", next_token, max_results)
    shown = [{"Name": each.rpartition("/")[2], "Path": f"{each.rpartition('/')[0]}/"} for each in listed]
    return {"CustomerManagedPolicyReferences": shown, **more}


@sso_admin.operation("PutInlinePolicyToPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def put_inline_policy_to_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str, inline_policy: str) -> Result:
    """Give a permission set its inline policy, in the place of the one that it had."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    try:
        # Checked when it is set: provisioning would otherwise fail later in every account.
        policy.validate(policy.parse(inline_policy), PolicyKind.IDENTITY)
    except MalformedPolicy as fault:
        raise errors.ServiceValidation(f"InlinePolicy is malformed: {fault}") from fault
    if policy_documents.size(inline_policy) > _MOST_INLINE:
        raise errors.ServiceQuotaExceeded(f"The inline policy exceeds {_MOST_INLINE} characters.")
    # This raises the revision, so the roles of it count as outdated until they are provisioned anew.
    permission_sets.change(call.db, replace(row, inline_policy=inline_policy))
    return NOTHING


@sso_admin.operation("GetInlinePolicyForPermissionSet", resource=targets.permission_set)
def get_inline_policy_for_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str) -> Result:
    """Return the inline policy; an empty text where there is none."""
    _, row = targets.required_permission_set(call, instance_arn, permission_set_arn)
    return {"InlinePolicy": row.inline_policy or ""}


@sso_admin.operation("DeleteInlinePolicyFromPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def delete_inline_policy_from_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str) -> Result:
    """Take the inline policy away; that there is none is no error."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    if row.inline_policy is not None:
        permission_sets.change(call.db, replace(row, inline_policy=None))
    return NOTHING


@sso_admin.operation("PutPermissionsBoundaryToPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def put_permissions_boundary_to_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, permissions_boundary: Mapping[str, Any]
) -> Result:
    """Bound what a permission set's roles may do by one managed policy."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    # The two members exclude each other, which the model doesn't say.
    if len(permissions_boundary) != 1:
        raise errors.ServiceValidation("Give either CustomerManagedPolicyReference or ManagedPolicyArn as PermissionsBoundary.")
    managed = permissions_boundary.get("ManagedPolicyArn")
    # A customer's policy can't be looked up here: each account has its own, or lacks it.
    if managed is not None and managed_policies.with_arn(managed) is None:
        raise errors.ResourceNotFound(f"Policy does not exist with ARN: {managed}")
    permission_sets.change(call.db, replace(row, boundary=json.dumps(permissions_boundary)))
    return NOTHING


@sso_admin.operation("GetPermissionsBoundaryForPermissionSet", resource=targets.permission_set)
def get_permissions_boundary_for_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str) -> Result:
    """Return the boundary; raises ResourceNotFoundException where there is none."""
    _, row = targets.required_permission_set(call, instance_arn, permission_set_arn)
    if row.boundary is None:
        raise errors.ResourceNotFound(f"Could not find PermissionsBoundary for PermissionSet with id {row.permission_set_id}")
    return {"PermissionsBoundary": json.loads(row.boundary)}


@sso_admin.operation("DeletePermissionsBoundaryFromPermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def delete_permissions_boundary_from_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str) -> Result:
    """Take the boundary away; that there is none is no error."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    if row.boundary is not None:
        permission_sets.change(call.db, replace(row, boundary=None))
    return NOTHING


def _attach(call: Call, row: PermissionSetRow, reference: str, *, taken: str) -> None:
    held = permission_set_policies.of_permission_set(call.db, row.instance_id, row.permission_set_id)
    if any(each.reference == reference for each in held):
        raise errors.Conflict(taken)
    if len(held) >= MOST:
        raise errors.ServiceQuotaExceeded(
            f"You have exceeded AWS SSO limits. Cannot create ManagedPolicy more than {MOST} for id {row.permission_set_id}. "
            "Please refer to https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html"
        )
    kept = PermissionSetPolicyRow(row.instance_id, row.permission_set_id, row.account_id, reference, call.now)
    permission_set_policies.add(call.db, kept)
    # What is attached is kept beside the permission set, so its revision is raised by hand.
    permission_sets.advance(call.db, row.instance_id, row.permission_set_id)


def _detach(call: Call, row: PermissionSetRow, reference: str, *, missing: str) -> None:
    if not permission_set_policies.remove(call.db, row.instance_id, row.permission_set_id, reference):
        raise errors.ResourceNotFound(missing)
    permission_sets.advance(call.db, row.instance_id, row.permission_set_id)


def _page(
    call: Call, row: PermissionSetRow, list_name: str, kind: str, next_token: str | None, max_results: int | None
) -> tuple[list[str], dict[str, object]]:
    held = permission_set_policies.of_permission_set(call.db, row.instance_id, row.permission_set_id)
    # There are twenty at most, so they are read at once and paged in memory.
    found = sorted(each.reference for each in held if each.reference.startswith(kind))
    listed, more = next_tokens.page(
        call,
        list_name=list_name,
        filters=(row.instance_id, row.permission_set_id),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: [each for each in found if each > after][:limit],
        key=lambda each: each,
    )
    return list(listed), more


def _name_and_path(reference: Reference) -> tuple[str, str]:
    return reference["Name"], reference.get("Path", "/")
