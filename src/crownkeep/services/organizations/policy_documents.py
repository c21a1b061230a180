"""Making, changing and deleting policies: for the management account, and for whom it delegates that to.

What a policy says is in force for every account below whatever it is attached to, from the next request of each on: whoever
changes it gives all of them a fresh revision, in the same transaction and by one statement.
"""

from __future__ import annotations

from dataclasses import replace

from crownkeep import clock, errors, ids
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.catalogue.organization_policies import AwsPolicy
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging
from crownkeep.services.organizations import next_tokens, policies, policy_contents
from crownkeep.services.organizations import tags as tagging
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.policies import Policy
from crownkeep.services.organizations.service import organizations
from crownkeep.services.organizations.tags import Tags
from crownkeep.storage.organizations import organization_policies, organization_policy_targets, organization_tags
from crownkeep.storage.organizations.organization_policies import OrganizationPolicyRow
from crownkeep.storage.organizations.organizations import OrganizationRow

_ID_CHANCE = 16
_ID_LENGTH = 10


@organizations.operation(
    "CreatePolicy",
    resource=policies.new_policy,
    effect=Effect.STATE,
    tagging=Tagging(tagging.ACTION, policies.new_policy),
    caller=AllowedCaller.DELEGATE,
)
def create_policy(
    call: Call,
    organization: OrganizationRow,
    *,
    content: str,
    description: str,
    name: str,
    type: str,
    tags: Tags = (),
) -> Result:
    """Keep a new policy; it binds nobody until it is attached."""
    policies.require_all_features(organization)
    policy_contents.require_valid(type, content)
    _require_new_name(call, organization, name)
    if organization_policies.count(call.db, organization.organization_id, type) >= catalogue.QUOTAS[type].policies:
        reason = {"Reason": "POLICY_NUMBER_LIMIT_EXCEEDED"}
        raise errors.ConstraintViolation("You have exceeded the number of policies of this type.", members=reason)
    row = OrganizationPolicyRow(
        policy_id=ids.organizations_id("p", clock.token_bytes(_ID_CHANCE), _ID_LENGTH),
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
    if tags:
        tagging.put(call, organization, row.policy_id, tagging.checked(tags))
    return _described(organization, row)


@organizations.operation("UpdatePolicy", resource=policies.policy, effect=Effect.STATE, caller=AllowedCaller.DELEGATE)
def update_policy(
    call: Call,
    organization: OrganizationRow,
    *,
    policy_id: str,
    name: str | None = None,
    description: str | None = None,
    content: str | None = None,
) -> Result:
    """Change a policy; a new content is in force at once wherever the policy is attached."""
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


@organizations.operation("DeletePolicy", resource=policies.policy, effect=Effect.STATE, caller=AllowedCaller.DELEGATE)
def delete_policy(call: Call, organization: OrganizationRow, *, policy_id: str) -> Result:
    """Delete a policy that is attached to nothing."""
    found = _own(call, organization, policy_id)
    if organization_policy_targets.is_attached(call.db, organization.organization_id, policy_id):
        raise errors.PolicyInUse(
            "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before "
            "performing this operation."
        )
    organization_policies.remove(call.db, organization.organization_id, found.policy_id)
    organization_tags.remove_of_entity(call.db, organization.organization_id, found.policy_id)
    return NOTHING


@organizations.operation("DescribePolicy", resource=policies.policy, caller=AllowedCaller.ADMINISTRATOR)
def describe_policy(call: Call, organization: OrganizationRow, *, policy_id: str) -> Result:
    """Return a policy with its content."""
    return _described(organization, policies.targeted(call, policy_id))


@organizations.operation("ListPolicies", resource=policies.policies_of_type, caller=AllowedCaller.ADMINISTRATOR)
def list_policies(
    call: Call,
    organization: OrganizationRow,
    *,
    filter: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List the policies of a type by name, AWS's own among them."""
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
    return {"Policies": [policies.summary(organization, each) for each in listed], **more}


def _position(found: Policy) -> str:
    return found.name_key


def _own(call: Call, organization: OrganizationRow, policy_id: str) -> OrganizationPolicyRow:
    found = policies.required(call, organization, policy_id)
    if isinstance(found, AwsPolicy):
        reason = {"Reason": "IMMUTABLE_POLICY"}
        raise errors.InvalidInputException("You can't change or delete a policy that AWS manages.", members=reason)
    return found


def _require_new_name(call: Call, organization: OrganizationRow, name: str) -> None:
    is_of_aws = any(each.name_key == name.lower() for each in catalogue.DEFAULTS.values())
    if is_of_aws or organization_policies.named(call.db, organization.organization_id, name) is not None:
        raise errors.DuplicatePolicy("A policy with the same name already exists.")


def _described(organization: OrganizationRow, found: Policy) -> Result:
    return {"Policy": {"PolicySummary": policies.summary(organization, found), "Content": found.content}}
