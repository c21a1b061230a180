"""Attaching policies to roots, units and accounts, and detaching them: in force on the next request of every account below."""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.organizations import arns, entities, next_tokens, policies, tree
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.policies import Policy
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import organization_policy_targets, organization_policy_types
from crownkeep.storage.organizations.organization_policy_targets import NamedTargetRow, PolicyTargetRow
from crownkeep.storage.organizations.organizations import OrganizationRow

_LAST = "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times."


def entity_with_policy(call: Call, *, target_id: str, **_: object) -> list[Target]:
    """The root, unit or account that a policy is attached to: both must be allowed."""
    entity = _entity(call, target_id)
    # The entity is decided on under the same condition keys as the policy, such as organizations:PolicyType.
    about_policy = {} if call.target is None else call.target.context
    return [Target(entity.arn, tags=entity.tags, context=about_policy)]


def policies_of_entity(call: Call, *, target_id: str, filter: str, **_: object) -> Target:
    """The root, unit or account whose policies are listed."""
    found = _entity(call, target_id)
    return Target(found.arn, tags=found.tags, context=policies.of_type(filter))


@organizations.operation(
    "AttachPolicy", resource=policies.policy, effect=Effect.STATE, caller=AllowedCaller.DELEGATE, also=entity_with_policy
)
def attach_policy(call: Call, organization: OrganizationRow, *, policy_id: str, target_id: str) -> Result:
    """Put a policy in force for an account, or for every account below a root or unit."""
    found = policies.required(call, organization, policy_id)
    entities.require_target(call, organization, target_id)
    place = (call.db, organization.organization_id)
    if found.type not in organization_policy_types.enabled(*place):
        raise errors.PolicyTypeNotEnabled("This operation can be performed only for enabled policy types.")
    attached = organization_policy_targets.of_target(*place, target_id, found.type)
    # Checked before the quota: attaching once more changes nothing, and AWS says so even when the entity is full.
    if any(each.policy_id == policy_id for each in attached):
        raise errors.DuplicatePolicyAttachment("The selected policy is already attached to the specified target.")
    if len(attached) >= catalogue.QUOTAS[found.type].attached:
        reason = {"Reason": "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"}
        raise errors.ConstraintViolation("You have exceeded the number of policies attached to an entity.", members=reason)
    row = PolicyTargetRow(*place[1:], organization.management_account_id, target_id, policy_id, found.type, call.now)
    organization_policy_targets.add(call.db, row)
    # Every account below gets a new revision in the same transaction, so no cache can outlive the change.
    organization_policy_targets.touch_under(*place, target_id, clock.revision())
    return NOTHING


@organizations.operation(
    "DetachPolicy", resource=policies.policy, effect=Effect.STATE, caller=AllowedCaller.DELEGATE, also=entity_with_policy
)
def detach_policy(call: Call, organization: OrganizationRow, *, policy_id: str, target_id: str) -> Result:
    """Take a policy from what it was attached to; of an enabled control type one must be left, or nothing would be allowed."""
    found = policies.required(call, organization, policy_id)
    entities.require_target(call, organization, target_id)
    place = (call.db, organization.organization_id)
    # Without this policy nobody could do anything on the resources below, so AWS keeps it attached for ever.
    if policy_id == catalogue.RCP_FULL_AWS_ACCESS.policy_id:
        reason = {"Reason": "NON_DETACHABLE_POLICY"}
        raise errors.InvalidInputException("You can't detach this AWS managed policy.", members=reason)
    attached = organization_policy_targets.of_target(*place, target_id, found.type)
    if all(each.policy_id != policy_id for each in attached):
        raise errors.PolicyNotAttached("The policy isn't attached to the specified target in the specified root.")
    # Without any service control policy every account below could do nothing at all.
    if found.type == catalogue.SERVICE_CONTROL and len(attached) == 1:
        reason = {"Reason": "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"}
        raise errors.ConstraintViolation(_LAST, members=reason)
    organization_policy_targets.remove(*place, target_id, policy_id)
    # Detaching can take permissions away as well as give them; both must be seen at once.
    organization_policy_targets.touch_under(*place, target_id, clock.revision())
    return NOTHING


@organizations.operation("ListPoliciesForTarget", resource=policies_of_entity, caller=AllowedCaller.ADMINISTRATOR)
def list_policies_for_target(
    call: Call,
    organization: OrganizationRow,
    *,
    target_id: str,
    filter: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List what of a type is attached to a root, unit or account itself, by name; what it inherits is not among it."""
    entities.require_target(call, organization, target_id)
    attached = organization_policy_targets.policies_of_target(call.db, organization.organization_id, target_id, filter)
    # AWS's own default policies have no row, so the catalogue stands in for them.
    own: list[Policy] = [each.policy or catalogue.DEFAULTS[filter] for each in attached]
    own.sort(key=lambda each: each.name_key)
    listed, more = next_tokens.page(
        call,
        list_name="ListPoliciesForTarget",
        filters=(target_id, filter),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: [each for each in own if each.name_key > after][:limit],
        key=lambda each: each.name_key,
    )
    return {"Policies": [policies.summary(organization, each) for each in listed], **more}


@organizations.operation("ListTargetsForPolicy", resource=policies.policy, caller=AllowedCaller.ADMINISTRATOR)
def list_targets_for_policy(
    call: Call, organization: OrganizationRow, *, policy_id: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List what a policy is attached to, by id."""
    policies.targeted(call, policy_id)
    listed, more = next_tokens.page(
        call,
        list_name="ListTargetsForPolicy",
        filters=(policy_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: organization_policy_targets.page_of_policy(
            call.db, organization.organization_id, policy_id, after=after, limit=limit
        ),
        key=lambda row: row.target_id,
    )
    return {"Targets": [_describe(organization, row) for row in listed], **more}


def _entity(call: Call, target_id: str) -> Target:
    if target_id.startswith(("r-", "ou-")):
        return entities.parent(call, parent_id=target_id)
    return entities.account(call, account_id=target_id)


def _describe(organization: OrganizationRow, row: NamedTargetRow) -> dict[str, object]:
    place = arns.place_of(organization)
    if row.target_id.startswith("r-"):
        kind, arn = "ROOT", arns.root(place, row.target_id)
    elif row.target_id.startswith("ou-"):
        kind, arn = "ORGANIZATIONAL_UNIT", arns.unit(place, row.target_id)
    else:
        kind, arn = "ACCOUNT", arns.account(place, row.target_id)
    return {"TargetId": row.target_id, "Arn": arn, "Name": row.name or tree.ROOT_NAME, "Type": kind}
