"""Assignments made and ended, each with what it takes: the role that is provisioned, and a note of what came of the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from crownkeep import errors
from crownkeep.domain.single_sign_on import access_applications, instances, leaving, provisioning
from crownkeep.domain.single_sign_on.provisioning import Unprovisionable
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import accounts
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.single_sign_on import (
    account_assignments,
    directory_groups,
    directory_memberships,
    directory_users,
    permission_set_policies,
    permission_sets,
    provisioned_roles,
    provisioning_requests,
    role_entitlements,
    scim_tokens,
    sso_tags,
)
from crownkeep.storage.single_sign_on import instances as instance_rows
from crownkeep.storage.single_sign_on.account_assignments import AssignmentRow
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow
from crownkeep.storage.single_sign_on.provisioned_roles import ProvisionedRoleRow
from crownkeep.storage.single_sign_on.provisioning_requests import ProvisioningRequestRow

CREATION, DELETION, PROVISIONING = "creation", "deletion", "provisioning"
KEPT = timedelta(days=30)
"""How long it can be asked what came of a request."""
_SUCCEEDED, _FAILED = "SUCCEEDED", "FAILED"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """One assignment as a call names it."""

    instance: InstanceRow
    permission_set: PermissionSetRow
    target_id: str
    principal_type: str
    principal_id: str

    @property
    def place(self) -> dict[str, str]:
        """What names the assignment within the instance."""
        return {
            "target_id": self.target_id,
            "permission_set_id": self.permission_set.permission_set_id,
            "principal_id": self.principal_id,
        }


def hold(call: Call, instance: InstanceRow) -> None:
    """Hold an instance to the transaction's end: what its owner and a delegated administrator change at once comes one by one.

    Otherwise an assignment could be made while the role that it needs goes with what was the last one.
    """
    # The owner's row stands for the instance, since both accounts that may change it can find it.
    accounts.hold(call.db, instance.account_id)


def create(call: Call, wanted: Wanted) -> ProvisioningRequestRow:
    """Make an assignment and its role; once more is no error. Return what came of it, with the reason where it can't be.

    Raises AccessDenied where a delegated administrator reaches for the management account.
    """
    # Refused as a call. All that comes later is told as what came of the request, as AWS does.
    _require_within_reach(call, wanted)
    hold(call, wanted.instance)
    # Looked at only under the lock: a moment before, the person or the account may still have been there.
    fault = _fault(call, wanted)
    if fault is None:
        try:
            # The role comes before the assignment, so that nobody is ever assigned to a role that is not there.
            provisioning.provision(call, wanted.instance, wanted.permission_set, wanted.target_id)
        except Unprovisionable as error:
            fault = str(error)
    # The same assignment once more brings the role up to date and adds nothing.
    if fault is None and account_assignments.find(call.db, wanted.instance.instance_id, **wanted.place) is None:
        account_assignments.add(call.db, _row(call, wanted))
    return _note(call, wanted, CREATION, fault)


def delete(call: Call, wanted: Wanted) -> ProvisioningRequestRow:
    """End an assignment, and with the last one its role; one that is gone already is no error."""
    _require_within_reach(call, wanted)
    hold(call, wanted.instance)
    instance_id = wanted.instance.instance_id
    account_assignments.remove(call.db, instance_id, **wanted.place)
    # Only now that the assignment is gone can it be seen whether it was the last one.
    _withdraw_unassigned(call, instance_id, wanted.target_id, wanted.permission_set.permission_set_id)
    return _note(call, wanted, DELETION, None)


def provision_anew(
    call: Call, instance: InstanceRow, permission_set: PermissionSetRow, target_id: str | None
) -> ProvisioningRequestRow:
    """Let a permission set's roles follow it, in one account or all; return what came of it."""
    hold(call, instance)
    fault = None
    # One account that can't follow must not keep the others from following.
    for kept in _provisioned(call, permission_set, target_id):
        try:
            provisioning.provision(call, instance, permission_set, kept.target_id)
        except Unprovisionable as error:
            fault = str(error)
    # Without a named account there may be no role at all, and then nothing had to be done.
    if target_id is not None and fault is None:
        place = (call.db, instance.instance_id, permission_set.permission_set_id, target_id)
        if provisioned_roles.find(*place) is None:
            fault = f"The permission set is not assigned in account {target_id}."
    row = _request(call, permission_set, PROVISIONING, fault, target_id=target_id)
    provisioning_requests.add(call.db, row)
    return row


def forget_principal(call: Call, instance: InstanceRow, principal_id: str) -> None:
    """End every assignment of a person or group that goes, with the roles that nobody else may take."""
    hold(call, instance)
    # Read before they are removed: afterwards nobody could tell in which accounts roles may have to go.
    ended = account_assignments.of_principal(call.db, instance.instance_id, principal_id)
    account_assignments.remove_principal(call.db, instance.instance_id, principal_id)
    role_entitlements.remove_principal(call.db, instance.instance_id, principal_id)
    for row in ended:
        _withdraw_unassigned(call, instance.instance_id, row.target_id, row.permission_set_id)


def forget_target(call: Call, organization_id: str, target_id: str) -> None:
    """End every assignment in an account that leaves its organization, with the roles there."""
    instance = instance_rows.of_organization(call.db, organization_id)
    if instance is None:
        return
    hold(call, instance)
    account_assignments.remove_target(call.db, instance.instance_id, target_id)
    role_entitlements.remove_target(call.db, instance.instance_id, target_id)
    for kept in provisioned_roles.page_in(call.db, instance.instance_id, target_id, after="", limit=_BATCH * 10):
        provisioning.withdraw(call, kept)


