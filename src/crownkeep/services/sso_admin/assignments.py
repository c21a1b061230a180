"""Account assignments: a person or group may take a permission set in an account; done, or found impossible, at once."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import assignments
from crownkeep.domain.single_sign_on.assignments import Wanted
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.storage.single_sign_on import account_assignments, directory_memberships, provisioning_requests
from crownkeep.storage.single_sign_on.account_assignments import AssignmentRow
from crownkeep.storage.single_sign_on.provisioning_requests import ProvisioningRequestRow


def in_account(call: Call, *, instance_arn: str, permission_set_arn: str, account_id: str, **_: object) -> Target:
    """A permission set in an account, and the instance that it is of."""
    return targets.permission_set_in_account(
        call, instance_arn=instance_arn, permission_set_arn=permission_set_arn, target_id=account_id
    )


@sso_admin.operation("CreateAccountAssignment", resource=targets.permission_set_in_account, effect=Effect.STATE)
def create_account_assignment(
    call: Call,
    *,
    instance_arn: str,
    target_id: str,
    target_type: str,
    permission_set_arn: str,
    principal_type: str,
    principal_id: str,
) -> Result:
    """Let a person or group take a permission set in an account, where its role is made if this is the first assignment."""
    instance, permission_set = targets.required_permission_set(call, instance_arn, permission_set_arn)
    # AWS answers with a request that is in progress. Here all is done at once, and the answer says what came of it.
    wanted = Wanted(instance, permission_set, target_id, principal_type, principal_id)
    return {"AccountAssignmentCreationStatus": _describe(assignments.create(call, wanted))}


@sso_admin.operation("DeleteAccountAssignment", resource=targets.permission_set_in_account, effect=Effect.STATE)
def delete_account_assignment(
    call: Call,
    *,
    instance_arn: str,
    target_id: str,
    target_type: str,
    permission_set_arn: str,
    principal_type: str,
    principal_id: str,
) -> Result:
    """End an assignment; with the last one of a permission set in an account its role goes, and every session of it ends."""
    instance, permission_set = targets.required_permission_set(call, instance_arn, permission_set_arn)
    wanted = Wanted(instance, permission_set, target_id, principal_type, principal_id)
    return {"AccountAssignmentDeletionStatus": _describe(assignments.delete(call, wanted))}


@sso_admin.operation("ListAccountAssignments", resource=in_account)
def list_account_assignments(
    call: Call,
    *,
    instance_arn: str,
    account_id: str,
    permission_set_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List who may take a permission set in an account."""
    instance, permission_set = targets.required_permission_set(call, instance_arn, permission_set_arn)
    found, more = next_tokens.page(
        call,
        list_name="ListAccountAssignments",
        filters=(instance.instance_id, account_id, permission_set.permission_set_id),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: account_assignments.page_at(
            call.db,
            instance.instance_id,
            target_id=account_id,
            permission_set_id=permission_set.permission_set_id,
            after=after,
            limit=limit,
        ),
        key=lambda row: row.principal_id,
    )
    return {"AccountAssignments": [_assignment(row) for row in found], **more}


