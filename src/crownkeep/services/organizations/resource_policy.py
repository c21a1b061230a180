"""The organization's resource policy: what of Organizations itself members may do besides the management account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import arn, clock, errors, ids, policy
from crownkeep.domain.policies import named_principals
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.policy import Document, MalformedPolicy, PolicyKind, globs
from crownkeep.services.organizations import arns, callers, entities, refusals
from crownkeep.services.organizations import tags as tagging
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.identities import trusted_ids
from crownkeep.storage.organizations import organization_accounts, organization_resource_policies, organization_tags
from crownkeep.storage.organizations.organization_resource_policies import ResourcePolicyRow
from crownkeep.storage.organizations.organizations import OrganizationRow

Tags = Sequence[Mapping[str, str]]
_ID_LENGTH = 8
_ID_CHANCE = 16
_DELEGABLE = frozenset(
    f"organizations:{name}".lower()
    for name in (
        "AttachPolicy",
        "CreatePolicy",
        "DeletePolicy",
        "DescribeAccount",
        "DescribeCreateAccountStatus",
        "DescribeEffectivePolicy",
        "DescribeHandshake",
        "DescribeOrganization",
        "DescribeOrganizationalUnit",
        "DescribePolicy",
        "DescribeResourcePolicy",
        "DetachPolicy",
        "DisablePolicyType",
        "EnablePolicyType",
        "ListAccounts",
        "ListAccountsForParent",
        "ListAccountsWithInvalidEffectivePolicy",
        "ListAWSServiceAccessForOrganization",
        "ListChildren",
        "ListCreateAccountStatus",
        "ListDelegatedAdministrators",
        "ListDelegatedServicesForAccount",
        "ListEffectivePolicyValidationErrors",
        "ListHandshakesForAccount",
        "ListHandshakesForOrganization",
        "ListOrganizationalUnitsForParent",
        "ListParents",
        "ListPolicies",
        "ListPoliciesForTarget",
        "ListRoots",
        "ListTagsForResource",
        "ListTargetsForPolicy",
        "TagResource",
        "UntagResource",
        "UpdatePolicy",
    )
)
"""What can be delegated (Organizations user guide, "Delegated administrator for AWS Organizations")."""


def kept_policy(call: Call, **_: object) -> Target:
    """The resource policy of the caller's organization, which may have none yet."""
    place = callers.place(call)
    row = organization_resource_policies.of_organization(call.db, place.organization_id)
    if row is None:
        return Target(arns.resource_policy(place, "rp-*"))
    return entities.tagged(call, place, arns.resource_policy(place, row.policy_id), row.policy_id)


@organizations.operation(
    "PutResourcePolicy",
    resource=kept_policy,
    effect=Effect.STATE,
    tagging=Tagging(tagging.ACTION),
    caller=AllowedCaller.MANAGEMENT,
)
def put_resource_policy(call: Call, organization: OrganizationRow, *, content: str, tags: Tags = ()) -> Result:
    """Keep the organization's resource policy in the place of the one it has; tags are for a first one only."""
    content = _bound(call, organization, content)
    row = organization_resource_policies.of_organization(call.db, organization.organization_id)
    if row is None:
        row = _add(call, organization, content, tagging.checked(tags))
    elif tags:
        raise errors.InvalidInputException("You can't add tags to an existing resource policy. Use TagResource instead.")
    else:
        organization_resource_policies.set_document(call.db, organization.organization_id, content, at=call.now)
    return {"ResourcePolicy": _describe(call, organization, row.policy_id, content)}


@organizations.operation("DescribeResourcePolicy", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def describe_resource_policy(call: Call, organization: OrganizationRow) -> Result:
    """Return the organization's resource policy."""
    row = _required(call, organization)
    return {"ResourcePolicy": _describe(call, organization, row.policy_id, row.document)}


@organizations.operation(
    "DeleteResourcePolicy", resource=registry.everything, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT
)
def delete_resource_policy(call: Call, organization: OrganizationRow) -> Result:
    """Delete the organization's resource policy: what it delegated is the management account's alone again."""
    row = _required(call, organization)
    organization_tags.remove_of_entity(call.db, organization.organization_id, row.policy_id)
    organization_resource_policies.remove(call.db, organization.organization_id)
    return NOTHING


def _add(call: Call, organization: OrganizationRow, content: str, tags: Mapping[str, str]) -> ResourcePolicyRow:
    row = ResourcePolicyRow(
        organization_id=organization.organization_id,
        account_id=call.account_id,
        policy_id=ids.organizations_id("rp", clock.token_bytes(_ID_CHANCE), _ID_LENGTH),
        document=content,
        updated_at=call.now,
    )
    organization_resource_policies.add(call.db, row)
    tagging.put(call, organization, row.policy_id, tags)
    return row


def _bound(call: Call, organization: OrganizationRow, content: str) -> str:
    """Hold a document to the grammar of resource policies, its actions to those that can be delegated, and to real members.

    Returns what is to be kept: users and roles by unique id, so that a namesake of one who was deleted can do nothing by it.
    """
    try:
        document = policy.parse(content)
        policy.validate(document, PolicyKind.RESOURCE)
    except MalformedPolicy as fault:
        reason = {"Reason": "INVALID_RESOURCE_POLICY_JSON"}
        raise errors.InvalidInputException(fault.message, members=reason) from fault
    for statement in document.statements:
        if statement.actions is None or not all(_is_delegable(action) for action in statement.actions):
            raise refusals.value("UNSUPPORTED_ACTION_IN_RESOURCE_POLICY")
    if not _names_members_only(call, organization, document):
        raise refusals.value("INVALID_PRINCIPAL")
    try:
        return named_principals.bind(document, lambda principal_arn: trusted_ids.id_of(call.db, principal_arn))
    except MalformedPolicy as fault:
        raise refusals.value("INVALID_PRINCIPAL") from fault


def _is_delegable(pattern: str) -> bool:
    """Tell whether an action, or a pattern of some, names something that can be delegated."""
    return any(globs.meets(pattern.lower(), action) for action in _DELEGABLE)


def _names_members_only(call: Call, organization: OrganizationRow, document: Document) -> bool:
    named = [each for each in (statement.principal for statement in document.statements) if each is not None]
    if any(kind != "AWS" for each in named for kind, _ in each.named):
        return False
    principals = {name for each in named for _, name in each.named if name != "*"}
    accounts = {(parts.account_id if (parts := arn.parse(name)) is not None else name) for name in principals}
    return accounts <= organization_accounts.with_ids(call.db, organization.organization_id, sorted(accounts)).keys()


def _required(call: Call, organization: OrganizationRow) -> ResourcePolicyRow:
    row = organization_resource_policies.of_organization(call.db, organization.organization_id)
    if row is None:
        raise errors.ResourcePolicyNotFound("We can't find a resource policy request with the parameter that you specified.")
    return row


def _describe(call: Call, organization: OrganizationRow, policy_id: str, content: str) -> dict[str, object]:
    arn_of_policy = arns.resource_policy(arns.place_of(organization), policy_id)
    shown = policy.show_principals(content, lambda unique_id: trusted_ids.arn_of(call.db, unique_id))
    return {"ResourcePolicySummary": {"Id": policy_id, "Arn": arn_of_policy}, "Content": shown}
