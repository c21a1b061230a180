"""Central root access, switched on and off: by whom, in which state of the organization, and what is then told."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, allow
from tests.services.iam.asking import refusal

CREDENTIALS, SESSIONS = "RootCredentialsManagement", "RootSessions"
IAM = "iam.amazonaws.com"
NOT_ADMINISTRATOR = "AccountNotManagementOrDelegatedAdministratorException"


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def every(iam: Any) -> list[Any]:
    return [
        iam.list_organizations_features,
        iam.enable_organizations_root_credentials_management,
        iam.disable_organizations_root_credentials_management,
        iam.enable_organizations_root_sessions,
        iam.disable_organizations_root_sessions,
    ]


def codes(iam: Any) -> list[str]:
    return [refusal(each).partition(":")[0] for each in every(iam)]


def features(iam: Any) -> list[str]:
    return list(iam.list_organizations_features()["EnabledFeatures"])


def test_features_are_switched_on_and_off_one_by_one(organization: Organization):
    organization.trust_iam()
    iam = organization.management.client("iam")

    seen = [features(iam)]
    seen.append(iam.enable_organizations_root_sessions()["EnabledFeatures"])
    answer = iam.enable_organizations_root_credentials_management()
    seen.append(answer["EnabledFeatures"])
    seen.append(iam.disable_organizations_root_sessions()["EnabledFeatures"])

    assert [[], [SESSIONS], [CREDENTIALS, SESSIONS], [CREDENTIALS]] == seen
    assert organization.id == answer["OrganizationId"]
    assert [CREDENTIALS] == features(iam)


def test_what_is_on_may_be_switched_on_again_and_what_is_off_off(organization: Organization):
    organization.trust_iam()
    iam = organization.management.client("iam")
    iam.enable_organizations_root_sessions()

    iam.enable_organizations_root_sessions()
    iam.disable_organizations_root_credentials_management()

    assert [SESSIONS] == features(iam)


def test_without_an_organization_there_are_no_features(account: Account):
    assert ["OrganizationNotFoundException"] * 5 == codes(account.client("iam"))


def test_an_organization_that_consolidates_bills_has_no_features(crown: Crown):
    organization = Organization(crown, FeatureSet="CONSOLIDATED_BILLING")

    assert ["OrganizationNotInAllFeaturesModeException"] * 5 == codes(organization.management.client("iam"))


def test_without_trusted_access_features_are_hidden_and_not_forgotten(organization: Organization):
    organization.trust_iam(CREDENTIALS)
    iam = organization.management.client("iam")

    organization.client.disable_aws_service_access(ServicePrincipal=IAM)
    hidden = codes(iam)
    organization.client.enable_aws_service_access(ServicePrincipal=IAM)

    assert ["ServiceAccessNotEnabledException"] * 5 == hidden
    assert [CREDENTIALS] == features(iam)


def test_members_neither_see_nor_switch_features(organization: Organization):
    organization.trust_iam(CREDENTIALS)
    member = organization.invited()

    assert [NOT_ADMINISTRATOR] * 5 == codes(member.client("iam"))
    assert [NOT_ADMINISTRATOR] * 5 == codes(member.root("iam"))


def test_a_delegate_lists_and_switches_off_and_the_management_account_alone_switches_on(organization: Organization):
    organization.trust_iam(CREDENTIALS, SESSIONS)
    delegate = organization.invited()
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal=IAM)
    iam = delegate.client("iam")

    assert [CREDENTIALS, SESSIONS] == features(iam)
    assert [CREDENTIALS] == iam.disable_organizations_root_sessions()["EnabledFeatures"]
    assert refusal(iam.enable_organizations_root_sessions).startswith("CallerIsNotManagementAccountException")
    assert refusal(iam.enable_organizations_root_credentials_management).startswith("CallerIsNotManagementAccountException")


def test_a_delegate_of_another_service_sees_nothing(organization: Organization):
    organization.trust_iam(CREDENTIALS)
    delegate = organization.invited()
    organization.client.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="sso.amazonaws.com")

    assert [NOT_ADMINISTRATOR] * 5 == codes(delegate.client("iam"))


def test_each_switch_takes_its_own_permission(organization: Organization):
    organization.trust_iam()
    user = organization.management.user("bob", policy=allow("iam:EnableOrganizationsRootSessions"))
    iam = user.client("iam")

    iam.enable_organizations_root_sessions()

    assert refusal(iam.enable_organizations_root_credentials_management).startswith("AccessDenied")
    assert refusal(iam.list_organizations_features).startswith("AccessDenied")


def test_an_organization_that_ends_takes_its_features_with_it(organization: Organization):
    organization.trust_iam(CREDENTIALS)
    organization.client.delete_organization()
    organization.client.create_organization()
    organization.trust_iam()

    assert [] == features(organization.management.client("iam"))
