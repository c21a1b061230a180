"""Central root access for an organization's members: its two features, switched on by the management account.

What was switched on stays so while IAM has no trusted access, but is in force for nobody and is shown to nobody.
"""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations import central_root, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.iam.service import iam
from crownkeep.storage.organizations import organization_features, organizations
from crownkeep.storage.organizations.organization_features import FeatureRow
from crownkeep.storage.organizations.organizations import OrganizationRow

_ALL_FEATURES = "ALL"


@iam.operation("ListOrganizationsFeatures", resource=registry.everything)
def list_organizations_features(call: Call) -> Result:
    """Return which features of central root access are enabled."""
    return _answer(call, _administered(call))


@iam.operation("EnableOrganizationsRootCredentialsManagement", resource=registry.everything, effect=Effect.STATE)
def enable_organizations_root_credentials_management(call: Call) -> Result:
    """Let the organization's administrators take away and give back root credentials of members."""
    return _enable(call, central_root.CREDENTIALS_MANAGEMENT)


@iam.operation("DisableOrganizationsRootCredentialsManagement", resource=registry.everything, effect=Effect.STATE)
def disable_organizations_root_credentials_management(call: Call) -> Result:
    """Leave root credentials of members to themselves: sessions for that end at once."""
    return _disable(call, central_root.CREDENTIALS_MANAGEMENT)


@iam.operation("EnableOrganizationsRootSessions", resource=registry.everything, effect=Effect.STATE)
def enable_organizations_root_sessions(call: Call) -> Result:
    """Let the organization's administrators take on the root user of members to unlock buckets and queues."""
    return _enable(call, central_root.SESSIONS)


@iam.operation("DisableOrganizationsRootSessions", resource=registry.everything, effect=Effect.STATE)
def disable_organizations_root_sessions(call: Call) -> Result:
    """Let nobody take on the root user of members for that: sessions for it end at once."""
    return _disable(call, central_root.SESSIONS)


def _enable(call: Call, feature: str) -> Result:
    organization = _administered(call)
    # A delegated administrator may switch a feature off, but on only the management account may.
    if call.account_id != organization.management_account_id:
        raise errors.CallerIsNotManagementAccount(
            "The request was rejected because the account making the request is not the management account for the organization."
        )
    place = (organization.organization_id, organization.management_account_id)
    if feature not in organization_features.enabled(call.db, organization.organization_id):
        organization_features.add(call.db, FeatureRow(*place, feature, call.now))
    return _answer(call, organization)


def _disable(call: Call, feature: str) -> Result:
    organization = _administered(call)
    organization_features.remove(call.db, organization.organization_id, feature)
    return _answer(call, organization)


def _administered(call: Call) -> OrganizationRow:
    """Return the organization that the caller administers root access of; raises one of the documented refusals."""
    organization = organizations.of_account(call.db, call.account_id)
    if organization is None:
        raise errors.OrganizationNotFound("The request was rejected because no organization is associated with your account.")
    if not central_root.is_administrator(call.db, organization, call.account_id):
        raise errors.AccountNotManagementOrDelegate(
            "The request was rejected because the account making the request is not the management account or delegated "
            "administrator account for centralized root access."
        )
    if organization.feature_set != _ALL_FEATURES:
        raise errors.OrganizationNotInAllFeaturesMode(
            "The request was rejected because your organization does not have All features enabled."
        )
    if not central_root.is_trusted(call.db, organization):
        raise errors.ServiceAccessNotEnabled(
            "The request was rejected because trusted access is not enabled for IAM in Organizations."
        )
    return organization


def _answer(call: Call, organization: OrganizationRow) -> Result:
    features = organization_features.enabled(call.db, organization.organization_id)
    return {"OrganizationId": organization.organization_id, "EnabledFeatures": features}
