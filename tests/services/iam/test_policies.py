"""Managed policies: made, read, listed beside AWS's own, tagged and deleted, with AWS's fields and AWS's refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.services.iam.policy_documents import ADMINISTRATOR, document, document_of_size, refusal

from crownkeep.catalogue import managed_policies


def test_a_policy_is_made_with_its_first_version_and_exactly_the_fields_that_aws_answers(account):
    made = account.client("iam").create_policy(PolicyName="reader", PolicyDocument=document(), Description="reads")["Policy"]

    assert made.pop("CreateDate") == made.pop("UpdateDate")
    assert made.pop("PolicyId").startswith("ANPA")
    assert {
        "PolicyName": "reader",
        "Arn": f"arn:aws:iam::{account.id}:policy/reader",
        "Path": "/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
    } == made


def test_a_policy_is_read_with_description_and_tags(account):
    iam = account.client("iam")
    arn = iam.create_policy(
        PolicyName="reader",
        Path="/team/a/",
        PolicyDocument=document(),
        Description="reads",
        Tags=[{"Key": "team", "Value": "a"}],
    )["Policy"]["Arn"]

    found = iam.get_policy(PolicyArn=arn)["Policy"]

    assert f"arn:aws:iam::{account.id}:policy/team/a/reader" == arn
    assert ("/team/a/", "reads") == (found["Path"], found["Description"])
    assert [{"Key": "team", "Value": "a"}] == found["Tags"]
    assert abs(datetime.now(UTC) - found["CreateDate"]) < timedelta(minutes=1)


def test_what_was_not_given_is_absent(account):
    iam = account.client("iam")
    made = iam.create_policy(PolicyName="reader", PolicyDocument=document())["Policy"]

    found = iam.get_policy(PolicyArn=made["Arn"])["Policy"]

    assert "Tags" not in made
    assert "Description" not in found
    assert [] == found["Tags"]


def test_a_policy_of_aws_is_read_like_ones_own(account):
    found = account.client("iam").get_policy(PolicyArn=ADMINISTRATOR)["Policy"]

    assert ("AdministratorAccess", "v1", "/") == (found["PolicyName"], found["DefaultVersionId"], found["Path"])
    assert datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC) == found["CreateDate"]
    assert 1 == found["AttachmentCount"]


def test_names_are_taken_without_regard_to_case_and_path(account):
    iam = account.client("iam")
    iam.create_policy(PolicyName="Reader", PolicyDocument=document())

    refused = refusal(iam.create_policy, PolicyName="reADER", Path="/other/", PolicyDocument=document())

    assert ("EntityAlreadyExists", "A policy called reADER already exists. Duplicate names are not allowed.") == refused


def test_an_account_may_have_a_policy_named_like_one_of_aws(account):
    iam = account.client("iam")

    made = iam.create_policy(PolicyName="AdministratorAccess", PolicyDocument=document())["Policy"]

    listed = iam.list_policies(MaxItems=1000, PathPrefix="/")["Policies"]
    assert [made["Arn"], ADMINISTRATOR] == [each["Arn"] for each in listed if each["PolicyName"] == "AdministratorAccess"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Syntax errors in policy."),
        ('{"Version": "2012-10-17", "Statement": []}', "Syntax errors in policy."),
        (
            '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3", "Resource": "*"}}',
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (document(Principal="*"), "Policy document should not specify a principal."),
    ],
)
def test_a_faulty_document_is_refused_in_the_words_of_aws(account, text, message):
    refused = refusal(account.client("iam").create_policy, PolicyName="faulty", PolicyDocument=text)

    assert ("MalformedPolicyDocument", message) == refused


def test_size_is_counted_without_white_space(account):
    iam = account.client("iam")
    spaced = json.dumps(json.loads(document_of_size(6144)), indent=64)

    iam.create_policy(PolicyName="fits", PolicyDocument=spaced)
    refused = refusal(iam.create_policy, PolicyName="too-long", PolicyDocument=document_of_size(6145))

    assert ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144") == refused


def test_a_policy_that_is_used_is_not_deleted(account):
    iam = account.client("iam")
    attached = iam.create_policy(PolicyName="attached", PolicyDocument=document())["Policy"]["Arn"]
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_user(UserName="bob", PermissionsBoundary=boundary)
    iam.attach_user_policy(UserName="bob", PolicyArn=attached)

    refused = [refusal(iam.delete_policy, PolicyArn=arn) for arn in (attached, boundary)]

    assert [("DeleteConflict", "Cannot delete a policy attached to entities.")] * 2 == refused


def test_a_policy_with_further_versions_is_not_deleted(account):
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName="reader", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())

    refused = refusal(iam.delete_policy, PolicyArn=arn)

    message = (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy."
    )
    assert ("DeleteConflict", message) == refused


def test_a_deleted_policy_leaves_nothing_for_one_of_the_same_name(account):
    iam = account.client("iam")
    tags = [{"Key": "team", "Value": "a"}]
    first = iam.create_policy(PolicyName="reader", PolicyDocument=document("s3:*"), Tags=tags)["Policy"]

    iam.delete_policy(PolicyArn=first["Arn"])
    second = iam.create_policy(PolicyName="reader", PolicyDocument=document())["Policy"]

    assert first["Arn"] == second["Arn"]
    assert first["PolicyId"] != second["PolicyId"]
    assert [] == iam.get_policy(PolicyArn=second["Arn"])["Policy"]["Tags"]
    version = iam.get_policy_version(PolicyArn=second["Arn"], VersionId="v1")["PolicyVersion"]
    assert "s3:GetObject" == version["Document"]["Statement"][0]["Action"]


def test_a_policy_that_does_not_exist_is_not_found(account):
    iam = account.client("iam")
    arn = f"arn:aws:iam::{account.id}:policy/nobody"

    refused = [
        refusal(iam.get_policy, PolicyArn=arn),
        refusal(iam.delete_policy, PolicyArn=arn),
        refusal(iam.list_policy_versions, PolicyArn=arn),
        refusal(iam.list_policy_tags, PolicyArn=arn),
    ]

    assert [("NoSuchEntity", f"Policy {arn} was not found.")] * 4 == refused


def test_an_arn_is_matched_letter_for_letter(account):
    iam = account.client("iam")
    iam.create_policy(PolicyName="Reader", PolicyDocument=document())

    code, _ = refusal(iam.get_policy, PolicyArn=f"arn:aws:iam::{account.id}:policy/reader")

    assert "NoSuchEntity" == code


@pytest.mark.parametrize(
    ("arn", "refused"),
    [
        ("not an arn, but long enough", ("ValidationError", "ARN not an arn, but long enough is not valid.")),
        ("arn:aws:s3::123456789012:policy/x", ("ValidationError", "ARN arn:aws:s3::123456789012:policy/x is not valid.")),
        ("arn:aws-cn:iam::123456789012:policy/x", ("ValidationError", "Invalid ARN partition")),
        (
            "arn:aws:iam::123456789012:role/x",
            ("InvalidInput", "ARN arn:aws:iam::123456789012:role/x is not valid."),
        ),
    ],
)
def test_what_is_no_arn_of_a_policy_is_refused(account, arn, refused):
    assert refused == refusal(account.client("iam").get_policy, PolicyArn=arn)


def test_nobody_changes_a_policy_of_aws_or_of_another_account(account, crown):
    other = crown.account()
    foreign = other.client("iam").create_policy(PolicyName="theirs", PolicyDocument=document())["Policy"]["Arn"]
    iam = account.root("iam")

    for arn in (ADMINISTRATOR, foreign):
        refused = [
            refusal(iam.delete_policy, PolicyArn=arn),
            refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document()),
            refusal(iam.set_default_policy_version, PolicyArn=arn, VersionId="v1"),
            refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v1"),
            refusal(iam.tag_policy, PolicyArn=arn, Tags=[{"Key": "team", "Value": "a"}]),
            refusal(iam.untag_policy, PolicyArn=arn, TagKeys=["team"]),
        ]
        assert {"AccessDenied"} == {code for code, _ in refused}
        assert refused[0][1] == (
            f"User: arn:aws:iam::{account.id}:root is not authorized to perform: iam:DeletePolicy on resource: policy {arn}"
        )


def test_a_policy_of_another_account_can_neither_be_seen_nor_attached(account, crown):
    other = crown.account()
    foreign = other.client("iam").create_policy(PolicyName="theirs", PolicyDocument=document())["Policy"]["Arn"]
    iam = account.client("iam")

    refused = [
        refusal(iam.get_policy, PolicyArn=foreign),
        refusal(iam.get_policy_version, PolicyArn=foreign, VersionId="v1"),
        refusal(iam.list_entities_for_policy, PolicyArn=foreign),
        refusal(iam.attach_user_policy, UserName="admin", PolicyArn=foreign),
    ]

    assert {"NoSuchEntity"} == {code for code, _ in refused}
    assert [] == iam.list_policies(Scope="Local")["Policies"]


def test_the_list_is_by_name_without_regard_to_case_and_says_no_more_than_aws_does(account):
    iam = account.client("iam")
    for name in ("beta", "Alpha", "_first", "alpha2", "alpha-1"):
        iam.create_policy(PolicyName=name, PolicyDocument=document(), Description="d", Tags=[{"Key": "a", "Value": "b"}])

    answer = iam.list_policies(Scope="Local")

    assert ["_first", "Alpha", "alpha-1", "alpha2", "beta"] == [each["PolicyName"] for each in answer["Policies"]]
    assert answer["IsTruncated"] is False
    assert not {"Tags", "Description"} & answer["Policies"][0].keys()


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_pages_over_both_kinds_of_policies_meet_every_policy_once(account, size):
    iam = account.client("iam")
    names = ["AdministratorAccess", "administratoraccess-amplify", "A", "zzz", "AmazonS3"]
    for name in names:
        iam.create_policy(PolicyName=name, PolicyDocument=document())

    pages = list(iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": size}, PathPrefix="/"))

    found = [each["Arn"] for page in pages for each in page["Policies"]]
    assert managed_policies.count() + len(names) == len(found) == len(set(found))
    assert all(len(page["Policies"]) == size for page in pages[:-1])


def test_the_list_can_be_limited_by_scope_path_and_use(account):
    iam = account.client("iam")
    used = iam.create_policy(PolicyName="used", Path="/team/", PolicyDocument=document())["Policy"]["Arn"]
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_policy(PolicyName="unused", Path="/teammates/", PolicyDocument=document())
    iam.create_user(UserName="bob", PermissionsBoundary=boundary)
    iam.attach_user_policy(UserName="bob", PolicyArn=used)
    iam.put_user_permissions_boundary(UserName="admin", PermissionsBoundary=ADMINISTRATOR)

    def names(**filters):
        return [each["PolicyName"] for each in iam.list_policies(**filters)["Policies"]]

    assert ["used"] == names(PathPrefix="/team/")
    assert ["AdministratorAccess", "used"] == names(OnlyAttached=True)
    assert ["AdministratorAccess"] == names(OnlyAttached=True, Scope="AWS")
    assert ["used"] == names(OnlyAttached=True, Scope="Local")
    assert ["used"] == names(PolicyUsageFilter="PermissionsPolicy", Scope="Local")
    assert ["AdministratorAccess", "boundary"] == names(PolicyUsageFilter="PermissionsBoundary")
    assert 5 == len(names(Scope="AWS", PathPrefix="/root-task/"))


def test_uses_are_counted(account):
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName="used", PolicyDocument=document())["Policy"]["Arn"]
    for name in ("ann", "bob"):
        iam.create_user(UserName=name, PermissionsBoundary=arn)
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    iam.create_group(GroupName="all")
    iam.attach_group_policy(GroupName="all", PolicyArn=arn)

    found = iam.get_policy(PolicyArn=arn)["Policy"]

    assert (3, 2) == (found["AttachmentCount"], found["PermissionsBoundaryUsageCount"])


def test_a_marker_serves_only_the_list_and_the_account_it_was_made_for(account, crown):
    iam = account.client("iam")
    marker = iam.list_policies(MaxItems=1)["Marker"]

    refused = [
        refusal(iam.list_policies, MaxItems=1, Scope="AWS", Marker=marker),
        refusal(iam.list_users, Marker=marker),
        refusal(crown.account().client("iam").list_policies, Marker=marker),
        refusal(iam.list_policies, Marker=marker[:-1] + ("A" if marker[-1] != "A" else "B")),
    ]

    assert {"ValidationError"} == {code for code, _ in refused}


def test_tags_are_put_listed_and_taken(account):
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName="tagged", PolicyDocument=document())["Policy"]["Arn"]

    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "env", "Value": "prod"}, {"Key": "team", "Value": "a"}])
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "ENV", "Value": "test"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["team", "ENVIRONMENT"])

    assert [{"Key": "ENV", "Value": "test"}] == iam.list_policy_tags(PolicyArn=arn)["Tags"]
    assert [] == iam.list_policy_tags(PolicyArn=ADMINISTRATOR)["Tags"]


def test_a_policys_tags_decide_who_may_delete_it(account):
    iam = account.client("iam")
    mine = iam.create_policy(PolicyName="mine", PolicyDocument=document(), Tags=[{"Key": "owner", "Value": "bob"}])
    theirs = iam.create_policy(PolicyName="theirs", PolicyDocument=document(), Tags=[{"Key": "owner", "Value": "eve"}])
    condition = {"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}}
    bob = account.user("bob", policy=json.loads(document("iam:DeletePolicy", Condition=condition)))

    bob.client("iam").delete_policy(PolicyArn=mine["Policy"]["Arn"])
    code, _ = refusal(bob.client("iam").delete_policy, PolicyArn=theirs["Policy"]["Arn"])

    assert "AccessDenied" == code


def test_a_user_without_permission_is_refused_by_the_policys_arn(account):
    bob = account.user("bob")
    arn = f"arn:aws:iam::{account.id}:policy/team/x"

    code, message = refusal(bob.client("iam").create_policy, PolicyName="x", Path="/team/", PolicyDocument=document())

    assert "AccessDenied" == code
    assert f"on resource: {arn} because no identity-based policy allows the iam:CreatePolicy action" in message


def test_what_happens_to_a_policy_is_recorded_with_it(account):
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName="kept", PolicyDocument=document())["Policy"]["Arn"]
    iam.delete_policy(PolicyArn=arn)

    cloudtrail = account.client("cloudtrail")
    found = cloudtrail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": arn}])["Events"]

    assert {"CreatePolicy", "DeletePolicy"} == {event["EventName"] for event in found}
