"""Entitlements: a person or group may take an existing role; the role's trust policy must let the service take it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crownkeep import arn, errors
from crownkeep.domain import next_tokens, quotas
from crownkeep.domain.single_sign_on import access_applications, assignments, instances
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.account_access import targets
from crownkeep.services.account_access.service import account_access
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.single_sign_on import access_applications as access_application_rows
from crownkeep.storage.single_sign_on import directory_groups, directory_users, role_entitlements
from crownkeep.storage.single_sign_on import instances as instance_rows
from crownkeep.storage.single_sign_on.access_applications import AccessApplicationRow
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.role_entitlements import ListedEntitlement, RoleEntitlementRow

GROUPS_PER_ROLE = quotas.define("GroupsPerEntitledRoleQuota", 20, least=1, most=1000)

_USER, _GROUP = "USER", "GROUP"


@dataclass(frozen=True, slots=True)
class _NamedPrincipal:
    """A person or group as a request names one; both empty where it names none."""

    kind: str
    id: str


@account_access.operation("CreateEntitlement", resource=targets.application, effect=Effect.STATE)
def create_entitlement(call: Call, *, application_arn: str, entitlement: Mapping[str, Any]) -> Result:
    """Entitle a person or group to a role; once more is no error, and answers the same entitlement."""
    application = targets.required(call, application_arn)
    wanted = entitlement.get("principalRole", {})
    principal, role_arn = _principal(wanted.get("principal", {})), str(wanted.get("roleArn", ""))
    instance = _held(call, application)
    owner_account_id = _account_of_role(call, instance, role_arn)
    _require_known(call, instance, principal)
    digest = access_applications.role_digest(role_arn)
    kept = role_entitlements.between(call.db, instance.instance_id, principal_id=principal.id, role_digest=digest)
    if kept is not None:
        return {"entitlementId": kept.entitlement_id}
    if principal.kind == _GROUP:
        most = quotas.in_account(call.db, application.account_id, GROUPS_PER_ROLE)
        if role_entitlements.count_groups(call.db, instance.instance_id, digest) >= most:
            raise errors.ServiceQuotaExceeded(f"A role can be assigned to {most} groups.")
    row = RoleEntitlementRow(
        instance_id=instance.instance_id,
        entitlement_id=instances.entity_id(),
        account_id=instance.account_id,
        owner_account_id=owner_account_id,
        role_arn=role_arn,
        role_digest=digest,
        principal_type=principal.kind,
        principal_id=principal.id,
        created_at=call.now,
    )
    role_entitlements.add(call.db, row)
    return {"entitlementId": row.entitlement_id}


@account_access.operation("GetEntitlement", resource=targets.application)
def get_entitlement(call: Call, *, application_arn: str, entitlement_id: str) -> Result:
    """Return one entitlement."""
    application = targets.required(call, application_arn)
    found = role_entitlements.with_id(call.db, application.instance_id, entitlement_id)
    if found is None:
        raise errors.ResourceNotFound(f"The entitlement {entitlement_id} does not exist.")
    return {"applicationArn": application_arn, **_describe(found)}


@account_access.operation("ListEntitlements", resource=targets.application)
def list_entitlements(
    call: Call,
    *,
    application_arn: str,
    filter: Mapping[str, Any],
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List the entitlements of an application: all, or those that match every part of the filter."""
    application = targets.required(call, application_arn)
    asked = filter.get("principalRole", {})
    principal = _principal(asked.get("principal", {}))
    digest = access_applications.role_digest(asked["roleArn"]) if asked.get("roleArn") else ""
    owner_account_id = str(asked.get("account", ""))
    listed, more = next_tokens.page(
        call,
        list_name="account-access ListEntitlements",
        filters=(application.application_id, principal.id, digest, owner_account_id),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: role_entitlements.page(
            call.db,
            application.instance_id,
            principal_type=principal.kind,
            principal_id=principal.id,
            role_digest=digest,
            owner_account_id=owner_account_id,
            after=after,
            limit=limit,
        ),
        key=lambda row: row.entitlement_id,
        member="nextToken",
    )
    return {"entitlements": [_describe(row) for row in listed], **more}


@account_access.operation("DeleteEntitlement", resource=targets.application, effect=Effect.STATE)
def delete_entitlement(call: Call, *, application_arn: str, entitlement_id: str) -> Result:
    """End an entitlement, and every session that nothing else entitles to; one that is gone is no error."""
    application = targets.required(call, application_arn)
    instance = _held(call, application)
    found = role_entitlements.with_id(call.db, instance.instance_id, entitlement_id)
    if found is not None:
        _require_within_reach(call, instance, found.owner_account_id)
        role_entitlements.remove(call.db, instance.instance_id, entitlement_id)
    return NOTHING


def _held(call: Call, application: AccessApplicationRow) -> InstanceRow:
    """Return the application's instance, held: what its owner and a delegated administrator change at once comes one by one."""
    instance = instance_rows.with_id(call.db, application.instance_id)
    if instance is not None:
        assignments.hold(call, instance)
    # Asked again once held, as the owner holds its own account while it ends the application: an entitlement that a delegated
    # administrator makes meanwhile would be there for the next one.
    if instance is None or access_application_rows.with_id(call.db, application.application_id) is None:
        raise errors.ResourceNotFound(f"The application {access_applications.arn_of(application)} does not exist.")
    return instance


def _principal(named: Mapping[str, Any]) -> _NamedPrincipal:
    """Return the person or group that a request names; the model lets it name one at most."""
    of_store = named.get("identityCenter", {})
    if "userId" in of_store:
        return _NamedPrincipal(_USER, of_store["userId"])
    return _NamedPrincipal(_GROUP, of_store["groupId"]) if "groupId" in of_store else _NamedPrincipal("", "")


def _account_of_role(call: Call, instance: InstanceRow, role_arn: str) -> str:
    """Return whose role it is; raises ValidationException where that is no account of the organization."""
    parts = arn.parse(role_arn)
    account_id = parts.account_id if parts is not None and parts.partition == arn.PARTITION else ""
    organization_id = instance.organization_id
    if organization_id is None or organization_accounts.within(call.db, organization_id, account_id) is None:
        raise errors.ServiceValidation("The role is of no account in the organization.")
    _require_within_reach(call, instance, account_id)
    return account_id


def _require_within_reach(call: Call, instance: InstanceRow, account_id: str) -> None:
    if account_id == instance.account_id != call.account_id:
        raise errors.AccessDenied("A delegated administrator can't change who may take what in the management account.")


def _require_known(call: Call, instance: InstanceRow, principal: _NamedPrincipal) -> None:
    store_id = instance.identity_store_id
    match principal.kind:
        case "USER" if directory_users.with_id(call.db, store_id, principal.id) is not None:
            return
        case "GROUP" if directory_groups.with_id(call.db, store_id, principal.id) is not None:
            return
        case "":
            raise errors.ServiceValidation("The entitlement names no user or group.")
        case _:
            raise errors.ResourceNotFound(f"The {principal.kind.lower()} {principal.id} does not exist in the identity store.")


def _describe(row: ListedEntitlement) -> dict[str, object]:
    named = {"userId" if row.principal_type == _USER else "groupId": row.principal_id}
    principal_role = {
        "principal": {"identityCenter": named},
        "roleArn": row.role_arn,
        "account": row.owner_account_id,
        "accountName": row.account_name,
    }
    return {
        "entitlementId": row.entitlement_id,
        "entitlement": {"principalRole": principal_role},
        "createdAt": row.created_at,
    }
