"""Central management of member accounts' root users, and reports on an organization: refused where there is no organization."""

from __future__ import annotations

from crownkeep import arn, errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam.service import iam


def reported_path(call: Call, *, entity_path: str, organizations_policy_id: str | None = None, **_: object) -> Target:
    """The path in the organization that a report is about, and the policy where one is named."""
    context = {} if organizations_policy_id is None else {"iam:OrganizationsPolicyId": organizations_policy_id}
    return Target(arn.iam(call.account_id, f"access-report/{entity_path}"), context=context)


@iam.operation("ListOrganizationsFeatures", resource=registry.everything)
def list_organizations_features(call: Call) -> Result:
    """Answer which features of central root access are enabled."""
    raise _no_organization()


@iam.operation("EnableOrganizationsRootCredentialsManagement", resource=registry.everything, effect=Effect.STATE)
def enable_organizations_root_credentials_management(call: Call) -> Result:
    """Let the management account take away and give back root credentials of members."""
    raise _no_organization()


@iam.operation("DisableOrganizationsRootCredentialsManagement", resource=registry.everything, effect=Effect.STATE)
def disable_organizations_root_credentials_management(call: Call) -> Result:
    """Leave root credentials of members to themselves."""
    raise _no_organization()


@iam.operation("EnableOrganizationsRootSessions", resource=registry.everything, effect=Effect.STATE)
def enable_organizations_root_sessions(call: Call) -> Result:
    """Let the management account take on the root user of members for single tasks."""
    raise _no_organization()


@iam.operation("DisableOrganizationsRootSessions", resource=registry.everything, effect=Effect.STATE)
def disable_organizations_root_sessions(call: Call) -> Result:
    """Let nobody take on the root user of members."""
    raise _no_organization()


@iam.operation("GenerateOrganizationsAccessReport", resource=reported_path, effect=Effect.STATE)
def generate_organizations_access_report(call: Call, *, entity_path: str, organizations_policy_id: str | None = None) -> Result:
    """Ask for a report on what an organization's policies leave to a root, unit or account."""
    raise _no_organization()


@iam.operation("GetOrganizationsAccessReport", resource=registry.everything)
def get_organizations_access_report(
    call: Call,
    *,
    job_id: str,
    max_items: int | None = None,
    marker: str | None = None,
    sort_key: str | None = None,
) -> Result:
    """Answer a report on an organization, of which none can have been asked for."""
    raise errors.NoSuchEntity(f"The job with id {job_id} cannot be found.")


def _no_organization() -> errors.OrganizationNotFound:
    return errors.OrganizationNotFound("The request was rejected because no organization is associated with your account.")