def dissolve(call: Call, instance: InstanceRow) -> None:
    """End an instance with all that it has: its roles in accounts first, so that nobody keeps one."""
    hold(call, instance)
    for permission_set in permission_sets.page(call.db, instance.instance_id, after="", limit=_BATCH * 10):
        for kept in _provisioned(call, permission_set, None):
            provisioning.withdraw(call, kept)
        # In this order nothing is left that points at what is gone already.
        place = (call.db, instance.instance_id, permission_set.permission_set_id)
        account_assignments.remove_permission_set(*place)
        permission_set_policies.remove_all(*place)
        sso_tags.remove_all(call.db, f"{instance.instance_id}/{permission_set.permission_set_id}")
        permission_sets.remove(*place)
    access_applications.dissolve(call.db, instance)
    for topic in (scim_tokens, directory_memberships, directory_groups, directory_users):
        topic.remove_all(call.db, instance.identity_store_id)
    leaving.forget_everybody(call.db, instance)
    provisioning_requests.remove_all(call.db, instance.instance_id)
    sso_tags.remove_all(call.db, instance.instance_id)
    instance_rows.remove(call.db, instance.instance_id)


def require_people_within_reach(call: Call, instance: InstanceRow, principal_ids: Sequence[str]) -> None:
    """Raise AccessDenied where a delegated administrator changes people or groups who may take something of the owner's.

    Whoever could put itself into such a group, or take over such a person, would raise itself to the management account.
    """
    owner = instance.account_id
    if call.account_id == owner:
        return
    place = (call.db, instance.instance_id, owner, principal_ids)
    # By themselves or through a group: both lead into the management account.
    if account_assignments.reaches(*place) or role_entitlements.reaches(*place):
        raise errors.AccessDenied("A delegated administrator can't change people and groups who reach the management account.")


def require_permission_set_within_reach(call: Call, permission_set: PermissionSetRow) -> None:
    """Raise AccessDenied where a delegated administrator changes a permission set that the owner's account has a role of."""
    owner = permission_set.account_id
    place = (permission_set.instance_id, permission_set.permission_set_id, owner)
    # A changed policy would follow into the management account with the next provisioning.
    if call.account_id != owner and provisioned_roles.find(call.db, *place) is not None:
        raise errors.AccessDenied("A delegated administrator can't change a permission set of the management account.")


def _require_within_reach(call: Call, wanted: Wanted) -> None:
    owner = wanted.instance.account_id
    # A delegate could otherwise assign administrator access in the management account to itself.
    if wanted.target_id == owner and call.account_id != owner:
        raise errors.AccessDenied("A delegated administrator can't change who may take what in the management account.")


def _fault(call: Call, wanted: Wanted) -> str | None:
    organization_id, store_id = wanted.instance.organization_id, wanted.instance.identity_store_id
    if organization_id is None or organization_accounts.within(call.db, organization_id, wanted.target_id) is None:
        return f"The account {wanted.target_id} is not in the organization."
    if wanted.principal_type == "USER":
        known = directory_users.with_id(call.db, store_id, wanted.principal_id) is not None
    else:
        known = directory_groups.with_id(call.db, store_id, wanted.principal_id) is not None
    return None if known else f"The {wanted.principal_type.lower()} {wanted.principal_id} does not exist in the identity store."


def _withdraw_unassigned(call: Call, instance_id: str, target_id: str, permission_set_id: str) -> None:
    place = {"target_id": target_id, "permission_set_id": permission_set_id}
    # The role serves everybody who is assigned to it, and stays as long as there is anybody.
    if account_assignments.is_assigned(call.db, instance_id, **place):
        return
    kept = provisioned_roles.find(call.db, instance_id, permission_set_id, target_id)
    if kept is not None:
        provisioning.withdraw(call, kept)


def _provisioned(call: Call, permission_set: PermissionSetRow, target_id: str | None) -> list[ProvisionedRoleRow]:
    place = (call.db, permission_set.instance_id, permission_set.permission_set_id)
    if target_id is not None:
        kept = provisioned_roles.find(*place, target_id)
        return [] if kept is None else [kept]
    found: list[ProvisionedRoleRow] = []
    # In pages, since a permission set may have a role in thousands of accounts.
    while page := provisioned_roles.page_of_set(*place, after=found[-1].target_id if found else "", limit=_BATCH):
        found += page
    return found


def _row(call: Call, wanted: Wanted) -> AssignmentRow:
    return AssignmentRow(
        instance_id=wanted.instance.instance_id,
        principal_type=wanted.principal_type,
        account_id=wanted.instance.account_id,
        owner_account_id=wanted.target_id,
        created_at=call.now,
        **wanted.place,
    )


def _note(call: Call, wanted: Wanted, kind: str, fault: str | None) -> ProvisioningRequestRow:
    row = _request(
        call,
        wanted.permission_set,
        kind,
        fault,
        target_id=wanted.target_id,
        principal=(wanted.principal_type, wanted.principal_id),
    )
    provisioning_requests.add(call.db, row)
    return row


def _request(
    call: Call,
    permission_set: PermissionSetRow,
    kind: str,
    fault: str | None,
    *,
    target_id: str | None,
    principal: tuple[str | None, str | None] = (None, None),
) -> ProvisioningRequestRow:
    # Old requests go with each new one, so that no worker has to clean up.
    provisioning_requests.remove_before(call.db, permission_set.instance_id, call.now - KEPT)
    return ProvisioningRequestRow(
        instance_id=permission_set.instance_id,
        kind=kind,
        request_id=instances.entity_id(),
        account_id=permission_set.account_id,
        status=_SUCCEEDED if fault is None else _FAILED,
        failure_reason=fault,
        target_id=target_id,
        permission_set_id=permission_set.permission_set_id,
        principal_type=principal[0],
        principal_id=principal[1],
        created_at=call.now,
    )
