"""Policies of an organization: made, changed and deleted by the management account and by whom it delegates that to.

What a policy says is in force for every account below whatever it is attached to, from the next request of each on: whoever
changes it gives all of them a fresh revision, in the same transaction and by one statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import clock, errors, ids
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.catalogue.organization_policies import AwsPolicy
from crownkeep.operations import authorize, organization_controls
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.organizations import access, next_tokens, policy_contents
from crownkeep.services.organizations.arns import Place
from crownkeep.services.organizations.service import organizations
from crownkeep.storage import organization_policies, organization_policy_targets, organization_tags
from crownkeep.storage.organization_policies import OrganizationPolicyRow
from crownkeep.storage.organizations import OrganizationRow

ALL_FEATURES = "ALL"
_MOST_TAGS = 50
_ID_CHANCE = 16

Tags = Sequence[Mapping[str, str]]
Policy = OrganizationPolicyRow | AwsPolicy
"""A policy of the organization's own, or one that AWS keeps."""

# What calls are about.


def new_policy(call: Call, *, type: str, **_: object) -> Target:
    """The policy to be made, which has no id yet."""
    place = access.place(call)
    return Target(_arn(place, type, "p-*"), context=of_type(type))


def policy(call: Call, *, policy_id: str, **_: object) -> Target:
    """The policy with this id."""
    place = access.place(call)
    found = find(call, place.organization_id, policy_id)
    if isinstance(found, AwsPolicy):
        return Target(found.arn, context=of_type(found.type))
    policy_type = catalogue.SERVICE_CONTROL if found is None else found.type
    return Target(
        _arn(place, policy_type, policy_id),
        tags=lambda: organization_tags.of_entity(call.db, place.organization_id, policy_id),
        context={} if found is None else of_type(policy_type),
    )


def policies_of_type(call: Call, *, filter: str, **_: object) -> Target:
    """All policies of a type."""
    return Target("*", context=of_type(filter))


def of_type(policy_type: str) -> dict[str, str | tuple[str, ...]]:
    """Answer the condition key that says which type of policy a call is about."""
    return {"organizations:PolicyType": policy_type}


# Policies as other handlers need them.


def find(call: Call, organization_id: str, policy_id: str) -> Policy | None:
    """Answer the policy with this id: AWS's own, or the organization's."""
    return catalogue.aws_policy(policy_id) or organization_policies.with_id(call.db, organization_id, policy_id)


def required(call: Call, organization: OrganizationRow, policy_id: str) -> Policy:
    """Answer the policy with this id; raises PolicyNotFoundException."""
    found = find(call, organization.organization_id, policy_id)
    if found is None:
        raise errors.PolicyNotFound("You specified a policy that doesn't exist.")
    return found


def summary(organization: OrganizationRow, found: Policy) -> dict[str, object]:
    """Answer a policy without its content."""
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


# The operations.


@organizations.operation("CreatePolicy", resource=new_policy, effect=Effect.STATE)
def create_policy(
    call: Call,
    *,
    content: str,
    description: str,
    name: str,
    type: str,
    tags: Tags = (),
) -> Result:
    """Keep a new policy; it binds nobody until it is attached."""
    target = new_policy(call, type=type)
    organization = access.delegate(call, "organizations:CreatePolicy", target, arguments={"tags": tags})
    require_all_features(organization)
    policy_contents.require_valid(type, content)
    _require_new_name(call, organization, name)
    if organization_policies.count(call.db, organization.organization_id, type) >= catalogue.QUOTAS[type].policies:
        reason = {"Reason": "POLICY_NUMBER_LIMIT_EXCEEDED"}
        raise errors.ConstraintViolation("You have exceeded the number of policies of this type.", members=reason)
    row = OrganizationPolicyRow(
        policy_id=ids.organization_part("p-", clock.token_bytes(_ID_CHANCE)),
        organization_id=organization.organization_id,
        account_id=organization.management_account_id,
        type=type,
        name=name,
        name_key=name.lower(),
        description=description,
        content=content,
        created_at=call.now,
        updated_at=call.now,
    )
    organization_policies.add(call.db, row)
    _tag(call, row, target, tags)
    return _described(organization, row)


