"""Groups and who belongs to them."""

from __future__ import annotations

from tests.services.iam.asking import allow, refusal, status

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ANYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def test_a_new_group_is_described_and_found_whatever_the_case_of_its_name(account):
    iam = account.client("iam")

    created = iam.create_group(GroupName="Staff", Path="/all/")["Group"]

    assert {"Path", "GroupName", "GroupId", "Arn", "CreateDate"} == created.keys()
    assert (f"arn:aws:iam::{account.id}:group/all/Staff", "AGPA") == (created["Arn"], created["GroupId"][:4])
    assert created == iam.get_group(GroupName="sTAFF")["Group"]
    assert "EntityAlreadyExists: Group with name STAFF already exists." == refusal(iam.create_group, GroupName="STAFF")


def test_a_group_that_is_not_there_cannot_be_found(account):
    iam = account.client("iam")

    for operation in (iam.get_group, iam.delete_group, iam.update_group):
        assert "NoSuchEntity: The group with name nothing cannot be found." == refusal(operation, GroupName="nothing")


def test_groups_are_listed_by_name_under_a_path(account):
    iam = account.client("iam")
    for name, path in (("zeta", "/a/"), ("Beta", "/a/"), ("alpha", "/b/")):
        iam.create_group(GroupName=name, Path=path)

    pages = iam.get_paginator("list_groups").paginate(PathPrefix="/a/", PaginationConfig={"PageSize": 1})

    assert ["Beta", "zeta"] == [group["GroupName"] for page in pages for group in page["Groups"]]
    assert ["alpha", "Beta", "zeta"] == [group["GroupName"] for group in iam.list_groups()["Groups"]]


def test_members_are_listed_page_by_page_from_both_sides(account):
    iam = account.client("iam")
    for name in ("one", "Two"):
        iam.create_group(GroupName=name)
        for user in ("carol", "Bob"):
            if name == "one":
                iam.create_user(UserName=user)
            iam.add_user_to_group(GroupName=name, UserName=user)

    members = [
        user["UserName"]
        for page in iam.get_paginator("get_group").paginate(GroupName="one", PaginationConfig={"PageSize": 1})
        for user in page["Users"]
    ]

    assert ["Bob", "carol"] == members
    groups = iam.get_paginator("list_groups_for_user").paginate(UserName="bob", PaginationConfig={"PageSize": 1})
    assert ["one", "Two"] == [group["GroupName"] for page in groups for group in page["Groups"]]


def test_a_membership_is_made_once_and_ends_once(account):
    iam = account.client("iam")
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="bob")

    iam.add_user_to_group(GroupName="staff", UserName="bob")
    iam.add_user_to_group(GroupName="STAFF", UserName="BOB")

    assert ["bob"] == [user["UserName"] for user in iam.get_group(GroupName="staff")["Users"]]
    iam.remove_user_from_group(GroupName="staff", UserName="bob")
    iam.remove_user_from_group(GroupName="staff", UserName="bob")
    assert [] == iam.get_group(GroupName="staff")["Users"]


def test_of_an_unknown_user_and_an_unknown_group_the_user_is_named_first(account):
    iam = account.client("iam")

    for change in (iam.add_user_to_group, iam.remove_user_from_group):
        assert "NoSuchEntity: The user with name bob cannot be found." == refusal(change, GroupName="staff", UserName="bob")


def test_membership_gives_and_takes_permissions_with_the_next_request(account):
    iam = account.client("iam")
    bob = account.user("bob")
    iam.create_group(GroupName="admins")
    iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=ANYTHING)

    before = status(bob.client("iam").list_users)
    iam.add_user_to_group(GroupName="admins", UserName="bob")
    bob.client("iam").list_users()
    iam.remove_user_from_group(GroupName="admins", UserName="bob")

    assert [403, 403] == [before, status(bob.client("iam").list_users)]


def test_a_user_belongs_to_ten_groups_at_most(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    for number in range(11):
        iam.create_group(GroupName=f"group-{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"group-{number}", UserName="bob")

    answer = refusal(iam.add_user_to_group, GroupName="group-10", UserName="bob")

    iam.add_user_to_group(GroupName="group-0", UserName="bob")
    assert "LimitExceeded: Cannot exceed quota for GroupsPerUser: 10" == answer


def test_a_renamed_group_keeps_members_and_policies(account):
    iam = account.client("iam")
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="bob")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    iam.attach_group_policy(GroupName="staff", PolicyArn=READ_ONLY)

    iam.update_group(GroupName="staff", NewGroupName="Everybody", NewPath="/all/")

    group = iam.get_group(GroupName="everybody")
    assert (f"arn:aws:iam::{account.id}:group/all/Everybody", ["bob"]) == (
        group["Group"]["Arn"],
        [user["UserName"] for user in group["Users"]],
    )
    assert 1 == len(iam.list_attached_group_policies(GroupName="Everybody")["AttachedPolicies"])
    assert 404 == status(iam.get_group, GroupName="staff")


def test_a_group_cannot_be_moved_to_where_its_mover_has_no_say(account):
    account.client("iam").create_group(GroupName="staff", Path="/dev/")
    mover = account.user("mover", policy=allow("iam:UpdateGroup", on=f"arn:aws:iam::{account.id}:group/dev/*"))

    answer = refusal(mover.client("iam").update_group, GroupName="staff", NewPath="/admin/")

    assert f"on resource: arn:aws:iam::{account.id}:group/admin/staff" in answer


def test_a_group_is_deleted_only_when_it_is_empty_of_policies_and_users(account):
    iam = account.client("iam")
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="bob")
    iam.attach_group_policy(GroupName="staff", PolicyArn=READ_ONLY)
    iam.put_group_policy(GroupName="staff", PolicyName="all", PolicyDocument=ANYTHING)
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    steps = [
        ("detach all policies", iam.detach_group_policy, {"PolicyArn": READ_ONLY}),
        ("delete policies", iam.delete_group_policy, {"PolicyName": "all"}),
        ("remove users from group", iam.remove_user_from_group, {"UserName": "bob"}),
    ]

    for what, removes, parameters in steps:
        assert f"DeleteConflict: Cannot delete entity, must {what} first." == refusal(iam.delete_group, GroupName="staff")
        removes(GroupName="staff", **parameters)

    iam.delete_group(GroupName="staff")
    assert [] == iam.list_groups()["Groups"]
