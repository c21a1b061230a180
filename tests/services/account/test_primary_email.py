"""The address of a member's root user, changed by its organization."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from tests.alerts.office import Mailbox, text_of
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal

from crownkeep import clock


@pytest.fixture
def organization(crown: Crown) -> Organization:
    """An organization that trusts the Account service."""
    made = Organization(crown)
    made.client.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    return made


def start(organization: Organization, member: Account) -> tuple[str, str]:
    """Ask for another address, and return it with the code that went there."""
    address = f"new-{member.id}@test.example"
    client = organization.management.client("account")
    assert "PENDING" == client.start_primary_email_update(AccountId=member.id, PrimaryEmail=address)["Status"]
    message = text_of(Mailbox(organization.crown, address).wait("code"))
    found = re.search(r"^\s*([A-Za-z0-9]{6})\s*$", message, re.MULTILINE)
    assert found, message
    return address, found[1]


def test_the_code_that_went_to_the_new_address_changes_it_and_the_old_one_hears_of_it(organization: Organization):
    member = organization.invited()
    client = organization.management.client("account")
    before = client.get_primary_email(AccountId=member.id)["PrimaryEmail"]
    address, code = start(organization, member)

    accepted = client.accept_primary_email_update(AccountId=member.id, PrimaryEmail=address, Otp=code)

    assert ("ACCEPTED", member.email) == (accepted["Status"], before)
    assert address == client.get_primary_email(AccountId=member.id)["PrimaryEmail"]
    assert address == organization.client.describe_account(AccountId=member.id)["Account"]["Email"]
    Mailbox(organization.crown, member.email).wait("no longer the e-mail address")


def test_a_wrong_code_counts_and_five_void_the_change(organization: Organization):
    member = organization.invited()
    address, code = start(organization, member)
    client = organization.management.client("account")
    wrong = "aaaaaa" if code != "aaaaaa" else "bbbbbb"

    said = [refusal(client.accept_primary_email_update, AccountId=member.id, PrimaryEmail=address, Otp=wrong) for _ in range(5)]
    late = refusal(client.accept_primary_email_update, AccountId=member.id, PrimaryEmail=address, Otp=code)

    assert {"ValidationException: That code is wrong."} == set(said)
    assert late.startswith("ResourceNotFoundException: No code is waiting")
    assert member.email == client.get_primary_email(AccountId=member.id)["PrimaryEmail"]


def test_a_code_is_for_one_address_and_one_day(organization: Organization):
    member = organization.invited()
    address, code = start(organization, member)
    client = organization.management.client("account")

    other = refusal(client.accept_primary_email_update, AccountId=member.id, PrimaryEmail="other@test.example", Otp=code)
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=True):
        late = refusal(client.accept_primary_email_update, AccountId=member.id, PrimaryEmail=address, Otp=code)

    assert other == late
    assert other.startswith("ResourceNotFoundException: No code is waiting")


def test_addresses_that_are_taken_the_same_or_none_are_refused(organization: Organization):
    member = organization.invited()
    client = organization.management.client("account")

    def ask(address: str) -> str:
        return refusal(client.start_primary_email_update, AccountId=member.id, PrimaryEmail=address)

    assert ask(organization.management.email).startswith("ConflictException: Another account uses this email address.")
    assert ask(member.email).startswith("ConflictException: That is the root user's email address already.")
    assert ask("nobody").startswith("ValidationException: ")


def test_an_account_is_sent_five_codes_an_hour(organization: Organization):
    member = organization.invited()
    client = organization.management.client("account")

    for number in range(5):
        client.start_primary_email_update(AccountId=member.id, PrimaryEmail=f"{number}-{member.id}@test.example")

    said = refusal(client.start_primary_email_update, AccountId=member.id, PrimaryEmail=f"5-{member.id}@test.example")
    assert said.startswith("TooManyRequestsException")


def test_a_member_changes_neither_its_own_nor_anybody_elses(organization: Organization):
    member, neighbour = organization.invited(), organization.invited()
    client = member.client("account")

    for account_id in (member.id, neighbour.id, organization.management.id):
        address = f"taken-over-{account_id}@test.example"
        assert refusal(client.get_primary_email, AccountId=account_id).endswith("account:GetPrimaryEmail")
        said = refusal(client.start_primary_email_update, AccountId=account_id, PrimaryEmail=address)
        assert said.endswith("account:StartPrimaryEmailUpdate")


def test_a_policy_may_limit_where_roots_mail_goes(organization: Organization):
    member = organization.invited()
    policy = allow("account:StartPrimaryEmailUpdate", StringEquals={"account:EmailTargetDomain": "acme.example"})
    client = organization.management.user("lead", policy=policy).client("account")

    client.start_primary_email_update(AccountId=member.id, PrimaryEmail=f"{member.id}@Acme.example")

    said = refusal(client.start_primary_email_update, AccountId=member.id, PrimaryEmail="thief@mischief.example")
    assert "is not authorized to perform: account:StartPrimaryEmailUpdate" in said
