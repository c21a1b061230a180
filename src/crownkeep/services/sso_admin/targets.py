"""What calls are about, as policies name it: an instance, a permission set of it, an account; often several of them at once."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import errors
from crownkeep.domain.single_sign_on import assignments, instances
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.single_sign_on import permission_sets, sso_tags
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow

_PERMISSION_SETS = "arn:aws:sso:::permissionSet/"
PRIMARY_REGION = "sso:PrimaryRegion"


def permission_set_arn(instance_id: str, permission_set_id: str) -> str:
    """Return a permission set's ARN."""
    return f"{_PERMISSION_SETS}{instance_id}/{permission_set_id}"


def account_arn(account_id: str) -> str:
    """Return the ARN by which the service's policies name an account."""
    return f"arn:aws:sso:::account/{account_id}"


# What an action is done to.


def instance(call: Call, *, instance_arn: str, **_: object) -> Target:
    """The instance with this ARN."""
    row = instances.visible(call, instance_arn)
    if row is None:
        return Target(instance_arn)
    context = {PRIMARY_REGION: row.region}
    tags = lambda: sso_tags.of_resource(call.db, row.instance_id)  # noqa: E731 - read only when a policy asks
    return Target(instances.arn_of(row.instance_id), tags=tags, context=context, account_id=row.account_id)


def permission_set(call: Call, *, instance_arn: str, permission_set_arn: str, **_: object) -> Target:
    """A permission set, and the instance that it is of."""
    return replace(of_permission_set(call, permission_set_arn), further=(instance(call, instance_arn=instance_arn),))


def permission_set_in_account(call: Call, *, instance_arn: str, permission_set_arn: str, target_id: str, **_: object) -> Target:
    """A permission set in an account, and the instance that it is of."""
    found = permission_set(call, instance_arn=instance_arn, permission_set_arn=permission_set_arn)
    return replace(found, further=(*found.further, Target(account_arn(target_id))))


def of_permission_set(call: Call, arn: str) -> Target:
    """Return a permission set alone."""
    instance_id, _, permission_set_id = arn.removeprefix(_PERMISSION_SETS).partition("/")
    row = instances.visible(call, instances.arn_of(instance_id))
    if row is None:
        return Target(arn)
    resource_id = f"{row.instance_id}/{permission_set_id}"
    tags = lambda: sso_tags.of_resource(call.db, resource_id)  # noqa: E731 - read only when a policy asks
    return Target(arn, tags=tags, context={PRIMARY_REGION: row.region}, account_id=row.account_id)


# The same for handlers.


def required_instance(call: Call, instance_arn: str) -> InstanceRow:
    """Return the instance with this ARN; raises AccessDenied where the caller's account doesn't administer one."""
    row = instances.visible(call, instance_arn)
    if row is None:
        raise errors.AccessDenied(f"No instance {instance_arn} is administered by this account.")
    return row


def organization_instance(call: Call, instance_arn: str) -> InstanceRow:
    """Return an instance that has permission sets; raises ValidationException for an account's, which has none."""
    row = required_instance(call, instance_arn)
    if not row.permission_sets_enabled:
        raise errors.ServiceValidation("Permission sets are not supported by an account instance of IAM Identity Center.")
    return row


def changeable_permission_set(call: Call, instance_arn: str, permission_set_arn: str) -> tuple[InstanceRow, PermissionSetRow]:
    """Return the same for a change; raises AccessDenied where a delegated administrator reaches for the management account's."""
    found = required_permission_set(call, instance_arn, permission_set_arn)
    assignments.require_permission_set_within_reach(call, found[1])
    return found


def required_permission_set(call: Call, instance_arn: str, permission_set_arn: str) -> tuple[InstanceRow, PermissionSetRow]:
    """Return a permission set and its instance; raises ResourceNotFoundException where that has none with this ARN."""
    found = organization_instance(call, instance_arn)
    instance_id, _, permission_set_id = permission_set_arn.removeprefix(_PERMISSION_SETS).partition("/")
    row = permission_sets.with_id(call.db, found.instance_id, permission_set_id) if instance_id == found.instance_id else None
    if row is None:
        raise errors.ResourceNotFound(f"Could not find PermissionSet with id {permission_set_id}")
    return found, row
