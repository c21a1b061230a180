"""Members that administer CloudTrail for their organization, registered by its management account.

It is the same as Organizations' own registration for CloudTrail's principal, and so asks for the permission to that as well.
"""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.operations.standing import ACTIVE
from crownkeep.services.cloudtrail import naming, organization_trails
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.storage.organizations import delegated_administrators, organization_accounts, organizations
from crownkeep.storage.organizations.delegated_administrators import DelegationRow
from crownkeep.storage.organizations.organization_accounts import MemberRow

MOST = 3
"""As many as CloudTrail takes for an organization."""


@cloudtrail.operation("RegisterOrganizationDelegatedAdmin", resource=registry.everything, effect=Effect.STATE)
def register_organization_delegated_admin(call: Call, *, member_account_id: str) -> Result:
    """Let a member make and change the organization's trails."""
    place = _managed(call)
    _require_dependency(call, place, "organizations:RegisterDelegatedAdministrator", member_account_id)
    if member_account_id == call.account_id:
        raise errors.CannotDelegateManagementAccount("The management account cannot be a delegated administrator.")
    # Within the organization alone: an account elsewhere and one that isn't there are answered alike.
    found = organization_accounts.within(call.db, place.organization_id, member_account_id)
    if found is None or found.account.state != ACTIVE:
        raise _not_found()
    organization = (call.db, place.organization_id)
    if delegated_administrators.is_delegate_for(*organization, member_account_id, naming.SERVICE):
        raise errors.AccountRegistered("The account is already registered as the CloudTrail delegated administrator.")
    if delegated_administrators.count_for(*organization, naming.SERVICE) >= MOST:
        raise errors.DelegatedAdminAccountLimitExceeded(f"An organization can have up to {MOST} delegated administrators.")
    row = DelegationRow(place.organization_id, call.account_id, member_account_id, naming.SERVICE, call.now)
    delegated_administrators.add(call.db, row)
    # What a delegate may see is part of what every member's caches hold.
    organizations.touch_members(*organization, clock.revision())
    return NOTHING


@cloudtrail.operation("DeregisterOrganizationDelegatedAdmin", resource=registry.everything, effect=Effect.STATE)
def deregister_organization_delegated_admin(call: Call, *, delegated_admin_account_id: str) -> Result:
    """Let a member make and change the organization's trails no more."""
    place = _managed(call)
    _require_dependency(call, place, "organizations:DeregisterDelegatedAdministrator", delegated_admin_account_id)
    organization = (call.db, place.organization_id)
    if organization_accounts.within(*organization, delegated_admin_account_id) is None:
        raise _not_found()
    if not delegated_administrators.is_delegate_for(*organization, delegated_admin_account_id, naming.SERVICE):
        raise errors.AccountNotRegistered("The account is not registered as the CloudTrail delegated administrator.")
    delegated_administrators.remove(*organization, delegated_admin_account_id, naming.SERVICE)
    organizations.touch_members(*organization, clock.revision())
    return NOTHING


def _managed(call: Call) -> MemberRow:
    """Return the place of the management account that calls, and hold its organization."""
    member = organization_accounts.of_account(call.db, call.account_id)
    organization = None if member is None else organizations.hold(call.db, member.organization_id)
    if member is None or organization is None:
        raise errors.OrganizationsAreNotInUse("Your account is not a member of an organization.")
    if member.account_id != member.management_account_id:
        raise errors.NotOrganizationManagementAccount("The account is not the management account of the organization.")
    if organization.feature_set != organization_trails.ALL_FEATURES:
        raise errors.OrganizationNotInAllFeaturesMode("Your organization must have all features enabled.")
    if not naming.covers_members(call, member):
        raise organization_trails.access_not_enabled()
    return member


def _require_dependency(call: Call, place: MemberRow, action: str, account_id: str) -> None:
    """Raise InsufficientDependencyServiceAccessPermissionException unless the caller may do it by Organizations, too."""
    arn = f"arn:aws:organizations::{place.management_account_id}:account/{place.organization_id}/{account_id}"
    target = Target(arn, context={"organizations:ServicePrincipal": naming.SERVICE})
    if not authorize.decide(call, call.principal, action, target, {}).allowed:
        raise errors.InsufficientDependencyServiceAccess(f"You are not authorized to perform: {action} on resource: {arn}")


def _not_found() -> errors.AccountNotFound:
    return errors.AccountNotFound("The account was not found, or is not part of the organization.")
