"""Tags of instances and permission sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.services.sso_admin.targets import InInstance
from crownkeep.storage.single_sign_on import sso_tags
from crownkeep.storage.single_sign_on.instances import InstanceRow

Tags = Sequence[Mapping[str, str]]
ACTION = "sso:TagResource"
MOST = 50
_RESERVED = "aws:"
_PERMISSION_SET = ":permissionSet/"


def resource(call: Call, *, resource_arn: str, **_: object) -> Target:
    """The instance or permission set with this ARN."""
    if _PERMISSION_SET in resource_arn:
        return targets.of_permission_set(call, resource_arn)
    return targets.instance(call, instance_arn=resource_arn)


@sso_admin.operation("TagResource", resource=resource, effect=Effect.STATE)
def tag_resource(call: Call, *, resource_arn: str, tags: Tags, instance_arn: str | None = None) -> Result:
    """Add tags to an instance or permission set, or change them."""
    instance, resource_id = _required(call, resource_arn, instance_arn)
    wanted = checked(tags)
    before = {key.lower() for key in sso_tags.of_resource(call.db, resource_id)}
    if len(before | {key.lower() for key in wanted}) > MOST:
        raise errors.ServiceQuotaExceeded(f"A resource can have {MOST} tags.")
    sso_tags.put(call.db, instance.account_id, resource_id, wanted)
    return NOTHING


@sso_admin.operation("UntagResource", resource=resource, effect=Effect.STATE)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str], instance_arn: str | None = None) -> Result:
    """Take tags from an instance or permission set; a key that names none is no error."""
    _, resource_id = _required(call, resource_arn, instance_arn)
    sso_tags.remove(call.db, resource_id, tag_keys)
    return NOTHING


@sso_admin.operation("ListTagsForResource", resource=resource)
def list_tags_for_resource(
    call: Call, *, resource_arn: str, instance_arn: str | None = None, next_token: str | None = None
) -> Result:
    """List a resource's tags by key."""
    _, resource_id = _required(call, resource_arn, instance_arn)
    found = sorted(sso_tags.of_resource(call.db, resource_id).items())
    listed, more = next_tokens.page(
        call,
        list_name="ListTagsForResource",
        filters=(resource_id,),
        next_token=next_token,
        max_results=None,
        fetch=lambda after, limit: [tag for tag in found if tag[0] > after][:limit],
        key=lambda tag: tag[0],
    )
    return {"Tags": [{"Key": key, "Value": value} for key, value in listed], **more}


def checked(sent: Tags) -> dict[str, str]:
    """Return the tags of a request by key; raises ValidationException for a key that comes twice, or is AWS's own.

    A key comes twice where it differs in case alone: conditions ask for keys without regard to it, and see one of them.
    """
    wanted = {tag["Key"]: tag["Value"] for tag in sent}
    if len({key.lower() for key in wanted}) != len(sent):
        raise errors.ServiceValidation("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith(_RESERVED) for key in wanted):
        raise errors.ServiceValidation("Tag keys can't begin with aws:, which is reserved.")
    if len(wanted) > MOST:
        raise errors.ServiceQuotaExceeded(f"A resource can have {MOST} tags.")
    return wanted


def _required(call: Call, resource_arn: str, instance_arn: str | None) -> tuple[InstanceRow, str]:
    """Return the instance of a resource and the id of the resource's tags."""
    if _PERMISSION_SET in resource_arn:
        found = call.target_row(InInstance)
        row, permission_set = (found.instance, found.permission_set) if found else (None, None)
    else:
        row, permission_set = call.target_row(InstanceRow), None
    if row is None:
        raise errors.AccessDenied(f"No instance that {resource_arn} is of is administered by this account.")
    if instance_arn is not None and instance_arn != instances.arn_of(row.instance_id):
        raise errors.ServiceValidation("ResourceArn is not of the instance that InstanceArn names.")
    if _PERMISSION_SET not in resource_arn:
        return row, row.instance_id
    if permission_set is None:
        raise errors.ResourceNotFound(f"Could not find the resource {resource_arn}")
    return row, f"{row.instance_id}/{permission_set.permission_set_id}"
