"""Policies of an organization as calls and handlers name them: AWS's own, and those that the organization made."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.catalogue.organization_policies import AwsPolicy
from crownkeep.operations import organization_controls
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.services.organizations import callers
from crownkeep.services.organizations.arns import Place
from crownkeep.storage.organizations import organization_policies, organization_tags
from crownkeep.storage.organizations.organization_policies import OrganizationPolicyRow
from crownkeep.storage.organizations.organizations import OrganizationRow

ALL_FEATURES = "ALL"
Policy = OrganizationPolicyRow | AwsPolicy
"""A policy of the organization's own, or one that AWS keeps."""

# What calls are about.


def new_policy(call: Call, *, type: str, **_: object) -> Target:
    """The policy to be made, which has no id yet."""
    place = callers.place(call)
    return Target(_arn(place, type, "p-*"), context=of_type(type))


def policy(call: Call, *, policy_id: str, **_: object) -> Target:
    """The policy with this id."""
    place = callers.place(call)
    found = find(call, place.organization_id, policy_id)
    if isinstance(found, AwsPolicy):
        return Target(found.arn, context=of_type(found.type), row=None)
    policy_type = catalogue.SERVICE_CONTROL if found is None else found.type
    return Target(
        _arn(place, policy_type, policy_id),
        tags=lambda: organization_tags.of_entity(call.db, place.organization_id, policy_id),
        context={} if found is None else of_type(policy_type),
        row=found,
    )


def policies_of_type(call: Call, *, filter: str, **_: object) -> Target:
    """All policies of a type."""
    return Target("*", context=of_type(filter))


def of_type(policy_type: str) -> dict[str, str | tuple[str, ...]]:
    """Return the condition key that says which type of policy a call is about."""
    return {"organizations:PolicyType": policy_type}


# Policies as other handlers need them.


def find(call: Call, organization_id: str, policy_id: str) -> Policy | None:
    """Return the policy with this id: AWS's own, or the organization's."""
    return catalogue.aws_policy(policy_id) or organization_policies.with_id(call.db, organization_id, policy_id)


def required(call: Call, organization: OrganizationRow, policy_id: str) -> Policy:
    """Return the policy with this id as it is now that the organization is held; raises PolicyNotFoundException."""
    return _found(find(call, organization.organization_id, policy_id))


def targeted(call: Call, policy_id: str) -> Policy:
    """Return the policy with this id that a read was decided on; raises PolicyNotFoundException."""
    return _found(catalogue.aws_policy(policy_id) or call.target_row(OrganizationPolicyRow))


def _found(policy: Policy | None) -> Policy:
    if policy is None:
        raise errors.PolicyNotFound("You specified a policy that doesn't exist.")
    return policy


def summary(organization: OrganizationRow, found: Policy) -> dict[str, object]:
    """Return a policy without its content."""
    place = Place(organization.management_account_id, organization.organization_id)
    is_aws = isinstance(found, AwsPolicy)
    return {
        "Id": found.policy_id,
        "Arn": found.arn if isinstance(found, AwsPolicy) else _arn(place, found.type, found.policy_id),
        "Name": found.name,
        "Description": found.description,
        "Type": found.type,
        "AwsManaged": is_aws,
    }


def require_all_features(organization: OrganizationRow) -> None:
    """Raise PolicyTypeNotAvailableForOrganizationException where the organization only consolidates bills."""
    if organization.feature_set != ALL_FEATURES:
        raise errors.PolicyTypeNotAvailable(
            "You can't use the specified policy type with the feature set currently enabled for this organization."
        )


def _arn(place: Place, policy_type: str, policy_id: str) -> str:
    return organization_controls.policy_arn(place.management_account_id, place.organization_id, policy_type, policy_id)
