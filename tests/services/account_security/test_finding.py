"""Finding by a part of the name: what the caller may list is found, and nothing else is."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow

MEMBERS = ("Users", "Groups", "Roles", "Policies")


@pytest.fixture
def named(account: Account) -> Account:
    """An account with one thing of each kind whose name holds `harbour`."""
    iam = account.client("iam")
    iam.create_user(UserName="Harbour-Master", Path="/people/")
    iam.create_user(UserName="old-harbour_keeper")
    iam.create_group(GroupName="harbour")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
    iam.create_role(RoleName="read-harbour", AssumeRolePolicyDocument=trust)
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
    iam.create_policy(PolicyName="HarbourFiles", PolicyDocument=document)
    return account


def test_a_part_of_a_name_finds_every_kind_whatever_its_case_and_beginnings_first(named: Account):
    found = named.client("account-security").find_names(Text="HARBOUR")

    assert ["Harbour-Master", "old-harbour_keeper"] == [each["Name"] for each in found["Users"]]
    assert [["harbour"], ["read-harbour"], ["HarbourFiles"]] == [[each["Name"] for each in found[kind]] for kind in MEMBERS[1:]]
    assert f"arn:aws:iam::{named.id}:user/people/Harbour-Master" == found["Users"][0]["Arn"]
    assert [] == found["NotPermitted"]


def test_letters_that_mean_something_in_a_pattern_are_only_letters(named: Account):
    security = named.client("account-security")

    assert ["old-harbour_keeper"] == [each["Name"] for each in security.find_names(Text="r_k")["Users"]]
    assert [[], [], []] == [security.find_names(Text=text)["Users"] for text in ("%", "d_harbour", "\\")]


def test_policies_of_aws_are_found_beside_own_ones(account: Account):
    found = account.client("account-security").find_names(Text="readonlyaccess", MaxItems=3)["Policies"]

    assert ["ReadOnlyAccess", 3] == [found[0]["Name"], len(found)]
    assert "arn:aws:iam::aws:policy/ReadOnlyAccess" == found[0]["Arn"]


def test_a_person_without_the_permission_to_list_finds_none_of_a_kind(named: Account):
    reader = named.user("reader", policy=allow("iam:ListGroups"))

    found = reader.client("account-security").find_names(Text="harbour")

    assert [[], ["harbour"], [], []] == [[each["Name"] for each in found[kind]] for kind in MEMBERS]
    assert ["iam:ListUsers", "iam:ListRoles", "iam:ListPolicies"] == found["NotPermitted"]


def test_a_session_that_iam_refuses_finds_nothing_by_another_door(named: Account):
    user = named.user("bob", policy=allow("iam:*", "sts:*"))
    session = user.client("sts").get_session_token()["Credentials"]

    found = named.crown.session(session, "account-security").find_names(Text="harbour")

    assert [[], [], [], []] == [found[kind] for kind in MEMBERS]


def test_accounts_are_found_by_the_organization_that_manages_them_alone(crown: Crown):
    organization = Organization(crown)
    member = organization.invited()
    name = organization.client.describe_account(AccountId=member.id)["Account"]["Name"]

    found = organization.management.client("account-security").find_names(Text=name[1:])
    by_id = organization.management.client("account-security").find_names(Text=member.id[2:])
    elsewhere = member.client("account-security").find_names(Text=name[1:])
    outside = crown.account().client("account-security").find_names(Text=name[1:])

    assert member.id in [each["Id"] for each in found["Accounts"]]
    assert [member.id] == [each["Id"] for each in by_id["Accounts"]]
    assert "Accounts" not in {**elsewhere, **outside}
