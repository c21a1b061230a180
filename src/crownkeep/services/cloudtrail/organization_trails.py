"""Who may make a trail of a whole organization: its management account, or whom that delegated CloudTrail to."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.services.cloudtrail import naming
from crownkeep.storage.organizations import organization_accounts, organizations
from crownkeep.storage.organizations.organization_accounts import MemberRow

ALL_FEATURES = "ALL"
_NOT_ENABLED = (
    "The request could not be processed because your organization hasn't enabled CloudTrail service access. Enable service "
    "access for CloudTrail, and then try again."
)


def owner(call: Call) -> str:
    """Return the account that the organization's trails are in, as far as it is known who asks; the caller's own otherwise."""
    member = organization_accounts.of_account(call.db, call.account_id)
    if member is not None and naming.administers(call, member.management_account_id):
        return member.management_account_id
    return call.account_id


def required(call: Call) -> MemberRow:
    """Return the caller's place in the organization that it may make trails for; raises AWS's error where it may not."""
    member = organization_accounts.of_account(call.db, call.account_id)
    organization = None if member is None else organizations.with_id(call.db, member.organization_id)
    if member is None or organization is None:
        raise errors.OrganizationsAreNotInUse("Your account is not a member of an organization.")
    if member.account_id != member.management_account_id and not naming.administers(call, member.management_account_id):
        raise not_the_management_account()
    if organization.feature_set != ALL_FEATURES:
        raise errors.OrganizationNotInAllFeaturesMode("Your organization must have all features enabled.")
    if not naming.covers_members(call, member):
        raise access_not_enabled()
    return member


def access_not_enabled() -> errors.CloudTrailAccessNotEnabled:
    """Make the refusal in an organization that gives CloudTrail no trusted access."""
    return errors.CloudTrailAccessNotEnabled(_NOT_ENABLED)


def not_the_management_account() -> errors.NotOrganizationMasterAccount:
    """Make the refusal of a member that is no delegated administrator."""
    return errors.NotOrganizationMasterAccount(
        "You must be signed in to the management account of the organization, or be its delegated administrator for CloudTrail, "
        "to create or update an organization trail."
    )
