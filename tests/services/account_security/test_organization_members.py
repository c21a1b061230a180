"""How members stand, and what binds an account: told to who administers them, and to the account itself."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import SCP, Organization, deny
from tests.services.iam.asking import refusal


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def test_an_organization_sees_how_its_members_roots_stand_at_once(organization: Organization):
    organization.trust_iam("RootCredentialsManagement")
    invited, created = organization.invited(), organization.created()
    contact = {"Name": "A", "Title": "B", "EmailAddress": "a@test.example", "PhoneNumber": "+49 30 1"}
    invited.client("account").put_alternate_contact(AlternateContactType="SECURITY", **contact)
    security = organization.management.client("account-security")

    found = security.list_member_security(AccountIds=[invited.id, created, "999999999999"])["Members"]

    by_id = {each["AccountId"]: each for each in found}
    assert {invited.id, created} == set(by_id)
    assert (1, True) == (by_id[invited.id]["RootAccessKeys"], by_id[invited.id]["HasSecurityContact"])
    assert (False, False, 0) == tuple(by_id[created][name] for name in ("RootHasPassword", "RootMayRecover", "RootAccessKeys"))


def test_a_member_an_outsider_and_another_organization_learn_nothing_of_members(organization: Organization, crown: Crown):
    member, outsider, other = organization.invited(), crown.account(), Organization(crown)

    for account in (member, outsider):
        asked = refusal(account.client("account-security").list_member_security, AccountIds=[organization.management.id])
        assert "AccessDenied" in asked
    assert [] == other.management.client("account-security").list_member_security(AccountIds=[member.id])["Members"]


def test_a_delegated_administrator_of_iam_sees_how_members_stand(organization: Organization):
    member, delegate = organization.invited(), organization.invited()
    organization.trust_iam("RootCredentialsManagement")
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="iam.amazonaws.com")

    found = delegate.client("account-security").list_member_security(AccountIds=[member.id])["Members"]

    assert [member.id] == [each["AccountId"] for each in found]


def test_a_member_sees_which_policies_bind_it_and_where_they_come_from(organization: Organization):
    unit = organization.unit("Workloads")
    member = organization.invited(under=unit)
    policy = organization.bind(deny("s3:DeleteBucket"), unit)
    organization.bind(deny("s3:*"), organization.unit("Elsewhere"))

    found = member.client("account-security").list_binding_policies()["BindingPolicies"]

    bound = [(each["PolicyId"], each["AttachedToType"], each["AttachedToName"]) for each in found if each["Type"] == SCP]
    assert (policy, "ORGANIZATIONAL_UNIT", "Workloads") in bound
    assert 3 == len([each for each in found if each["Name"] == "FullAWSAccess"])
    assert 4 == len(bound)
    assert [] == organization.management.client("account-security").list_binding_policies()["BindingPolicies"]
