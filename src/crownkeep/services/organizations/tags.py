"""Tags of accounts, units, the root, policies and the resource policy; keys are the same in whatever case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.organizations import arns, callers, entities, next_tokens, policies, quotas, refusals
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import organization_policies, organization_resource_policies, organization_tags
from crownkeep.storage.organizations.organizations import OrganizationRow

Tags = Sequence[Mapping[str, str]]
ACTION = "organizations:TagResource"
"""What tags ask for, also where they come with something new."""
_RESERVED = "aws:"


def resource(call: Call, *, resource_id: str, **_: object) -> Target:
    """Whatever has this id: the first letters say what it is."""
    if resource_id.startswith("p-"):
        return policies.policy(call, policy_id=resource_id)
    place = callers.place(call)
    if resource_id.startswith("rp-"):
        return entities.tagged(call, place, arns.resource_policy(place, resource_id), resource_id)
    if resource_id.isdecimal():
        return entities.account(call, account_id=resource_id)
    return entities.parent(call, parent_id=resource_id)


@organizations.operation("TagResource", resource=resource, effect=Effect.STATE, caller=AllowedCaller.DELEGATE)
def tag_resource(call: Call, organization: OrganizationRow, *, resource_id: str, tags: Tags) -> Result:
    """Add tags to a resource, or change them."""
    _require(call, organization, resource_id)
    put(call, organization, resource_id, checked(tags))
    return NOTHING


@organizations.operation("UntagResource", resource=resource, effect=Effect.STATE, caller=AllowedCaller.DELEGATE)
def untag_resource(call: Call, organization: OrganizationRow, *, resource_id: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a resource; a key that names none is no error."""
    _require(call, organization, resource_id)
    _refuse_reserved(tag_keys)
    organization_tags.remove(call.db, organization.organization_id, resource_id, tag_keys)
    return NOTHING


@organizations.operation("ListTagsForResource", resource=resource, caller=AllowedCaller.ADMINISTRATOR)
def list_tags_for_resource(
    call: Call, organization: OrganizationRow, *, resource_id: str, next_token: str | None = None
) -> Result:
    """List a resource's tags by key."""
    _require(call, organization, resource_id)
    found, more = next_tokens.page(
        call,
        list_name="ListTagsForResource",
        filters=(resource_id,),
        next_token=next_token,
        max_results=quotas.TAGS,
        fetch=lambda after, limit: organization_tags.page(
            call.db, organization.organization_id, resource_id, after=after, limit=limit
        ),
        key=lambda tag: tag[0],
    )
    return {"Tags": [{"Key": key, "Value": text} for key, text in found], **more}


def checked(sent: Tags) -> dict[str, str]:
    """Return the tags of a request by key; raises InvalidInputException for a key that comes twice or is AWS's own.

    A key comes twice where it differs in case alone: conditions ask for keys without regard to it, and see one of them.
    """
    wanted = {tag["Key"]: tag["Value"] for tag in sent}
    if len({key.lower() for key in wanted}) != len(sent):
        raise refusals.value("DUPLICATE_TAG_KEY")
    _refuse_reserved(wanted)
    if len(wanted) > quotas.TAGS:
        raise refusals.constraint("MAX_TAG_LIMIT_EXCEEDED")
    return wanted


def put(call: Call, organization: OrganizationRow, entity_id: str, wanted: Mapping[str, str]) -> None:
    """Tag something in an organization; raises ConstraintViolationException beyond the quota."""
    place = (call.db, organization.organization_id)
    before = {key.lower() for key in organization_tags.of_entity(*place, entity_id)}
    if len(before | {key.lower() for key in wanted}) > quotas.TAGS:
        raise refusals.constraint("MAX_TAG_LIMIT_EXCEEDED")
    organization_tags.put(*place, organization.management_account_id, entity_id, wanted)


def _refuse_reserved(keys: Sequence[str] | Mapping[str, str]) -> None:
    if any(key.lower().startswith(_RESERVED) for key in keys):
        raise refusals.value("INVALID_SYSTEM_TAGS_PARAMETER")


def _require(call: Call, organization: OrganizationRow, resource_id: str) -> None:
    """Raise TargetNotFoundException unless the organization has something with this id that can be tagged."""
    place = (call.db, organization.organization_id)
    if resource_id.startswith("p-"):
        is_there = organization_policies.with_id(*place, resource_id) is not None
    elif resource_id.startswith("rp-"):
        row = organization_resource_policies.of_organization(*place)
        is_there = row is not None and row.policy_id == resource_id
    else:
        entities.require_target(call, organization, resource_id)
        return
    if not is_there:
        raise errors.TargetNotFound("You specified a target that doesn't exist.")