@organizations.operation("UpdatePolicy", resource=policy, effect=Effect.STATE)
def update_policy(
    call: Call, *, policy_id: str, name: str | None = None, description: str | None = None, content: str | None = None
) -> Result:
    """Change a policy; a new content is in force at once wherever the policy is attached."""
    organization = access.delegate(call, "organizations:UpdatePolicy", policy(call, policy_id=policy_id))
    found = _own(call, organization, policy_id)
    if content is not None:
        policy_contents.require_valid(found.type, content)
    if name is not None and name.lower() != found.name_key:
        _require_new_name(call, organization, name)
    new_name = found.name if name is None else name
    row = replace(
        found,
        name=new_name,
        name_key=new_name.lower(),
        description=found.description if description is None else description,
        content=found.content if content is None else content,
        updated_at=call.now,
    )
    organization_policies.change(call.db, row)
    organization_policy_targets.touch_where_attached(call.db, organization.organization_id, policy_id, clock.revision())
    return _described(organization, row)


@organizations.operation("DeletePolicy", resource=policy, effect=Effect.STATE)
def delete_policy(call: Call, *, policy_id: str) -> Result:
    """Delete a policy that is attached to nothing."""
    organization = access.delegate(call, "organizations:DeletePolicy", policy(call, policy_id=policy_id))
    found = _own(call, organization, policy_id)
    if organization_policy_targets.is_attached(call.db, organization.organization_id, policy_id):
        raise errors.PolicyInUse(
            "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before "
            "performing this operation."
        )
    organization_policies.remove(call.db, organization.organization_id, found.policy_id)
    organization_tags.remove_of_entity(call.db, organization.organization_id, found.policy_id)
    return NOTHING


@organizations.operation("DescribePolicy", resource=policy)
def describe_policy(call: Call, *, policy_id: str) -> Result:
    """Answer a policy with its content."""
    organization = access.reader(call, "organizations:DescribePolicy", policy(call, policy_id=policy_id))
    return _described(organization, required(call, organization, policy_id))


@organizations.operation("ListPolicies", resource=policies_of_type)
def list_policies(
    call: Call,
    *,
    filter: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List the policies of a type by name, AWS's own among them."""
    organization = access.reader(call, "organizations:ListPolicies", policies_of_type(call, filter=filter))
    default = catalogue.DEFAULTS.get(filter)

    def fetch(after: str, limit: int) -> list[Policy]:
        found: list[Policy] = []
        found += organization_policies.page(call.db, organization.organization_id, filter, after=after, limit=limit)
        if default is not None and default.name_key > after:
            found.append(default)
        return sorted(found, key=_position)[:limit]

    listed, more = next_tokens.page(
        call,
        list_name="ListPolicies",
        filters=(filter,),
        next_token=next_token,
        max_results=max_results,
        fetch=fetch,
        key=_position,
    )
    return {"Policies": [summary(organization, each) for each in listed], **more}


def _position(found: Policy) -> str:
    return found.name_key


def _arn(place: Place, policy_type: str, policy_id: str) -> str:
    return organization_controls.policy_arn(place.management_account_id, place.organization_id, policy_type, policy_id)


def _own(call: Call, organization: OrganizationRow, policy_id: str) -> OrganizationPolicyRow:
    found = required(call, organization, policy_id)
    if isinstance(found, AwsPolicy):
        reason = {"Reason": "IMMUTABLE_POLICY"}
        raise errors.InvalidInputException("You can't change or delete a policy that AWS manages.", members=reason)
    return found


def _require_new_name(call: Call, organization: OrganizationRow, name: str) -> None:
    is_of_aws = any(each.name_key == name.lower() for each in catalogue.DEFAULTS.values())
    if is_of_aws or organization_policies.named(call.db, organization.organization_id, name) is not None:
        raise errors.DuplicatePolicy("A policy with the same name already exists.")


def _tag(call: Call, row: OrganizationPolicyRow, target: Target, tags: Tags) -> None:
    if not tags:
        return
    authorize.require_action(call, "organizations:TagResource", target, {"tags": tags})
    values = {each["Key"]: each["Value"] for each in tags}
    if len(values) != len(tags):
        reason = {"Reason": "DUPLICATE_TAG_KEY"}
        raise errors.InvalidInputException("You can't specify the same tag key more than once.", members=reason)
    if len(values) > _MOST_TAGS:
        reason = {"Reason": "MAX_TAG_LIMIT_EXCEEDED"}
        raise errors.ConstraintViolation("You have exceeded the number of tags that a policy may have.", members=reason)
    organization_tags.put(call.db, row.organization_id, row.account_id, row.policy_id, values)


def _described(organization: OrganizationRow, found: Policy) -> Result:
    return {"Policy": {"PolicySummary": summary(organization, found), "Content": found.content}}
