"""Permission sets: named sets of policies that become a role in each account where somebody may take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import clock, errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import instances, provisioning
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.sso_admin import tags as tagging
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.storage.single_sign_on import (
    account_assignments,
    permission_set_policies,
    permission_sets,
    provisioned_roles,
    sso_tags,
)
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow

MOST = 2_000
_SHORTEST_SECONDS, _LONGEST_SECONDS = 3_600, 12 * 3_600
_USUAL_DURATION = "PT1H"


def new_permission_set(call: Call, *, instance_arn: str, **_: object) -> Target:
    """The permission set to be made, and the instance."""
    found = targets.instance(call, instance_arn=instance_arn)
    arn = targets.permission_set_arn(instances.id_in(instance_arn), "*")
    return Target(arn, context=found.context, row=found.row, further=(found,))


@sso_admin.operation(
    "CreatePermissionSet", resource=new_permission_set, effect=Effect.STATE, tagging=Tagging(tagging.ACTION, new_permission_set)
)
def create_permission_set(
    call: Call,
    *,
    instance_arn: str,
    name: str,
    description: str | None = None,
    session_duration: str = _USUAL_DURATION,
    relay_state: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> Result:
    """Make a permission set that allows nothing yet."""
    instance = targets.organization_instance(call, instance_arn)
    wanted = tagging.checked(tags)
    _require_duration(session_duration)
    if permission_sets.named(call.db, instance.instance_id, name) is not None:
        raise errors.Conflict(f"PermissionSet with name {name} already exists.")
    # Counted after the name is looked up, so that a name that is taken is named as the reason.
    if permission_sets.count(call.db, instance.instance_id) >= MOST:
        raise errors.ServiceQuotaExceeded(f"You have exceeded AWS SSO limits. Cannot create PermissionSet more than {MOST}.")
    row = PermissionSetRow(
        instance_id=instance.instance_id,
        permission_set_id=f"ps-{clock.token_bytes(8).hex()}",
        account_id=instance.account_id,
        name=name,
        name_key=name.lower(),
        description=description,
        session_duration=session_duration,
        relay_state=relay_state,
        inline_policy=None,
        boundary=None,
        revision=1,
        created_at=call.now,
    )
    permission_sets.add(call.db, row)
    sso_tags.put(call.db, instance.account_id, f"{row.instance_id}/{row.permission_set_id}", wanted)
    return {"PermissionSet": _describe(row)}


@sso_admin.operation("DescribePermissionSet", resource=targets.permission_set)
def describe_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str) -> Result:
    """Return a permission set without its policies."""
    _, row = targets.required_permission_set(call, instance_arn, permission_set_arn)
    return {"PermissionSet": _describe(row)}


@sso_admin.operation("ListPermissionSets", resource=targets.instance)
def list_permission_sets(
    call: Call, *, instance_arn: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List the ARNs of an instance's permission sets."""
    instance = targets.organization_instance(call, instance_arn)
    found, more = next_tokens.page(
        call,
        list_name="ListPermissionSets",
        filters=(instance.instance_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: permission_sets.page(call.db, instance.instance_id, after=after, limit=limit),
        key=lambda row: row.permission_set_id,
    )
    return {"PermissionSets": [_arn(row) for row in found], **more}


@sso_admin.operation("UpdatePermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def update_permission_set(
    call: Call,
    *,
    instance_arn: str,
    permission_set_arn: str,
    description: str | None = None,
    session_duration: str | None = None,
    relay_state: str | None = None,
) -> Result:
    """Change what is said; roles follow when the permission set is provisioned anew."""
    _, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    if session_duration is not None:
        _require_duration(session_duration)
    # An empty text removes a description; only what is missing stays as it was.
    after = replace(
        row,
        description=row.description if description is None else description,
        session_duration=session_duration or row.session_duration,
        relay_state=row.relay_state if relay_state is None else relay_state,
    )
    permission_sets.change(call.db, after)
    return NOTHING


@sso_admin.operation("DeletePermissionSet", resource=targets.permission_set, effect=Effect.STATE)
def delete_permission_set(call: Call, *, instance_arn: str, permission_set_arn: str) -> Result:
    """Delete a permission set that nobody is assigned to any more."""
    instance, row = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    place = (call.db, instance.instance_id, row.permission_set_id)
    # A role without an assignment would be left behind with nobody to withdraw it.
    if account_assignments.is_used(*place) or provisioned_roles.page_of_set(*place, after="", limit=1):
        raise errors.Conflict(f"PermissionSet with id {row.permission_set_id} has assignments: delete them first.")
    permission_set_policies.remove_all(*place)
    sso_tags.remove_all(call.db, f"{instance.instance_id}/{row.permission_set_id}")
    permission_sets.remove(*place)
    return NOTHING


def _require_duration(text: str) -> None:
    try:
        seconds = provisioning.seconds_of(text)
    except ValueError as error:
        raise errors.ServiceValidation(f"SessionDuration: {error}.") from error
    # The model's pattern lets through durations that AWS refuses.
    if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
        raise errors.ServiceValidation("SessionDuration must be between PT1H and PT12H.")


def _arn(row: PermissionSetRow) -> str:
    return targets.permission_set_arn(row.instance_id, row.permission_set_id)


def _describe(row: PermissionSetRow) -> dict[str, object]:
    shown = {"Description": row.description, "RelayState": row.relay_state}
    return {
        "Name": row.name,
        "PermissionSetArn": _arn(row),
        **{name: value for name, value in shown.items() if value is not None},
        "CreatedDate": row.created_at,
        "SessionDuration": row.session_duration,
    }
