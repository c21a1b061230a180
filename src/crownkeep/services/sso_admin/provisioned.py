"""Provisioning on request: the roles of a permission set follow what it has become, in one account or in all that have one."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import assignments
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.assignments import requests
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.storage.single_sign_on import permission_sets, provisioned_roles, provisioning_requests
from crownkeep.storage.single_sign_on.provisioned_roles import ProvisionedRoleRow
from crownkeep.storage.single_sign_on.provisioning_requests import ProvisioningRequestRow

_LATEST = "LATEST_PERMISSION_SET_PROVISIONED"


def in_accounts(call: Call, *, instance_arn: str, permission_set_arn: str, target_id: str = "*", **_: object) -> Target:
    """A permission set in one account, or in all."""
    return targets.permission_set_in_account(
        call, instance_arn=instance_arn, permission_set_arn=permission_set_arn, target_id=target_id
    )


def in_account(call: Call, *, instance_arn: str, account_id: str, **_: object) -> Target:
    """An account, and the instance whose roles it has."""
    instance = targets.instance(call, instance_arn=instance_arn)
    return Target(targets.account_arn(account_id), row=instance.row, further=(instance,))


@sso_admin.operation("ProvisionPermissionSet", resource=in_accounts, effect=Effect.STATE)
def provision_permission_set(
    call: Call, *, instance_arn: str, permission_set_arn: str, target_type: str, target_id: str | None = None
) -> Result:
    """Bring a permission set's roles up to date, in the account that is named or in all that have one."""
    instance, permission_set = targets.changeable_permission_set(call, instance_arn, permission_set_arn)
    if (target_type == "AWS_ACCOUNT") != (target_id is not None):
        raise errors.ServiceValidation("TargetId goes with the TargetType AWS_ACCOUNT, and with no other.")
    found = assignments.provision_anew(call, instance, permission_set, target_id)
    return {"PermissionSetProvisioningStatus": _describe(found)}


@sso_admin.operation("DescribePermissionSetProvisioningStatus", resource=targets.instance)
def describe_permission_set_provisioning_status(
    call: Call, *, instance_arn: str, provision_permission_set_request_id: str
) -> Result:
    """Return what came of a request to provision a permission set."""
    instance = targets.organization_instance(call, instance_arn)
    request_id = provision_permission_set_request_id
    found = provisioning_requests.with_id(call.db, instance.instance_id, assignments.PROVISIONING, request_id)
    if found is None:
        raise errors.ResourceNotFound(f"Could not find a request with id {request_id}")
    return {"PermissionSetProvisioningStatus": _describe(found)}


@sso_admin.operation("ListPermissionSetProvisioningStatus", resource=targets.instance)
def list_permission_set_provisioning_status(
    call: Call,
    *,
    instance_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
    filter: Mapping[str, str] | None = None,
) -> Result:
    """List what came of requests to provision permission sets."""
    found, more = requests(call, instance_arn, assignments.PROVISIONING, filter, next_token, max_results)
    shown = [{"Status": row.status, "RequestId": row.request_id, "CreatedDate": row.created_at} for row in found]
    return {"PermissionSetsProvisioningStatus": shown, **more}


@sso_admin.operation("ListAccountsForProvisionedPermissionSet", resource=targets.permission_set)
def list_accounts_for_provisioned_permission_set(
    call: Call,
    *,
    instance_arn: str,
    permission_set_arn: str,
    provisioning_status: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List the accounts that have a role of a permission set, or those whose role follows its latest change, or doesn't."""
    instance, permission_set = targets.required_permission_set(call, instance_arn, permission_set_arn)
    place = (instance.instance_id, permission_set.permission_set_id)
    found, more = next_tokens.page(
        call,
        list_name="ListAccountsForProvisionedPermissionSet",
        filters=(*place, provisioning_status or ""),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: provisioned_roles.page_of_set(call.db, *place, after=after, limit=limit),
        key=lambda row: row.target_id,
    )
    # Left out after the page was cut: it may have fewer rows than were asked for, and its token still leads on.
    chosen = [row for row in found if _is_wanted(row, permission_set.revision, provisioning_status)]
    return {"AccountIds": [row.target_id for row in chosen], **more}


@sso_admin.operation("ListPermissionSetsProvisionedToAccount", resource=in_account)
def list_permission_sets_provisioned_to_account(
    call: Call,
    *,
    instance_arn: str,
    account_id: str,
    provisioning_status: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List the permission sets that have a role in an account."""
    instance = targets.organization_instance(call, instance_arn)
    found, more = next_tokens.page(
        call,
        list_name="ListPermissionSetsProvisionedToAccount",
        filters=(instance.instance_id, account_id, provisioning_status or ""),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: provisioned_roles.page_in(call.db, instance.instance_id, account_id, after=after, limit=limit),
        key=lambda row: row.permission_set_id,
    )
    known = permission_sets.with_ids(call.db, instance.instance_id, [row.permission_set_id for row in found])
    chosen = [row for row in found if _is_wanted(row, known[row.permission_set_id].revision, provisioning_status)]
    shown = [targets.permission_set_arn(instance.instance_id, row.permission_set_id) for row in chosen]
    return {"PermissionSets": shown, **more}


def _is_wanted(row: ProvisionedRoleRow, revision: int, status: str | None) -> bool:
    return status is None or (row.revision == revision) == (status == _LATEST)


def _describe(row: ProvisioningRequestRow) -> dict[str, object]:
    return {
        "Status": row.status,
        "RequestId": row.request_id,
        **({"AccountId": row.target_id} if row.target_id else {}),
        "PermissionSetArn": targets.permission_set_arn(row.instance_id, row.permission_set_id),
        **({"FailureReason": row.failure_reason} if row.failure_reason else {}),
        "CreatedDate": row.created_at,
    }
