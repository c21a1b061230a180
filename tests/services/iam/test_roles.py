"""Roles: made, shown, changed and deleted as AWS answers it, with trust policies that name people and not names."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def trust(principal: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(account: Account, name: str = "R", document: str = json.dumps(TRUST), **options: Any) -> dict[str, Any]:
    role: dict[str, Any] = account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document, **options)["Role"]
    return role


def refusal(call: Any, *arguments: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_new_role_is_answered_with_nothing_that_was_not_said(account: Account):
    role = create(account, Description="d", MaxSessionDuration=7200)

    del role["CreateDate"]
    assert role.pop("RoleId").startswith("AROA")
    assert {
        "Path": "/",
        "RoleName": "R",
        "Arn": f"arn:aws:iam::{account.id}:role/R",
        "AssumeRolePolicyDocument": TRUST,
    } == role


def test_reading_a_role_shows_its_settings_and_that_it_was_never_used(account: Account):
    created = create(account, Path="/team/", Tags=[{"Key": "a", "Value": ""}])

    role = account.client("iam").get_role(RoleName="r")["Role"]

    assert {**created, "MaxSessionDuration": 3600, "RoleLastUsed": {}} == role


def test_lists_show_settings_but_no_tags_and_no_last_use(account: Account):
    create(account, "b", Description="d", Tags=[{"Key": "a", "Value": "1"}])
    create(account, "A", Path="/x/")
    iam = account.client("iam")

    listed = iam.list_roles()["Roles"]

    assert ["A", "b"] == [role["RoleName"] for role in listed]
    assert {"Description", "MaxSessionDuration"} == listed[1].keys() - listed[0].keys() | {"MaxSessionDuration"}
    assert not {"Tags", "RoleLastUsed", "PermissionsBoundary"} & (listed[0].keys() | listed[1].keys())
    assert ["A"] == [role["RoleName"] for role in iam.list_roles(PathPrefix="/x/")["Roles"]]


def test_lists_are_paged(account: Account):
    for name in "abcde":
        create(account, name)
    pages = account.client("iam").get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})

    assert [["a", "b"], ["c", "d"], ["e"]] == [[role["RoleName"] for role in page["Roles"]] for page in pages]


def test_names_come_once_whatever_their_case(account: Account):
    create(account, "Role")

    assert ("EntityAlreadyExists", "Role with name ROLE already exists.") == refusal(create, account, "ROLE")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_role", {}),
        ("update_role", {}),
        ("update_role_description", {"Description": "d"}),
        ("delete_role", {}),
        ("update_assume_role_policy", {"PolicyDocument": json.dumps(TRUST)}),
        ("put_role_permissions_boundary", {"PermissionsBoundary": READ_ONLY}),
        ("delete_role_permissions_boundary", {}),
        ("tag_role", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_role", {"TagKeys": ["a"]}),
        ("list_role_tags", {}),
        ("attach_role_policy", {"PolicyArn": READ_ONLY}),
        ("detach_role_policy", {"PolicyArn": READ_ONLY}),
        ("list_attached_role_policies", {}),
        ("put_role_policy", {"PolicyName": "p", "PolicyDocument": json.dumps(ALLOW)}),
        ("get_role_policy", {"PolicyName": "p"}),
        ("delete_role_policy", {"PolicyName": "p"}),
        ("list_role_policies", {}),
        ("list_instance_profiles_for_role", {}),
    ],
)
def test_a_role_that_is_not_there_can_not_be_found(account: Account, operation: str, parameters: dict[str, Any]):
    call = getattr(account.client("iam"), operation)

    assert ("NoSuchEntity", "The role with name absent cannot be found.") == refusal(call, RoleName="absent", **parameters)


def test_updating_sets_what_is_given_and_leaves_the_rest(account: Account):
    create(account, Description="first")
    iam = account.client("iam")

    iam.update_role(RoleName="R", MaxSessionDuration=7200)
    described = iam.update_role_description(RoleName="R", Description="second")["Role"]
    iam.update_role(RoleName="R")

    role = iam.get_role(RoleName="R")["Role"]
    assert ("second", 7200) == (role["Description"], role["MaxSessionDuration"])
    assert "second" == described["Description"]
    assert "MaxSessionDuration" not in described


@pytest.mark.parametrize("seconds", [3599, 43_201])
def test_a_session_lasts_between_one_hour_and_twelve(account: Account, seconds: int):
    iam = account.client("iam", parameter_validation=False)

    refused = refusal(iam.create_role, RoleName="R", AssumeRolePolicyDocument=json.dumps(TRUST), MaxSessionDuration=seconds)

    assert "ValidationError" == refused[0]


def test_a_role_in_use_is_not_deleted_and_its_uses_are_named_in_order(account: Account):
    create(account)
    iam = account.client("iam")
    iam.attach_role_policy(RoleName="R", PolicyArn=READ_ONLY)
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(ALLOW))
    iam.create_instance_profile(InstanceProfileName="ip")
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")

    attached = refusal(iam.delete_role, RoleName="R")
    iam.detach_role_policy(RoleName="R", PolicyArn=READ_ONLY)
    inline = refusal(iam.delete_role, RoleName="R")
    iam.delete_role_policy(RoleName="R", PolicyName="p")
    held = refusal(iam.delete_role, RoleName="R")
    iam.remove_role_from_instance_profile(InstanceProfileName="ip", RoleName="R")
    iam.delete_role(RoleName="R")

    assert ("DeleteConflict", "Cannot delete entity, must detach all policies first.") == attached
    assert ("DeleteConflict", "Cannot delete entity, must delete policies first.") == inline
    assert ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.") == held
    assert "NoSuchEntity" == refusal(iam.get_role, RoleName="R")[0]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        (json.dumps({"Version": "2012-10-17", "Statement": []}), "Could not parse the policy: Statement is empty!"),
        (
            json.dumps({"Version": "2012-10-17", "Statement": [{**TRUST["Statement"][0], "Action": "s3:ListBucket"}]}),  # type: ignore[dict-item]  # a literal
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            json.dumps({"Version": "2012-10-17", "Statement": [{**TRUST["Statement"][0], "Resource": "*"}]}),  # type: ignore[dict-item]  # a literal
            "Has prohibited field Resource",
        ),
    ],
)
def test_what_is_no_trust_policy_is_refused(account: Account, document: str, message: str):
    create(account)
    iam = account.client("iam")

    assert ("MalformedPolicyDocument", message) == refusal(create, account, "S", document)
    assert ("MalformedPolicyDocument", message) == refusal(iam.update_assume_role_policy, RoleName="R", PolicyDocument=document)


def test_a_trust_policy_can_not_be_longer_than_its_quota(account: Account):
    statement = {"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"] * 150}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    assert ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048") == refusal(create, account, "R", document)


def test_a_principal_that_does_not_exist_is_no_principal(account: Account):
    for kind in ("user/absent", "role/absent"):
        arn = f"arn:aws:iam::{account.id}:{kind}"
        expected = ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')
        assert expected == refusal(create, account, "R", trust({"AWS": arn}))


def test_a_principal_spelled_otherwise_is_not_bound_to_whoever_has_the_name(account: Account):
    account.client("iam").create_user(UserName="bob")
    create(account, "worker")

    for kind in ("user//bob", "user/Bob", "user/x/bob", "user/bob/", "role//worker", "role/WORKER"):
        arn = f"arn:aws:iam::{account.id}:{kind}"
        expected = ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')
        assert expected == refusal(create, account, "R", trust({"AWS": arn}))


def test_a_deleted_principal_is_shown_by_its_id_and_can_not_be_saved_again(account: Account):
    iam = account.client("iam")
    user_id = iam.create_user(UserName="bob", Path="/x/")["User"]["UserId"]
    other = create(account, "other")
    principals = [f"arn:aws:iam::{account.id}:user/x/bob", other["Arn"], f"arn:aws:iam::{account.id}:root"]
    create(account, document=trust({"AWS": principals}))

    before = iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    iam.delete_user(UserName="bob")
    iam.delete_role(RoleName="other")
    after = iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]

    assert principals == before
    assert [user_id, other["RoleId"], principals[2]] == after["Statement"][0]["Principal"]["AWS"]
    again = refusal(iam.update_assume_role_policy, RoleName="R", PolicyDocument=json.dumps(after))
    assert "MalformedPolicyDocument" == again[0]


def test_a_renamed_principal_is_shown_by_its_new_name(account: Account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    create(account, document=trust({"AWS": f"arn:aws:iam::{account.id}:user/bob"}))

    iam.update_user(UserName="bob", NewUserName="rob", NewPath="/y/")

    shown = iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert {"AWS": f"arn:aws:iam::{account.id}:user/y/rob"} == shown


def test_a_principal_of_another_account_is_bound_too(crown: Crown):
    account, other = crown.account(), crown.account()
    other.client("iam").create_user(UserName="bob")
    arn = f"arn:aws:iam::{other.id}:user/bob"
    create(account, document=trust({"AWS": arn}))

    other.client("iam").delete_user(UserName="bob")

    shown = account.client("iam").get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"].startswith("AIDA")


def test_a_boundary_is_set_shown_and_taken_away(account: Account):
    created = create(account, PermissionsBoundary=READ_ONLY)
    iam = account.client("iam")

    iam.delete_role_permissions_boundary(RoleName="R")
    without = iam.get_role(RoleName="R")["Role"]
    iam.put_role_permissions_boundary(RoleName="R", PermissionsBoundary=READ_ONLY)

    boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY}
    assert boundary == created["PermissionsBoundary"] == iam.get_role(RoleName="R")["Role"]["PermissionsBoundary"]
    assert "PermissionsBoundary" not in without


def test_who_may_make_roles_only_with_a_boundary_is_held_to_it(account: Account):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"],
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:PermissionsBoundary": READ_ONLY}},
            }
        ],
    }
    iam = account.user("maker", policy=policy).client("iam")
    create(account, "free")

    iam.create_role(RoleName="R", AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=READ_ONLY)
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(ALLOW))

    without = refusal(iam.create_role, RoleName="S", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert "AccessDenied" == without[0]
    free = refusal(iam.put_role_policy, RoleName="free", PolicyName="p", PolicyDocument=json.dumps(ALLOW))
    assert "AccessDenied" == free[0]


def test_policies_are_attached_put_listed_and_taken(account: Account):
    create(account)
    iam = account.client("iam")

    iam.attach_role_policy(RoleName="R", PolicyArn=READ_ONLY)
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(ALLOW))

    attached = iam.list_attached_role_policies(RoleName="R")
    assert [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}] == attached["AttachedPolicies"]
    assert ["p"] == iam.list_role_policies(RoleName="R")["PolicyNames"]
    assert ALLOW == iam.get_role_policy(RoleName="R", PolicyName="p")["PolicyDocument"]
    entities = iam.list_entities_for_policy(PolicyArn=READ_ONLY, EntityFilter="Role")["PolicyRoles"]
    assert ["R"] == [each["RoleName"] for each in entities]
    iam.delete_role_policy(RoleName="R", PolicyName="p")
    missing = refusal(iam.get_role_policy, RoleName="R", PolicyName="p")
    assert ("NoSuchEntity", "The role policy with name p cannot be found.") == missing


def test_a_policy_of_service_linked_roles_is_not_for_others(account: Account):
    create(account)

    refused = refusal(
        account.client("iam").attach_role_policy,
        RoleName="R",
        PolicyArn="arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy",
    )

    assert ("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.") == refused


def test_tags_are_put_listed_and_taken_and_conditions_see_them(account: Account):
    create(account, Tags=[{"Key": "team", "Value": "red"}])
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["iam:GetRole", "iam:UntagRole"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}},
            }
        ],
    }
    iam = account.user("bob", policy=policy).client("iam")

    iam.get_role(RoleName="R")
    iam.untag_role(RoleName="R", TagKeys=["TEAM"])

    assert [] == account.client("iam").list_role_tags(RoleName="R")["Tags"]
    assert "AccessDenied" == refusal(iam.get_role, RoleName="R")[0]


def test_the_account_s_details_hold_its_roles(account: Account):
    create(account, Tags=[{"Key": "a", "Value": "b"}])
    iam = account.client("iam")
    iam.attach_role_policy(RoleName="R", PolicyArn=READ_ONLY)
    iam.create_instance_profile(InstanceProfileName="ip")
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")

    (role,) = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]

    assert ("R", {}, []) == (role["RoleName"], role["RoleLastUsed"], role["RolePolicyList"])
    assert ["ip"] == [profile["InstanceProfileName"] for profile in role["InstanceProfileList"]]
    assert ["ReadOnlyAccess"] == [policy["PolicyName"] for policy in role["AttachedManagedPolicies"]]
    assert iam.get_account_summary()["SummaryMap"]["Roles"] == 1


def test_two_calls_at_once_never_make_the_same_role_twice(account: Account):
    def attempt(_: int) -> str:
        try:
            return str(create(account, "same")["RoleName"])
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(attempt, range(8)))

    assert ["EntityAlreadyExists"] * 7 + ["same"] == outcomes


def test_another_accounts_roles_are_not_there(crown: Crown):
    account, other = crown.account(), crown.account()
    create(other, "theirs")

    assert "NoSuchEntity" == refusal(account.client("iam").get_role, RoleName="theirs")[0]
    assert [] == account.client("iam").list_roles()["Roles"]


def test_the_longest_sign_in_session_of_a_role_is_set_shown_changed_and_unset(account):
    iam = account.client("iam")
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}],
        }
    )

    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust, MaxSigninSessionDuration=7200)
    created = iam.get_role(RoleName="R")["Role"]
    iam.update_role(RoleName="R", MaxSigninSessionDuration=3600)
    changed = iam.list_roles()["Roles"][0]
    iam.update_role(RoleName="R", ResetMaxSigninSessionDuration=True)
    unset = iam.get_role(RoleName="R")["Role"]

    assert [7200, 3600] == [each["MaxSigninSessionDuration"] for each in (created, changed)]
    assert "MaxSigninSessionDuration" not in unset
    linked = iam.create_service_linked_role(AWSServiceName="support.amazonaws.com")["Role"]["RoleName"]
    with pytest.raises(ClientError) as refused:
        iam.update_role(RoleName=linked, MaxSigninSessionDuration=3600)
    assert "UnmodifiableEntity" == refused.value.response["Error"]["Code"]
