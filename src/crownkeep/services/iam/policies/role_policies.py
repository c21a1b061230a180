"""What a role may do: managed policies attached to it and inline policies in it."""

from __future__ import annotations

from crownkeep.operations.call import Call, Result
from crownkeep.services.iam.identities import roles
from crownkeep.services.iam.policies import attachments, holders, inline_policies
from crownkeep.services.iam.service import iam

_attached_role = holders.with_policy_arn(roles.role_with_present_boundary)


@iam.operation("AttachRolePolicy", resource=_attached_role)
def attach_role_policy(call: Call, *, role_name: str, policy_arn: str) -> Result:
    """Attach a managed policy to a role."""
    return attachments.attach(call, holders.changeable_role(call, role_name), policy_arn)


@iam.operation("DetachRolePolicy", resource=_attached_role)
def detach_role_policy(call: Call, *, role_name: str, policy_arn: str) -> Result:
    """Detach a managed policy from a role."""
    return attachments.detach(call, holders.changeable_role(call, role_name), policy_arn)


@iam.operation("ListAttachedRolePolicies", resource=roles.named_role)
def list_attached_role_policies(
    call: Call, *, role_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the managed policies of a role."""
    holder = holders.role(call, role_name)
    return attachments.list_attached(call, holder, path_prefix=path_prefix, marker=marker, max_items=max_items)


@iam.operation("PutRolePolicy", resource=roles.role_with_present_boundary)
def put_role_policy(call: Call, *, role_name: str, policy_name: str, policy_document: str) -> Result:
    """Put an inline policy into a role."""
    holder = holders.changeable_role(call, role_name)
    return inline_policies.put(call, holder, policy_name=policy_name, policy_document=policy_document)


@iam.operation("GetRolePolicy", resource=roles.named_role)
def get_role_policy(call: Call, *, role_name: str, policy_name: str) -> Result:
    """Return an inline policy of a role."""
    holder = holders.role(call, role_name)
    return {"RoleName": holder.name, **inline_policies.get(call, holder, policy_name=policy_name)}


@iam.operation("DeleteRolePolicy", resource=roles.role_with_present_boundary)
def delete_role_policy(call: Call, *, role_name: str, policy_name: str) -> Result:
    """Delete an inline policy of a role."""
    return inline_policies.delete(call, holders.changeable_role(call, role_name), policy_name=policy_name)


@iam.operation("ListRolePolicies", resource=roles.named_role)
def list_role_policies(call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List the names of a role's inline policies."""
    return inline_policies.list_names(call, holders.role(call, role_name), marker=marker, max_items=max_items)
