"""Service-linked roles: made on a service's behalf as the service defines them, changed by nobody, deleted by a task."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from crownkeep import arn, clock, errors
from crownkeep.catalogue import service_linked_roles
from crownkeep.catalogue.service_linked_roles import ServiceLinkedRole
from crownkeep.domain.identities import linked_roles
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import roles
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import role_deletions, tags
from crownkeep.storage.identities import roles as role_rows
from crownkeep.storage.identities.role_deletions import RoleDeletionRow
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.policies import attachments
from crownkeep.storage.reports import service_uses

_LONGEST_NAME = 64
_TASKS_KEPT = timedelta(days=30)
"""How long it can be asked what became of a deletion."""


def new_service_linked_role(call: Call, *, aws_service_name: str, custom_suffix: str | None = None, **_: object) -> Target:
    """The role to be made, and for which service (iam:AWSServiceName)."""
    linked = service_linked_roles.of_service(aws_service_name)
    # An unknown service is decided on as well, so that its refusal comes only after the caller was allowed to ask.
    name = _name(linked, custom_suffix) if linked is not None else "*"
    path = linked.path if linked is not None else f"{service_linked_roles.POLICY_PATH}{aws_service_name}/"
    return Target(arn.role(call.account_id, path, name), context={"iam:AWSServiceName": aws_service_name})


def deleted_role(call: Call, *, deletion_task_id: str, **_: object) -> Target:
    """The role that a deletion task is, or was, about."""
    row = role_deletions.with_id(call.db, call.account_id, deletion_task_id)
    # The role itself is gone by then; the task has kept its ARN for this decision.
    role_arn = row.role_arn if row is not None else arn.role(call.account_id, service_linked_roles.POLICY_PATH, "*")
    return Target(role_arn, row=row)


@iam.operation("CreateServiceLinkedRole", resource=new_service_linked_role, effect=Effect.STATE)
def create_service_linked_role(
    call: Call, *, aws_service_name: str, description: str | None = None, custom_suffix: str | None = None
) -> Result:
    """Make the role that a service is linked with; its name, permissions and trust are the service's to choose."""
    linked = service_linked_roles.of_service(aws_service_name)
    if linked is None:
        raise errors.InvalidInput(f"Invalid AWS service name: {aws_service_name}")
    if custom_suffix is not None and not linked.takes_suffix:
        raise errors.InvalidInput(f"Custom suffix is not allowed for {aws_service_name}")
    name = _name(linked, custom_suffix)
    # A suffix that fits by itself can still make the whole name too long.
    if len(name) > _LONGEST_NAME:
        raise errors.InvalidInput(f"Service role name {name} exceeds the maximum length of {_LONGEST_NAME} characters.")
    if role_rows.named(call.db, call.account_id, name) is not None:
        raise errors.InvalidInput(f"Service role name {name} has been taken in this account, please try a different suffix.")
    quotas.require_room(call, role_rows.count(call.db, call.account_id), quotas.ROLES, name="RolesPerAccount")
    row = linked_roles.add(call, call.account_id, linked, name=name, description=description or None)
    roles.note(call, row)
    shown: dict[str, object] = {"Description": row.description} if row.description else {}
    return {"Role": {**roles.describe_alone(call, row), **shown}}


@iam.operation("DeleteServiceLinkedRole", resource=roles.named_role)
def delete_service_linked_role(call: Call, *, role_name: str) -> Result:
    """Delete a service-linked role and return the task that says so.

    The task is done at once: no service here holds on to a role.
    """
    row = call.target_row(RoleRow)
    # An ordinary role is deleted with DeleteRole, which looks at what it holds. This operation would not.
    if row is None or not row.path.startswith(service_linked_roles.POLICY_PATH):
        raise roles.not_found(role_name)
    place = (call.db, call.account_id, row.role_id)
    # The service's own policy is attached to it, which nobody could detach beforehand.
    for attached in attachments.of_owner(*place):
        attachments.remove(*place, attached.policy_arn)
    tags.remove_all(*place)
    service_uses.remove_all(*place)
    role_rows.remove(*place)
    task_id = f"task{row.path}{row.name}/{UUID(bytes=clock.token_bytes(16), version=4)}"
    # Old tasks go whenever a new one is made; no worker is needed for a few rows.
    role_deletions.remove_before(call.db, call.account_id, call.now - _TASKS_KEPT)
    role_arn = arn.role(row.account_id, row.path, row.name)
    role_deletions.add(call.db, RoleDeletionRow(call.account_id, task_id, role_arn, "SUCCEEDED", call.now))
    roles.note(call, row)
    return {"DeletionTaskId": task_id}


@iam.operation("GetServiceLinkedRoleDeletionStatus", resource=deleted_role)
def get_service_linked_role_deletion_status(call: Call, *, deletion_task_id: str) -> Result:
    """Return what became of a deletion task."""
    row = call.target_row(RoleDeletionRow)
    if row is None:
        raise errors.NoSuchEntity(f"Deletion id {deletion_task_id} cannot be found.")
    return {"Status": row.status}


def _name(linked: ServiceLinkedRole, suffix: str | None) -> str:
    return linked.role_name if suffix is None else f"{linked.role_name}_{suffix}"
