"""The AccountId parameter: whom an organization lets act on whose account."""

from __future__ import annotations

from typing import Any

import pytest
from tests.alerts.office import Mailbox
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal

SERVICE = "account.amazonaws.com"
CONTACT = {
    "Name": "Ada",
    "Title": "CISO",
    "EmailAddress": "ada@test.example",
    "PhoneNumber": "+15550100",
    "AlternateContactType": "SECURITY",
}
ADDRESS = {
    "FullName": "Ada",
    "AddressLine1": "1 Road",
    "City": "Bern",
    "PostalCode": "3000",
    "CountryCode": "CH",
    "PhoneNumber": "+15550100",
}


@pytest.fixture
def organization(crown: Crown) -> Organization:
    """An organization that trusts the Account service."""
    made = Organization(crown)
    made.client.enable_aws_service_access(ServicePrincipal=SERVICE)
    return made


def act(client: Any, account_id: str) -> dict[str, Any]:
    """Do everything that the service does for an account, and return what it then says of it."""
    named = {"AccountId": account_id}
    client.put_alternate_contact(**CONTACT, **named)
    client.put_contact_information(ContactInformation=ADDRESS, **named)
    client.put_account_name(AccountName="renamed", **named)
    client.enable_region(RegionName="af-south-1", **named)
    found = {
        "contact": client.get_alternate_contact(AlternateContactType="SECURITY", **named)["AlternateContact"]["Name"],
        "city": client.get_contact_information(**named)["ContactInformation"]["City"],
        "name": client.get_account_information(**named)["AccountName"],
        "region": client.get_region_opt_status(RegionName="af-south-1", **named)["RegionOptStatus"],
        "regions": "af-south-1" in [each["RegionName"] for each in client.list_regions(MaxResults=50, **named)["Regions"]],
    }
    client.disable_region(RegionName="af-south-1", **named)
    client.delete_alternate_contact(AlternateContactType="SECURITY", **named)
    return found


DONE = {"contact": "Ada", "city": "Bern", "name": "renamed", "region": "ENABLED", "regions": True}


def test_the_management_account_acts_on_members(organization: Organization):
    member = organization.invited()

    done = act(organization.management.client("account"), member.id)

    assert DONE == done
    assert "renamed" == member.client("account").get_account_information()["AccountName"]
    assert "renamed" != organization.management.client("account").get_account_information()["AccountName"]
    named = [each["eventName"] for each in organization.management.records()]
    assert 1 == named.count("PutAccountName")
    assert [] == [each for each in member.records() if each["eventName"] == "PutAccountName"]


def test_a_delegated_administrator_acts_on_members_and_never_on_the_management_account(organization: Organization):
    delegate, member = organization.invited(), organization.invited()
    client = delegate.client("account")
    before = refusal(client.get_account_information, AccountId=member.id)
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal=SERVICE)

    done = act(client, member.id)

    assert before.endswith("is not authorized to perform: account:GetAccountInformation")
    assert DONE == done
    said = refusal(client.get_account_information, AccountId=organization.management.id)
    assert "(The management account can only be managed using the standalone context from the management account.)" in said


def test_the_management_account_does_not_name_itself(organization: Organization):
    client = organization.management.client("account")

    said = refusal(client.get_contact_information, AccountId=organization.management.id)

    assert "(The management account can only be managed using the standalone context from the management account.)" in said


def test_nobody_is_named_before_the_service_is_trusted(organization: Organization):
    member = organization.invited()
    organization.client.disable_aws_service_access(ServicePrincipal=SERVICE)

    said = refusal(organization.management.client("account").get_account_information, AccountId=member.id)

    assert said.endswith("(Your organization must first enable trusted access with AWS Account Management.)")


def test_accounts_outside_of_the_organization_are_out_of_reach_whether_they_exist_or_not(
    organization: Organization, crown: Crown
):
    client = organization.management.client("account")

    asked = {refusal(client.get_account_information, AccountId=each) for each in (crown.account().id, "000000000001")}

    assert 1 == len(asked)
    assert asked.pop().endswith("is not authorized to perform: account:GetAccountInformation")


def test_a_member_names_neither_its_neighbours_nor_itself(organization: Organization):
    member, neighbour = organization.invited(), organization.invited()
    client = member.client("account")

    for account_id in (member.id, neighbour.id, organization.management.id):
        assert refusal(client.get_account_information, AccountId=account_id).endswith("account:GetAccountInformation")


def test_a_policy_may_limit_which_members_are_acted_on(organization: Organization):
    one, other = organization.invited(), organization.invited()
    arn = f"arn:aws:account::{organization.management.id}:account/{organization.id}/{one.id}"
    user = organization.management.user("lead", policy=allow("account:GetAccountInformation", on=arn))
    client = user.client("account")

    assert one.id == client.get_account_information(AccountId=one.id)["AccountId"]
    assert "AccessDenied" in refusal(client.get_account_information, AccountId=other.id)
    assert "AccessDenied" in refusal(client.get_account_information)


def test_a_member_hears_of_what_is_done_to_it_and_whoever_does_it_does_not(organization: Organization):
    member = organization.invited()
    said = f"An alternate contact of the account was set (account {member.id})"

    organization.management.client("account").put_alternate_contact(**CONTACT, AccountId=member.id)

    Mailbox(organization.crown, member.email).wait(said)
    assert said not in Mailbox(organization.crown, organization.management.email).subjects()


def test_a_member_that_is_closed_hears_of_it(organization: Organization):
    member = organization.invited()

    organization.client.close_account(AccountId=member.id)

    Mailbox(organization.crown, member.email).wait(f"The account was closed (account {member.id})")
    assert [] == [each for each in Mailbox(organization.crown, organization.management.email).subjects() if "closed" in each]


def test_a_call_that_is_refused_is_not_told_to_the_account_that_it_names(organization: Organization, crown: Crown):
    stranger = crown.account()

    refusal(organization.management.client("account").put_alternate_contact, **CONTACT, AccountId=stranger.id)

    assert [] == Mailbox(crown, stranger.email).subjects()
