"""Users: made, found without regard to case, renamed, bounded and deleted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.services.iam.asking import allow, refusal, status

from crownkeep.storage.database import Database
from crownkeep.storage.identities import users
from crownkeep.storage.identities.users import UserRow

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_a_new_user_is_described_by_what_it_has_and_no_more(account):
    created = account.client("iam").create_user(UserName="Bob", Path="/staff/")["User"]

    assert {"Path", "UserName", "UserId", "Arn", "CreateDate"} == created.keys()
    assert f"arn:aws:iam::{account.id}:user/staff/Bob" == created["Arn"]
    assert created["UserId"].startswith("AIDA")


def test_tags_and_boundary_are_answered_by_create_and_get_but_not_by_list(account):
    iam = account.client("iam")

    created = iam.create_user(UserName="bob", PermissionsBoundary=READ_ONLY, Tags=[{"Key": "team", "Value": "blue"}])["User"]

    boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY}
    assert (boundary, [{"Key": "team", "Value": "blue"}]) == (created["PermissionsBoundary"], created["Tags"])
    assert created == iam.get_user(UserName="bob")["User"]
    listed = next(user for user in iam.list_users()["Users"] if user["UserName"] == "bob")
    assert {"Path", "UserName", "UserId", "Arn", "CreateDate"} == listed.keys()


def test_a_user_is_found_whatever_the_case_of_its_name_and_keeps_its_own(account):
    iam = account.client("iam")
    iam.create_user(UserName="Bob")

    found = iam.get_user(UserName="bOB")["User"]

    assert "Bob" == found["UserName"]
    assert "EntityAlreadyExists: User with name BOB already exists." == refusal(iam.create_user, UserName="BOB")


def test_without_a_name_the_caller_is_answered(account):
    root = account.root("iam").get_user()["User"]
    own = account.client("iam").get_user()["User"]

    assert (account.id, f"arn:aws:iam::{account.id}:root") == (root["UserId"], root["Arn"])
    assert not {"UserName", "Path"} & root.keys()
    assert "admin" == own["UserName"]


def test_a_user_that_is_not_there_cannot_be_found(account):
    iam = account.client("iam")

    for operation in (iam.get_user, iam.delete_user, iam.update_user, iam.list_groups_for_user, iam.list_user_tags):
        assert "NoSuchEntity: The user with name nobody cannot be found." == refusal(operation, UserName="nobody")
    assert 404 == status(iam.get_user, UserName="nobody")


def test_users_are_listed_by_name_without_regard_to_case_page_by_page(account):
    iam = account.client("iam")
    for name in ("carol", "Bob", "alice", "Dave"):
        iam.create_user(UserName=name, Path="/staff/")

    pages = iam.get_paginator("list_users").paginate(PathPrefix="/staff/", PaginationConfig={"PageSize": 3})

    assert [["alice", "Bob", "carol"], ["Dave"]] == [[user["UserName"] for user in page["Users"]] for page in pages]


def test_a_path_prefix_is_matched_letter_for_letter(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob", Path="/Staff/")

    assert [] == iam.list_users(PathPrefix="/staff/")["Users"]
    assert [] == iam.list_users(PathPrefix="/St_ff/")["Users"]
    assert ["bob"] == [user["UserName"] for user in iam.list_users(PathPrefix="/Sta")["Users"]]


def test_a_marker_is_good_for_its_own_list_and_account_only(account, crown):
    iam = account.client("iam")
    iam.create_user(UserName="bob")

    marker = iam.list_users(MaxItems=1)["Marker"]

    assert "ValidationError: Invalid Marker." == refusal(iam.list_groups, Marker=marker)
    assert "ValidationError: Invalid Marker." == refusal(iam.list_users, Marker=marker, PathPrefix="/a/")
    assert "ValidationError: Invalid Marker." == refusal(crown.account().client("iam").list_users, Marker=marker)


def test_a_renamed_user_keeps_its_id_its_key_and_its_groups(account):
    iam = account.client("iam")
    bob = account.user("bob", policy=allow("iam:GetUser"))
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    before = iam.get_user(UserName="bob")["User"]

    iam.update_user(UserName="bob", NewUserName="Robert", NewPath="/staff/")

    after = bob.client("iam").get_user()["User"]
    assert (before["UserId"], f"arn:aws:iam::{account.id}:user/staff/Robert") == (after["UserId"], after["Arn"])
    assert ["staff"] == [group["GroupName"] for group in iam.list_groups_for_user(UserName="robert")["Groups"]]


def test_only_the_case_of_a_name_may_change_but_no_other_users_name_be_taken(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.create_user(UserName="carol")

    iam.update_user(UserName="bob", NewUserName="BOB")

    assert "BOB" == iam.get_user(UserName="bob")["User"]["UserName"]
    assert "EntityAlreadyExists: User with name Carol already exists." == refusal(
        iam.update_user, UserName="bob", NewUserName="Carol"
    )


def test_whoever_may_rename_some_users_cannot_move_one_to_where_others_rule(account):
    account.client("iam").create_user(UserName="bob", Path="/dev/")
    renamer = account.user("renamer", policy=allow("iam:UpdateUser", on=f"arn:aws:iam::{account.id}:user/dev/*"))

    answer = refusal(renamer.client("iam").update_user, UserName="bob", NewPath="/admin/")

    renamer.client("iam").update_user(UserName="bob", NewUserName="robert")
    assert answer.startswith("AccessDenied: ")
    assert f"on resource: arn:aws:iam::{account.id}:user/admin/bob" in answer


def test_a_user_is_deleted_only_when_nothing_of_it_is_left(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn=READ_ONLY)
    iam.put_user_policy(
        UserName="bob",
        PolicyName="inline",
        PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
    )
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="bob", Password="correct Horse 1")
    steps = [
        ("detach all policies", iam.detach_user_policy, {"UserName": "bob", "PolicyArn": READ_ONLY}),
        ("delete policies", iam.delete_user_policy, {"UserName": "bob", "PolicyName": "inline"}),
        ("remove users from group", iam.remove_user_from_group, {"UserName": "bob", "GroupName": "staff"}),
        ("delete access keys", iam.delete_access_key, {"UserName": "bob", "AccessKeyId": key}),
        ("delete login profile", iam.delete_login_profile, {"UserName": "bob"}),
    ]

    for what, removes, parameters in steps:
        assert f"DeleteConflict: Cannot delete entity, must {what} first." == refusal(iam.delete_user, UserName="bob")
        removes(**parameters)

    iam.delete_user(UserName="bob")
    assert 404 == status(iam.get_user, UserName="bob")


def test_a_name_that_is_used_again_is_another_user(account):
    iam = account.client("iam")
    first = iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "blue"}])["User"]
    iam.delete_user(UserName="bob")

    second = iam.create_user(UserName="bob")["User"]

    assert first["UserId"] != second["UserId"]
    assert [] == iam.list_user_tags(UserName="bob")["Tags"]


def test_a_boundary_limits_at_once_and_until_it_is_taken_away(account):
    iam = account.client("iam")
    bob = account.user("bob", arn=ADMINISTRATOR)

    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=READ_ONLY)

    answer = refusal(bob.client("iam").create_group, GroupName="staff")
    assert "because no permissions boundary allows the iam:CreateGroup action" in answer
    iam.delete_user_permissions_boundary(UserName="bob")
    bob.client("iam").create_group(GroupName="staff")
    assert "PermissionsBoundary" not in iam.get_user(UserName="bob")["User"]


@pytest.mark.parametrize("operation", ["create_user", "put_user_permissions_boundary"])
def test_a_boundary_must_be_a_policy_that_exists(account, operation):
    iam = account.client("iam")
    if operation == "put_user_permissions_boundary":
        iam.create_user(UserName="bob")
    missing = f"arn:aws:iam::{account.id}:policy/missing"

    answer = refusal(getattr(iam, operation), UserName="bob", PermissionsBoundary=missing)
    malformed = refusal(getattr(iam, operation), UserName="bob", PermissionsBoundary="arn:aws:s3:::some-bucket")

    assert f"NoSuchEntity: Scope ARN: {missing} does not exist or is not attachable." == answer
    assert "InvalidInput: ARN arn:aws:s3:::some-bucket is not valid." == malformed


def test_a_policy_may_demand_a_boundary_for_new_users(account):
    condition = {"StringEquals": {"iam:PermissionsBoundary": READ_ONLY}}
    maker = account.user("maker", policy=allow("iam:CreateUser", **condition)).client("iam")

    maker.create_user(UserName="bob", PermissionsBoundary=READ_ONLY)

    assert refusal(maker.create_user, UserName="carol").startswith("AccessDenied: ")
    assert refusal(maker.create_user, UserName="carol", PermissionsBoundary=ADMINISTRATOR).startswith("AccessDenied: ")


def test_a_list_is_refused_by_the_path_it_asks_for(account):
    nobody = account.user("nobody").client("iam")

    answer = refusal(nobody.list_users, PathPrefix="/staff/")

    assert f"on resource: arn:aws:iam::{account.id}:user/staff/ because no identity-based policy allows" in answer


def test_users_of_another_account_cannot_be_seen(account, crown):
    account.client("iam").create_user(UserName="bob")

    other = crown.account().root("iam")

    assert ["admin"] == [user["UserName"] for user in other.list_users()["Users"]]
    assert 404 == status(other.get_user, UserName="bob")


def test_an_account_has_five_thousand_users_and_room_again_when_one_goes(account):
    iam = account.client("iam")
    fill(account, 4999)

    answer = refusal(iam.create_user, UserName="one-too-many")
    iam.delete_user(UserName="user-0")
    iam.create_user(UserName="fits")

    assert "LimitExceeded: Cannot exceed quota for UsersPerAccount: 5000" == answer
    assert refusal(iam.create_user, UserName="one-too-many").startswith("LimitExceeded: ")


def fill(account, count):
    database = Database(account.crown.settings.database_url)
    with database.transaction() as db:
        for number in range(count):
            name, now = f"user-{number}", datetime.now(UTC)
            users.add(db, UserRow(f"AIDA{account.id}{number:05}", account.id, name, name, "/", now, None, None))
    database.close()
