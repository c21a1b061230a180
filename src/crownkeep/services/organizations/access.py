"""Who may call what: the management account everything, members little, and delegates what they were given.

That a policy allows an operation isn't enough here: most operations belong to the management account alone, many reads also to
its delegated administrators, and what the organization's resource policy says belongs to whom it names (Organizations API
reference, "You can only call this operation from ..."). Every handler begins by asking one of these for the organization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crownkeep import errors
from crownkeep.operations import authorize, permissions
from crownkeep.operations.call import Call
from crownkeep.operations.registry import EVERYTHING, Target
from crownkeep.policy import Decision, PolicyKind, PolicySource, Reason, SourceType
from crownkeep.services.organizations import arns
from crownkeep.services.organizations.arns import Place
from crownkeep.storage.organizations import (
    delegated_administrators,
    organization_accounts,
    organization_resource_policies,
    organizations,
)
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organizations import OrganizationRow


def place(call: Call) -> Place:
    """Return the caller's organization as ARNs name it, for functions that say what an action is done to."""
    found = organization_accounts.of_account(call.db, call.account_id)
    if found is None:
        return Place(call.account_id, arns.UNKNOWN)
    return Place(found.management_account_id, found.organization_id)


def member(call: Call) -> MemberRow:
    """Return the caller's place in its organization; raises AWSOrganizationsNotInUseException where it is in none."""
    found = organization_accounts.of_account(call.db, call.account_id)
    if found is None:
        raise errors.OrganizationsNotInUse("Your account is not a member of an organization.")
    return found


def own(call: Call) -> OrganizationRow:
    """Return the caller's organization, for what every account in it may ask."""
    return _required(call, member(call))


def management(call: Call) -> OrganizationRow:
    """Return the organization that the caller manages and hold it, for changes that nobody else may make."""
    found = member(call)
    if not is_management(found):
        raise no_permission()
    return held(call, found)


def reader(
    call: Call, action: str, target: Target = EVERYTHING, *, arguments: Mapping[str, object] | None = None
) -> OrganizationRow:
    """Return the caller's organization, for reads that delegated administrators of any service may make as well.

    So may whom the organization's resource policy allows `action` on `target`; one whom it denies that may not.
    """
    found = member(call)
    organization = _required(call, found)
    if is_management(found) or _is_delegated(call, organization, action, target, arguments):
        return organization
    if delegated_administrators.is_delegate(call.db, organization.organization_id, call.account_id):
        return organization
    raise no_permission()


def delegate(
    call: Call, action: str, target: Target = EVERYTHING, *, arguments: Mapping[str, object] | None = None
) -> OrganizationRow:
    """Return the caller's organization and hold it, for changes that the resource policy may delegate to members."""
    found = member(call)
    organization = held(call, found)
    if is_management(found) or _is_delegated(call, organization, action, target, arguments):
        return organization
    raise no_permission()


def held(call: Call, found: MemberRow) -> OrganizationRow:
    """Hold the organization that an account is in, for a change; raises AWSOrganizationsNotInUseException where it just left."""
    organization = organizations.hold(call.db, found.organization_id)
    # Whoever waited for the row may have left by now, or been moved to another organization.
    if organization is None or organization_accounts.of_account(call.db, call.account_id) != found:
        raise errors.OrganizationsNotInUse("Your account is not a member of an organization.")
    return organization


def is_management(found: MemberRow) -> bool:
    """Tell whether this is the management account of its organization."""
    return found.account_id == found.management_account_id


def no_permission() -> errors.AccessDenied:
    """Make the refusal of an operation that belongs to another account of the organization."""
    return errors.AccessDenied("You don't have permissions to access this resource.")


def _is_delegated(
    call: Call, organization: OrganizationRow, action: str, target: Target, arguments: Mapping[str, object] | None
) -> bool:
    """Tell whether the resource policy allows the caller this; raises AccessDenied where it says that he may not."""
    decision = _decide(call, organization, action, target, arguments or {})
    if decision is None:
        return False
    if decision.reason is Reason.EXPLICIT_DENY:
        raise errors.AccessDenied(decision.denial_text(target.shown))
    return decision.allowed


def _decide(
    call: Call, organization: OrganizationRow, action: str, target: Target, arguments: Mapping[str, object]
) -> Decision | None:
    row = organization_resource_policies.of_organization(call.db, organization.organization_id)
    if row is None:
        return None
    source = PolicySource(PolicyKind.RESOURCE, row.policy_id, row.policy_id, None, SourceType.RESOURCE)
    policy = permissions.compiled([permissions.Text(row.document, source)])
    asked = replace(target, policy=policy, account_id=organization.management_account_id)
    return authorize.decide(call, call.principal, action, asked, arguments)


def _required(call: Call, found: MemberRow) -> OrganizationRow:
    organization = organizations.with_id(call.db, found.organization_id)
    if organization is None:
        raise errors.OrganizationsNotInUse("Your account is not a member of an organization.")
    return organization
