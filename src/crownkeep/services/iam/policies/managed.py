"""Managed policies as calls name them, by ARN: AWS's own from the catalogue, the account's from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crownkeep import arn, errors
from crownkeep.catalogue import managed_policies
from crownkeep.catalogue.managed_policies import ManagedPolicy
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.services.iam.identities import tags
from crownkeep.storage.policies import attachments, boundaries, policies
from crownkeep.storage.policies.policies import PolicyRow

RESOURCE_TYPE = "AWS::IAM::Policy"

Policy = PolicyRow | ManagedPolicy
"""A policy of the account, or one of AWS's own."""


@dataclass(frozen=True, slots=True)
class PolicyUses:
    """How often policies are attached in the account, and how often they are boundaries, by ARN."""

    attachments: dict[str, int]
    boundaries: dict[str, int]

    def members(self, policy_arn: str) -> dict[str, object]:
        """Return the two counts as members of a policy's description."""
        return {
            "AttachmentCount": self.attachments.get(policy_arn, 0),
            "PermissionsBoundaryUsageCount": self.boundaries.get(policy_arn, 0),
        }


def named_policy(call: Call, *, policy_arn: str, **_: object) -> Target:
    """The policy with this ARN, as a policy's Resource and aws:ResourceTag see it."""
    row = policies.with_arn(call.db, call.account_id, policy_arn)
    if row is None:
        return Target(policy_arn, row=None)
    return Target(row.arn, tags=lambda: tags.of(call, row.policy_id), row=row)


def find(call: Call, policy_arn: str) -> Policy | None:
    """Return the policy of AWS or of the account that has this ARN, or None."""
    if managed_policies.is_aws_managed(policy_arn):
        return managed_policies.with_arn(policy_arn)
    return policies.with_arn(call.db, call.account_id, policy_arn)


def required(call: Call, policy_arn: str) -> Policy:
    """Return the policy that a call wants to read; raises NoSuchEntity, and what `require_arn` raises."""
    require_arn(policy_arn)
    found = find(call, policy_arn)
    if found is None:
        raise not_found(policy_arn)
    return found


def targeted(call: Call, policy_arn: str) -> Policy | None:
    """Return the policy with this ARN that a call was decided on, or None."""
    row = call.target_row(PolicyRow)
    return managed_policies.with_arn(policy_arn) if managed_policies.is_aws_managed(policy_arn) else row


def required_target(call: Call, policy_arn: str) -> Policy:
    """Return the policy that a call was decided on; raises NoSuchEntity, and what `require_arn` raises."""
    require_arn(policy_arn)
    found = targeted(call, policy_arn)
    if found is None:
        raise not_found(policy_arn)
    return found


def own_target(call: Call, policy_arn: str, *, action: str) -> PolicyRow:
    """Return the policy of the account that a call was decided on and wants to change.

    Raises AccessDenied for a policy of AWS or of another account, NoSuchEntity, and what `require_arn` raises.
    """
    owner = require_arn(policy_arn)
    if owner != call.account_id:
        raise errors.AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: {action} on resource: policy {policy_arn}"
        )
    row = call.target_row(PolicyRow)
    if row is None:
        raise not_found(policy_arn)
    return row


def require_arn(policy_arn: str) -> str:
    """Return whose policy an ARN names: an account id or `aws`.

    Raises ValidationError for what is no ARN of this partition and InvalidInput for the ARN of something else, as IAM does.
    """
    parts = arn.parse(policy_arn)
    if parts is None or parts.service != "iam" or parts.region or not parts.account_id:
        raise errors.ValidationError(f"ARN {policy_arn} is not valid.")
    if parts.partition != arn.PARTITION:
        raise errors.ValidationError("Invalid ARN partition")
    if not parts.resource.startswith("policy/"):
        raise errors.InvalidInput(f"ARN {policy_arn} is not valid.")
    return parts.account_id


def not_found(policy_arn: str) -> errors.NoSuchEntity:
    """Return the refusal of a call about a policy that doesn't exist."""
    return errors.NoSuchEntity(f"Policy {policy_arn} was not found.")


def not_attachable(policy_arn: str) -> errors.NoSuchEntity:
    """Return the refusal to attach a policy that doesn't exist, or to ask what it is attached to."""
    return errors.NoSuchEntity(f"Policy {policy_arn} does not exist or is not attachable.")


def uses_of(call: Call, policy_arns: Sequence[str]) -> PolicyUses:
    """Return how often each of these policies is used in the account, in one query for each way of using."""
    return PolicyUses(
        attachments.counts_of(call.db, call.account_id, policy_arns),
        boundaries.counts_of(call.db, call.account_id, policy_arns),
    )


def uses_of_aws_managed(call: Call) -> PolicyUses:
    """Return how often each of AWS's policies is used in the account; those that aren't are left out."""
    return PolicyUses(
        attachments.counts_under(call.db, call.account_id, managed_policies.ARN_PREFIX),
        boundaries.counts_under(call.db, call.account_id, managed_policies.ARN_PREFIX),
    )


def describe(policy: Policy, uses: PolicyUses) -> dict[str, object]:
    """Return the members of a `Policy` that every answer has."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.policy_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": version_id(policy.default_version),
        **uses.members(policy.arn),
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }


def describe_version(number: int, created_at: datetime, default_version: int) -> dict[str, object]:
    """Return the members of a `PolicyVersion` but its document."""
    return {"VersionId": version_id(number), "IsDefaultVersion": number == default_version, "CreateDate": created_at}


def name_of(policy_arn: str) -> str:
    """Return the name of the policy that a valid ARN names."""
    return policy_arn.rpartition("/")[2]


def path_of(policy_arn: str) -> str:
    """Return the path of the policy that a valid ARN names."""
    parts = arn.parse(policy_arn)
    return arn.name_and_path(parts.resource)[1] if parts else "/"


def version_id(number: int) -> str:
    """Return a version's id, `v1` for 1."""
    return f"v{number}"


def list_key(policy: Policy) -> str:
    """Return where a policy stands in lists of both kinds: by name in lower case, the account's own before AWS's."""
    # A space sorts before every character that a name can have, so keys compare as (name, rank) would.
    return f"{policy.name_key} {1 if isinstance(policy, ManagedPolicy) else 0}"
