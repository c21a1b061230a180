"""What calls are about, as policies name it: an instance, a permission set of it, an account; often several of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crownkeep import errors
from crownkeep.domain.single_sign_on import assignments, instances
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.single_sign_on import permission_sets, sso_tags
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow

_PERMISSION_SETS = "arn:aws:sso:::permissionSet/"
PRIMARY_REGION = "sso:PrimaryRegion"


@dataclass(frozen=True, slots=True)
class InInstance:
    """An instance that the caller administers, and the permission set that was named in it, where there is one."""

    instance: InstanceRow
    permission_set: PermissionSetRow | None


def permission_set_arn(instance_id: str, permission_set_id: str) -> str:
    """Return a permission set's ARN."""
    return f"{_PERMISSION_SETS}{instance_id}/{permission_set_id}"


def account_arn(account_id: str) -> str:
    """Return the ARN by which the service's policies name an account."""
    return f"arn:aws:sso:::account/{account_id}"


# What an action is done to.


def instance(call: Call, *, instance_arn: str, **_: object) -> Target:
    """The instance with this ARN."""
    return _of_instance(call, instances.visible(call, instance_arn), instance_arn)


def permission_set(call: Call, *, instance_arn: str, permission_set_arn: str, **_: object) -> Target:
    """A permission set, and the instance that it is of."""
    row = instances.visible(call, instance_arn)
    found = _of_permission_set(call, row, permission_set_arn)
    return replace(found, further=(_of_instance(call, row, instance_arn),))


def permission_set_in_account(call: Call, *, instance_arn: str, permission_set_arn: str, target_id: str, **_: object) -> Target:
    """A permission set in an account, and the instance that it is of."""
    found = permission_set(call, instance_arn=instance_arn, permission_set_arn=permission_set_arn)
    return replace(found, further=(*found.further, Target(account_arn(target_id))))


def of_permission_set(call: Call, arn: str) -> Target:
    """Return a permission set alone."""
    instance_id, _ = ids_in(arn)
    return _of_permission_set(call, instances.visible(call, instances.arn_of(instance_id)), arn)


def ids_in(permission_set_arn: str) -> tuple[str, str]:
    """Return the ids of the instance and of the permission set in an ARN, which the model has checked."""
    instance_id, _, permission_set_id = permission_set_arn.removeprefix(_PERMISSION_SETS).partition("/")
    return instance_id, permission_set_id


def _of_instance(call: Call, row: InstanceRow | None, arn: str) -> Target:
    if row is None:
        return Target(arn, row=None)
    context = {PRIMARY_REGION: row.region}
    tags = lambda: sso_tags.of_resource(call.db, row.instance_id)  # noqa: E731 - read only when a policy asks
    return Target(instances.arn_of(row.instance_id), tags=tags, context=context, account_id=row.account_id, row=row)


def _of_permission_set(call: Call, row: InstanceRow | None, arn: str) -> Target:
    if row is None:
        return Target(arn, row=None)
    instance_id, permission_set_id = ids_in(arn)
    named = permission_sets.with_id(call.db, row.instance_id, permission_set_id) if instance_id == row.instance_id else None
    tags = lambda: sso_tags.of_resource(call.db, f"{row.instance_id}/{permission_set_id}")  # noqa: E731 - as above
    found = InInstance(row, named)
    return Target(arn, tags=tags, context={PRIMARY_REGION: row.region}, account_id=row.account_id, row=found)


# The same for handlers.


def required_instance(call: Call, instance_arn: str) -> InstanceRow:
    """Return the instance with this ARN; raises AccessDenied where the caller's account doesn't administer one."""
    return _administered(call.target_row(InstanceRow), instance_arn)


def organization_instance(call: Call, instance_arn: str) -> InstanceRow:
    """Return an instance that has permission sets; raises ValidationException for an account's, which has none."""
    return _with_permission_sets(required_instance(call, instance_arn))


def _administered(row: InstanceRow | None, instance_arn: str) -> InstanceRow:
    if row is None:
        raise errors.AccessDenied(f"No instance {instance_arn} is administered by this account.")
    return row


def _with_permission_sets(row: InstanceRow) -> InstanceRow:
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
    found = call.target_row(InInstance)
    row = _with_permission_sets(_administered(found.instance if found else None, instance_arn))
    if found is None or found.permission_set is None:
        raise errors.ResourceNotFound(f"Could not find PermissionSet with id {ids_in(permission_set_arn)[1]}")
    return row, found.permission_set
