"""Permissions boundaries: the managed policy that limits what a user's or role's policies can grant."""

from __future__ import annotations

from crownkeep import arn, errors
from crownkeep.catalogue import managed_policies
from crownkeep.operations.call import Call
from crownkeep.storage.policies import policies


def required(call: Call, policy_arn: str) -> str:
    """Return the ARN of a policy that can be a boundary; raises InvalidInput and NoSuchEntity in AWS's words."""
    parts = arn.parse(policy_arn)
    if parts is None or parts.service != "iam" or not parts.resource.startswith("policy/"):
        raise errors.InvalidInput(f"ARN {policy_arn} is not valid.")
    if not _exists(call, policy_arn):
        raise errors.NoSuchEntity(f"Scope ARN: {policy_arn} does not exist or is not attachable.")
    return policy_arn


def condition_keys(policy_arn: str | None) -> dict[str, str]:
    """Return iam:PermissionsBoundary for a call about an entity that has, or is to have, this boundary."""
    return {} if policy_arn is None else {"iam:PermissionsBoundary": policy_arn}


def members(policy_arn: str | None) -> dict[str, object]:
    """Return the member `PermissionsBoundary` of a description: absent where there is none."""
    if policy_arn is None:
        return {}
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy_arn}}


def _exists(call: Call, policy_arn: str) -> bool:
    if managed_policies.is_aws_managed(policy_arn):
        return managed_policies.with_arn(policy_arn) is not None
    return policies.with_arn(call.db, call.account_id, policy_arn) is not None
