"""People, groups and who is in which, as callers make, find and change them."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.single_sign_on import SingleSignOn
from tests.fixtures.statements import given
from tests.services.iam.asking import allow, refusal

ANN = {"UserName": "ann", "Name": {"GivenName": "Ann", "FamilyName": "Lee"}, "DisplayName": "Ann Lee"}


def test_a_person_is_described_as_it_was_made(sso: SingleSignOn):
    email = {"Value": "Ann@acme.example", "Type": "work", "Primary": True}
    made = sso.people.create_user(**sso.store, **ANN, Title="Engineer", Emails=[email])

    found = sso.people.describe_user(**sso.store, UserId=made["UserId"])

    assert {**ANN, "Title": "Engineer", "Emails": [email], "UserStatus": "ENABLED", "Revision": "1"}.items() <= found.items()
    assert f"arn:aws:identitystore:::user/{made['UserId']}" == found["UserArn"] == made["UserArn"]
    assert f"arn:aws:iam::{sso.management.id}:user/admin" == found["CreatedBy"]
    assert [made["UserId"]] == [each["UserId"] for each in sso.people.list_users(**sso.store)["Users"]]


@pytest.mark.parametrize("missing", ["DisplayName", "Name"])
def test_what_a_person_must_have_is_named(sso: SingleSignOn, missing: str):
    given = {name: value for name, value in ANN.items() if name != missing}

    said = refusal(sso.people.create_user, **sso.store, **given)

    assert f"ValidationException: {missing.lower()}: The attribute {missing.lower()} is required" == said


def test_user_names_and_addresses_are_unique_whatever_their_case(sso: SingleSignOn):
    sso.people.create_user(**sso.store, **ANN, Emails=[{"Value": "ann@acme.example"}])

    namesake = refusal(sso.people.create_user, **sso.store, **{**ANN, "UserName": "ANN"})
    other = {**ANN, "UserName": "bob", "Emails": [{"Value": "ANN@acme.example"}]}

    assert "ConflictException: Duplicate UserName" == namesake
    assert "ConflictException: Duplicate Email" == refusal(sso.people.create_user, **sso.store, **other)


def test_people_are_found_by_user_name_and_by_address_without_regard_to_case(sso: SingleSignOn):
    user_id = sso.people.create_user(**sso.store, **ANN, Emails=[{"Value": "ann@acme.example"}])["UserId"]

    def by(path: str, value: str) -> str:
        asked = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}
        return str(sso.people.get_user_id(**sso.store, AlternateIdentifier=asked)["UserId"])

    assert [user_id] * 2 == [by("userName", "Ann"), by("emails.value", "ANN@acme.example")]
    filters = [{"AttributePath": "UserName", "AttributeValue": "ann"}]
    assert [user_id] == [each["UserId"] for each in sso.people.list_users(**sso.store, Filters=filters)["Users"]]
    unknown = {"UniqueAttribute": {"AttributePath": "nickName", "AttributeValue": "x"}}
    said = refusal(sso.people.get_user_id, **sso.store, AlternateIdentifier=unknown)
    assert "ValidationException: The attribute nickName is not a unique attribute" == said


def test_attributes_change_by_path_and_only_as_the_model_has_them(sso: SingleSignOn):
    user_id = sso.user("ann")

    def change(path: str, value: object) -> None:
        sso.people.update_user(**sso.store, UserId=user_id, Operations=[{"AttributePath": path, "AttributeValue": value}])

    change("name.givenName", "Anna")
    change("emails", [{"value": "anna@acme.example", "primary": True}])
    change("nickName", "A")
    change("nickName", None)

    found = sso.people.describe_user(**sso.store, UserId=user_id)
    assert ("Anna", [{"Value": "anna@acme.example", "Primary": True}], "5") == (
        found["Name"]["GivenName"],
        found["Emails"],
        found["Revision"],
    )
    assert "NickName" not in found


@pytest.mark.parametrize(
    ("path", "value"),
    [("title", 7), ("emails", "ann"), ("emails", [{"Value": 1}]), ("name.given.name", "x"), ("userId", "x"), ("colour", "red")],
)
def test_mass_assignment_by_paths_and_values_of_other_shapes_is_refused(sso: SingleSignOn, path: str, value: object):
    user_id = sso.user("ann")
    before = sso.people.describe_user(**sso.store, UserId=user_id)

    said = refusal(
        sso.people.update_user, **sso.store, UserId=user_id, Operations=[{"AttributePath": path, "AttributeValue": value}]
    )

    assert said.startswith("ValidationException: ")
    after = sso.people.describe_user(**sso.store, UserId=user_id)
    assert {**before, "ResponseMetadata": 0} == {**after, "ResponseMetadata": 0}


def test_a_change_that_has_not_seen_the_latest_one_is_refused(sso: SingleSignOn):
    user_id = sso.user("ann")
    change = {"UserId": user_id, "Operations": [{"AttributePath": "title", "AttributeValue": "x"}]}
    sso.people.update_user(**sso.store, **change, Revision="1")

    said = refusal(sso.people.update_user, **sso.store, **change, Revision="1")

    assert "ConflictException: The resource was modified by another request." == said
    assert said == refusal(sso.people.delete_user, **sso.store, UserId=user_id, Revision="1")


def test_groups_are_made_found_renamed_and_deleted(sso: SingleSignOn):
    group_id = sso.people.create_group(**sso.store, DisplayName="Ops", Description="On call")["GroupId"]
    operations = [{"AttributePath": "displayName", "AttributeValue": "Operations"}]

    sso.people.update_group(**sso.store, GroupId=group_id, Operations=operations)

    found = sso.people.describe_group(**sso.store, GroupId=group_id)
    assert ("Operations", "On call", "2") == (found["DisplayName"], found["Description"], found["Revision"])
    asked = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "operations"}}
    assert group_id == sso.people.get_group_id(**sso.store, AlternateIdentifier=asked)["GroupId"]
    duplicate = refusal(sso.people.create_group, **sso.store, DisplayName="OPERATIONS")
    assert "ConflictException: Duplicate GroupDisplayName" == duplicate
    sso.people.delete_group(**sso.store, GroupId=group_id)
    missing = refusal(sso.people.describe_group, **sso.store, GroupId=group_id)
    assert "ResourceNotFoundException: GROUP not found." == missing


def test_memberships_are_listed_from_both_ends(sso: SingleSignOn):
    ann, bob = sso.user("ann"), sso.user("bob")
    ops, dev = sso.group("ops", ann, bob), sso.group("dev", ann)
    member = {"UserId": ann}

    of_ops = sso.people.list_group_memberships(**sso.store, GroupId=ops)["GroupMemberships"]
    of_ann = sso.people.list_group_memberships_for_member(**sso.store, MemberId=member)["GroupMemberships"]

    assert {ann, bob} == {each["MemberId"]["UserId"] for each in of_ops}
    assert {ops, dev} == {each["GroupId"] for each in of_ann}
    asked = sso.people.is_member_in_groups(**sso.store, MemberId={"UserId": bob}, GroupIds=[ops, dev])["Results"]
    assert [(ops, True), (dev, False)] == [(each["GroupId"], each["MembershipExists"]) for each in asked]
    found = sso.people.get_group_membership_id(**sso.store, GroupId=ops, MemberId=member)["MembershipId"]
    again = refusal(sso.people.create_group_membership, **sso.store, GroupId=ops, MemberId=member)
    assert "ConflictException: Member and Group relationship already exists." == again
    sso.people.delete_group_membership(**sso.store, MembershipId=found)
    gone = refusal(sso.people.describe_group_membership, **sso.store, MembershipId=found)
    assert "ResourceNotFoundException: GROUP_MEMBERSHIP not found." == gone


def test_a_recreated_person_has_nothing_of_its_namesake(sso: SingleSignOn):
    group_id = sso.group("ops", sso.user("ann"))
    first = sso.people.list_users(**sso.store)["Users"][0]["UserId"]
    sso.people.delete_user(**sso.store, UserId=first)

    second = sso.user("ann")

    assert first != second
    assert [] == sso.people.list_group_memberships(**sso.store, GroupId=group_id)["GroupMemberships"]


def test_another_account_is_told_of_no_store_that_is_not_its_own(sso: SingleSignOn, crown: Crown):
    stranger = crown.account().client("identitystore")
    user_id = sso.user("ann")

    said = refusal(stranger.describe_user, **sso.store, UserId=user_id)

    assert "ResourceNotFoundException: IDENTITY_STORE not found." == said
    assert [] == stranger.list_identity_stores()["IdentityStores"]
    assert said == refusal(stranger.list_users, IdentityStoreId="d-0000000000")


def test_a_policy_must_allow_the_user_and_the_store_it_is_in(sso: SingleSignOn):
    user_id, users = sso.user("ann"), "arn:aws:identitystore:::user/*"
    store = sso.people.describe_identity_store(**sso.store)["IdentityStoreArn"]
    carol = sso.management.user("carol", policy=allow("identitystore:DescribeUser", on=users)).client("identitystore")
    dave = sso.management.user("dave", policy=allow("identitystore:DescribeUser", on=[users, store])).client("identitystore")

    without_store = refusal(carol.describe_user, **sso.store, UserId=user_id)

    assert without_store.startswith("AccessDeniedException: ")
    assert store in without_store
    assert user_id == dave.describe_user(**sso.store, UserId=user_id)["UserId"]


def test_lists_go_on_where_the_page_before_ended(sso: SingleSignOn):
    made = {sso.user(f"user-{number}") for number in range(5)}

    pages = sso.people.get_paginator("list_users").paginate(**sso.store, PaginationConfig={"PageSize": 2})

    assert made == {each["UserId"] for page in pages for each in page["Users"]}
    other = sso.people.list_groups
    token = sso.people.list_users(**sso.store, MaxResults=1)["NextToken"]
    assert "ValidationException: Invalid NextToken." == refusal(other, **sso.store, NextToken=token)


def test_a_call_acts_on_the_people_and_groups_that_it_was_decided_on(sso: SingleSignOn):
    ann, team = sso.user("ann"), sso.group("team")
    member = {**sso.store, "GroupId": team, "MemberId": {"UserId": ann}}
    by_name = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "ann"}}

    with given() as asked:
        membership = sso.people.create_group_membership(**member)["MembershipId"]
        sso.people.describe_user(**sso.store, UserId=ann)
        sso.people.get_user_id(**sso.store, AlternateIdentifier=by_name)
        sso.people.get_group_membership_id(**member)
        sso.people.list_group_memberships_for_member(**sso.store, MemberId={"UserId": ann})
        sso.people.delete_group_membership(**sso.store, MembershipId=membership)

    lookups = [each.text for each in asked if each.text.startswith("SELECT")]
    assert 6 == sum("FROM sso_instances" in text for text in lookups)
    assert 4 == sum("FROM directory_users" in text for text in lookups)
    assert 1 == sum("FROM directory_groups" in text for text in lookups)


def test_denial_of_service_a_name_with_a_nul_is_no_outage(sso: SingleSignOn):
    named = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "ann\x00"}}

    said = refusal(sso.people.get_user_id, **sso.store, AlternateIdentifier=named)

    assert said.startswith("ValidationException: ")
