"""The organization itself: made by the account that will manage it, seen by every account in it, left by members."""

from __future__ import annotations

from crownkeep import arn, clock, errors, ids
from crownkeep.catalogue import organization_policies, service_linked_roles
from crownkeep.domain.accounts import membership
from crownkeep.domain.accounts.membership import Departure
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Target
from crownkeep.services.organizations import arns, departures, entities
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.accounts import accounts
from crownkeep.storage.identities import roles
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.organizations import organizations as organization_rows
from crownkeep.storage.organizations.organizations import OrganizationRow

ALL_FEATURES = "ALL"
_ID_LENGTH = 10
_ROOT_ID_LENGTH = 4
_ID_CHANCE = 16


@organizations.operation("CreateOrganization", resource=registry.everything, caller=AllowedCaller.ANY_ACCOUNT)
def create_organization(call: Call, *, feature_set: str = ALL_FEATURES) -> Result:
    """Make an organization that the caller's account manages; it is its first account.

    No type of policy is enabled yet, whatever API_CreateOrganization says: tools that were tried on AWS rely on it.
    """
    if organization_accounts.of_account(call.db, call.account_id) is not None:
        raise errors.AlreadyInOrganization("The provided account is already a member of an organization.")
    require_linked_role(call)
    row = OrganizationRow(
        organization_id=ids.organizations_id("o", clock.token_bytes(_ID_CHANCE), _ID_LENGTH),
        management_account_id=call.account_id,
        feature_set=feature_set,
        root_id=ids.organizations_id("r", clock.token_bytes(_ID_CHANCE), _ROOT_ID_LENGTH),
        created_at=call.now,
    )
    organization_rows.add(call.db, row)
    membership.join(call, row, call.account_id, joined_method=membership.INVITED)
    return {"Organization": describe(call, row)}


@organizations.operation("DescribeOrganization", resource=registry.everything, caller=AllowedCaller.MEMBER)
def describe_organization(call: Call, organization: OrganizationRow) -> Result:
    """Return the organization that the caller's account is in."""
    return {"Organization": describe(call, organization)}


@organizations.operation("DeleteOrganization", resource=registry.everything, caller=AllowedCaller.MANAGEMENT)
def delete_organization(call: Call, organization: OrganizationRow) -> Result:
    """End an organization that has no account left but the one that manages it."""
    if organization_accounts.count(call.db, organization.organization_id) > 1:
        raise errors.OrganizationNotEmpty(
            "To delete an organization you must first remove all member accounts (except the master)."
        )
    membership.dissolve(call, organization)
    return NOTHING


@organizations.operation("LeaveOrganization", resource=registry.everything, caller=AllowedCaller.MEMBER)
def leave_organization(call: Call, organization: OrganizationRow) -> Result:
    """Take the caller's own account out of its organization."""
    member = entities.required_account(call, organization, call.account_id).member
    departures.require_may_leave(call, member)
    membership.leave(call, member, Departure.LEFT)
    return NOTHING


def describe(call: Call, row: OrganizationRow) -> dict[str, object]:
    """Return an `Organization`."""
    place = arns.place_of(row)
    account = accounts.with_id(call.db, row.management_account_id)
    available = [{"Type": organization_policies.SERVICE_CONTROL, "Status": "ENABLED"}] if row.feature_set == ALL_FEATURES else []
    described: dict[str, object] = {
        "Id": row.organization_id,
        "Arn": arns.organization(place),
        "FeatureSet": row.feature_set,
        "MasterAccountArn": arns.account(place, row.management_account_id),
        "MasterAccountId": row.management_account_id,
        "AvailablePolicyTypes": available,
    }
    if account is not None:
        described["MasterAccountEmail"] = account.email
    return described


def require_linked_role(call: Call) -> None:
    """Raise AccessDeniedForDependencyException unless the account has the service's role, or the caller may have it made."""
    linked = service_linked_roles.of_service(membership.SERVICE)
    if linked is None or roles.named(call.db, call.account_id, linked.role_name) is not None:
        return
    role_arn = arn.role(call.account_id, linked.path, linked.role_name)
    target = Target(role_arn, context={"iam:AWSServiceName": membership.SERVICE})
    try:
        authorize.require_action(call, "iam:CreateServiceLinkedRole", target)
    except errors.AccessDenied as error:
        raise errors.AccessDeniedForDependency(
            "The operation that you attempted requires you to have the iam:CreateServiceLinkedRole for "
            "organizations.amazonaws.com permission so that Organizations can create the required service-linked role. You don't "
            "have that permission.",
            members={"Reason": "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"},
        ) from error
