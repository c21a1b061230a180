"""Trusted access: the services that the organization lets work in all its accounts."""

from __future__ import annotations

from crownkeep import clock
from crownkeep.catalogue import integrated_services
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.organizations import next_tokens, organization, refusals
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import delegated_administrators, organization_service_access
from crownkeep.storage.organizations import organizations as organization_rows
from crownkeep.storage.organizations.organization_service_access import ServiceAccessRow
from crownkeep.storage.organizations.organizations import OrganizationRow


def service(call: Call, *, service_principal: str | None = None, **_: object) -> Target:
    """No resource, but the service that it is about."""
    return Target("*", context={} if service_principal is None else {"organizations:ServicePrincipal": service_principal})


@organizations.operation("EnableAWSServiceAccess", resource=service, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT)
def enable_aws_service_access(call: Call, row: OrganizationRow, *, service_principal: str) -> Result:
    """Let a service work in all accounts; one that may already stays as it is."""
    _require_known(service_principal)
    if row.feature_set != organization.ALL_FEATURES:
        raise refusals.constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE")
    if not organization_service_access.is_enabled(call.db, row.organization_id, service_principal):
        enabled = ServiceAccessRow(row.organization_id, call.account_id, service_principal, call.now)
        organization_service_access.add(call.db, enabled)
        organization_rows.touch_members(call.db, row.organization_id, clock.revision())
    return NOTHING


@organizations.operation("DisableAWSServiceAccess", resource=service, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT)
def disable_aws_service_access(call: Call, row: OrganizationRow, *, service_principal: str) -> Result:
    """Let a service work in all accounts no more; nobody may administer it for the organization any longer."""
    _require_known(service_principal)
    if delegated_administrators.count_for(call.db, row.organization_id, service_principal):
        raise refusals.constraint("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE")
    organization_service_access.remove(call.db, row.organization_id, service_principal)
    organization_rows.touch_members(call.db, row.organization_id, clock.revision())
    return NOTHING


@organizations.operation("ListAWSServiceAccessForOrganization", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def list_aws_service_access_for_organization(
    call: Call, row: OrganizationRow, *, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List the services that may work in all accounts."""
    found, more = next_tokens.page(
        call,
        list_name="ListAWSServiceAccessForOrganization",
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: organization_service_access.page(call.db, row.organization_id, after=after, limit=limit),
        key=lambda each: each.service_principal,
    )
    shown = [{"ServicePrincipal": each.service_principal, "DateEnabled": each.enabled_at} for each in found]
    return {"EnabledServicePrincipals": shown, **more}


def _require_known(service_principal: str) -> None:
    if not integrated_services.is_integrated(service_principal):
        raise refusals.value("UNRECOGNIZED_SERVICE_PRINCIPAL")
