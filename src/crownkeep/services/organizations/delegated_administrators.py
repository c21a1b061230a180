"""Delegated administrators: members that administer a service for the whole organization, and may read what is in it."""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.catalogue import integrated_services
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.operations.standing import ACTIVE
from crownkeep.services.organizations import accounts, callers, entities, next_tokens, organization, quotas, refusals
from crownkeep.services.organizations import service_access as trusted_access
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import delegated_administrators, organization_accounts, organization_service_access
from crownkeep.storage.organizations import organizations as organization_rows
from crownkeep.storage.organizations.delegated_administrators import DelegateRow, DelegationRow
from crownkeep.storage.organizations.organization_accounts import MemberAccount
from crownkeep.storage.organizations.organizations import OrganizationRow


def account_and_service(call: Call, *, account_id: str, service_principal: str, **_: object) -> Target:
    """The account, and the service that it is to administer."""
    target = entities.account(call, account_id=account_id)
    return Target(target.arn, tags=target.tags, context={"organizations:ServicePrincipal": service_principal})


@organizations.operation(
    "RegisterDelegatedAdministrator", resource=account_and_service, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT
)
def register_delegated_administrator(call: Call, row: OrganizationRow, *, account_id: str, service_principal: str) -> Result:
    """Let a member administer a service for the organization."""
    _require_known(service_principal)
    if row.feature_set != organization.ALL_FEATURES:
        raise refusals.constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE")
    found = entities.required_account(call, row, account_id)
    if callers.is_management(found.member):
        raise refusals.constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR")
    if found.account.state != ACTIVE:
        raise refusals.constraint("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR")
    place = (call.db, row.organization_id)
    if not organization_service_access.is_enabled(*place, service_principal):
        raise refusals.constraint("SERVICE_ACCESS_NOT_ENABLED")
    if delegated_administrators.is_delegate_for(*place, account_id, service_principal):
        raise errors.AccountAlreadyRegistered("The provided account is already a delegated administrator for your organization.")
    if delegated_administrators.count_for(*place, service_principal) >= quotas.DELEGATES_OF_A_SERVICE:
        raise refusals.constraint("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED")
    made = DelegationRow(row.organization_id, call.account_id, account_id, service_principal, call.now)
    delegated_administrators.add(call.db, made)
    organization_rows.touch_members(*place, clock.revision())
    return NOTHING


@organizations.operation(
    "DeregisterDelegatedAdministrator", resource=account_and_service, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT
)
def deregister_delegated_administrator(call: Call, row: OrganizationRow, *, account_id: str, service_principal: str) -> Result:
    """Let a member administer a service no more."""
    _require_known(service_principal)
    entities.required_account(call, row, account_id)
    place = (call.db, row.organization_id)
    if not delegated_administrators.is_delegate_for(*place, account_id, service_principal):
        raise _not_registered()
    delegated_administrators.remove(*place, account_id, service_principal)
    organization_rows.touch_members(*place, clock.revision())
    return NOTHING


@organizations.operation("ListDelegatedAdministrators", resource=trusted_access.service, caller=AllowedCaller.ADMINISTRATOR)
def list_delegated_administrators(
    call: Call,
    row: OrganizationRow,
    *,
    service_principal: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List the members that administer anything, or this service, by id."""
    found, more = next_tokens.page(
        call,
        list_name="ListDelegatedAdministrators",
        filters=(service_principal or "",),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: delegated_administrators.delegates_page(
            call.db, row.organization_id, service_principal=service_principal, after=after, limit=limit
        ),
        key=lambda each: each.delegate_id,
    )
    members = organization_accounts.with_ids(call.db, row.organization_id, [each.delegate_id for each in found])
    return {"DelegatedAdministrators": [_describe(row, each, members[each.delegate_id]) for each in found], **more}


@organizations.operation("ListDelegatedServicesForAccount", resource=entities.account, caller=AllowedCaller.ADMINISTRATOR)
def list_delegated_services_for_account(
    call: Call, row: OrganizationRow, *, account_id: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List the services that a member administers."""
    entities.required_account(call, row, account_id)
    if not delegated_administrators.is_delegate(call.db, row.organization_id, account_id):
        raise _not_registered()
    found, more = next_tokens.page(
        call,
        list_name="ListDelegatedServicesForAccount",
        filters=(account_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: delegated_administrators.services_page(
            call.db, row.organization_id, account_id, after=after, limit=limit
        ),
        key=lambda each: each.service_principal,
    )
    shown = [{"ServicePrincipal": each.service_principal, "DelegationEnabledDate": each.delegated_at} for each in found]
    return {"DelegatedServices": shown, **more}


def _describe(row: OrganizationRow, delegate: DelegateRow, found: MemberAccount) -> dict[str, object]:
    """Return a `DelegatedAdministrator`."""
    return {**accounts.describe(row, found), "DelegationEnabledDate": delegate.delegated_at}


def _require_known(service_principal: str) -> None:
    if not integrated_services.is_integrated(service_principal):
        raise refusals.value("UNRECOGNIZED_SERVICE_PRINCIPAL")


def _not_registered() -> errors.AccountNotRegistered:
    return errors.AccountNotRegistered("The provided account is not a registered delegated administrator for your organization.")