@sso_admin.operation("ListAccountAssignmentsForPrincipal", resource=targets.instance)
def list_account_assignments_for_principal(
    call: Call,
    *,
    instance_arn: str,
    principal_id: str,
    principal_type: str,
    filter: Mapping[str, str] | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List what a person may take, by assignments of its own and of its groups, or what a group may take."""
    instance = targets.organization_instance(call, instance_arn)
    principals = [principal_id]
    # The groups are read anew for each page, so a page shows what counts now.
    if principal_type == "USER":
        principals += directory_memberships.groups_of(call.db, instance.identity_store_id, principal_id)
    account_id = (filter or {}).get("AccountId", "")
    found, more = next_tokens.page(
        call,
        list_name="ListAccountAssignmentsForPrincipal",
        filters=(instance.instance_id, principal_id, account_id),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: _of(call, instance.instance_id, principals, account_id, after, limit),
        key=_key,
    )
    return {"AccountAssignments": [_assignment(row) for row in found], **more}


@sso_admin.operation("DescribeAccountAssignmentCreationStatus", resource=targets.instance)
def describe_account_assignment_creation_status(
    call: Call, *, instance_arn: str, account_assignment_creation_request_id: str
) -> Result:
    """Return what came of a request to make an assignment."""
    found = _request(call, instance_arn, assignments.CREATION, account_assignment_creation_request_id)
    return {"AccountAssignmentCreationStatus": _describe(found)}


@sso_admin.operation("DescribeAccountAssignmentDeletionStatus", resource=targets.instance)
def describe_account_assignment_deletion_status(
    call: Call, *, instance_arn: str, account_assignment_deletion_request_id: str
) -> Result:
    """Return what came of a request to end an assignment."""
    found = _request(call, instance_arn, assignments.DELETION, account_assignment_deletion_request_id)
    return {"AccountAssignmentDeletionStatus": _describe(found)}


@sso_admin.operation("ListAccountAssignmentCreationStatus", resource=targets.instance)
def list_account_assignment_creation_status(
    call: Call,
    *,
    instance_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
    filter: Mapping[str, str] | None = None,
) -> Result:
    """List what came of requests to make assignments."""
    found, more = requests(call, instance_arn, assignments.CREATION, filter, next_token, max_results)
    return {"AccountAssignmentsCreationStatus": [_describe_short(row) for row in found], **more}


@sso_admin.operation("ListAccountAssignmentDeletionStatus", resource=targets.instance)
def list_account_assignment_deletion_status(
    call: Call,
    *,
    instance_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
    filter: Mapping[str, str] | None = None,
) -> Result:
    """List what came of requests to end assignments."""
    found, more = requests(call, instance_arn, assignments.DELETION, filter, next_token, max_results)
    return {"AccountAssignmentsDeletionStatus": [_describe_short(row) for row in found], **more}


def requests(
    call: Call,
    instance_arn: str,
    kind: str,
    chosen: Mapping[str, str] | None,
    next_token: str | None,
    max_results: int | None,
) -> tuple[list[ProvisioningRequestRow], dict[str, object]]:
    """Return one page of an instance's requests of a kind."""
    instance = targets.organization_instance(call, instance_arn)
    status = (chosen or {}).get("Status")
    found, more = next_tokens.page(
        call,
        list_name=kind,
        filters=(instance.instance_id, status or ""),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: provisioning_requests.page(
            call.db, instance.instance_id, kind, status=status, after=after, limit=limit
        ),
        key=lambda row: row.request_id,
    )
    return list(found), more


def _of(call: Call, instance_id: str, principals: list[str], account_id: str, after: str, limit: int) -> list[AssignmentRow]:
    # The position in the list is the whole key, for no part of it is unique by itself.
    target, permission_set, principal = after.split(" ") if after else ("", "", "")
    if not account_id:
        return account_assignments.page_of(
            call.db, instance_id, principals, after=(target, permission_set, principal), limit=limit
        )
    # Of one account: begin right before it, and end with it.
    place = (target, permission_set, principal) if after else (account_id, "", "")
    rows = account_assignments.page_of(call.db, instance_id, principals, after=place, limit=limit)
    return [row for row in rows if row.target_id == account_id]


def _key(row: AssignmentRow) -> str:
    return f"{row.target_id} {row.permission_set_id} {row.principal_id}"


def _request(call: Call, instance_arn: str, kind: str, request_id: str) -> ProvisioningRequestRow:
    instance = targets.organization_instance(call, instance_arn)
    # Requests to make and to end assignments are told apart, so one can't be asked for as the other.
    found = provisioning_requests.with_id(call.db, instance.instance_id, kind, request_id)
    if found is None:
        raise errors.ResourceNotFound(f"Could not find a request with id {request_id}")
    return found


def _assignment(row: AssignmentRow) -> dict[str, object]:
    return {
        "AccountId": row.target_id,
        "PermissionSetArn": targets.permission_set_arn(row.instance_id, row.permission_set_id),
        "PrincipalType": row.principal_type,
        "PrincipalId": row.principal_id,
    }


def _describe_short(row: ProvisioningRequestRow) -> dict[str, object]:
    return {"Status": row.status, "RequestId": row.request_id, "CreatedDate": row.created_at}


def _describe(row: ProvisioningRequestRow) -> dict[str, object]:
    return {
        **_describe_short(row),
        **({"FailureReason": row.failure_reason} if row.failure_reason else {}),
        "TargetId": row.target_id,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": targets.permission_set_arn(row.instance_id, row.permission_set_id),
        "PrincipalType": row.principal_type,
        "PrincipalId": row.principal_id,
    }
