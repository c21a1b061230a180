"""Versions of managed policies: five at most, never changed, never numbered twice, the one in force at work at once."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from tests.services.iam.policy_documents import ADMINISTRATOR, document, refusal


@pytest.fixture
def iam(account):
    return account.client("iam")


@pytest.fixture
def arn(iam):
    return iam.create_policy(PolicyName="versioned", PolicyDocument=document())["Policy"]["Arn"]


def versions(iam, arn):
    return [(each["VersionId"], each["IsDefaultVersion"]) for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]]


def test_a_new_version_is_answered_without_its_document(iam, arn):
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:*"))["PolicyVersion"]

    assert {"VersionId", "IsDefaultVersion", "CreateDate"} == made.keys()
    assert ("v2", False) == (made["VersionId"], made["IsDefaultVersion"])
    assert [("v2", False), ("v1", True)] == versions(iam, arn)


def test_a_new_version_can_be_put_in_force_at_once(iam, arn):
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:*"), SetAsDefault=True)

    found = iam.get_policy(PolicyArn=arn)["Policy"]

    assert "v2" == found["DefaultVersionId"]
    assert [("v2", True), ("v1", False)] == versions(iam, arn)


def test_a_policy_was_changed_when_its_newest_version_was_made(iam, arn):
    before = iam.get_policy(PolicyArn=arn)["Policy"]

    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())["PolicyVersion"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")

    after = iam.get_policy(PolicyArn=arn)["Policy"]
    assert before["CreateDate"] == after["CreateDate"]
    assert made["CreateDate"] == after["UpdateDate"]


@pytest.mark.parametrize(
    "text",
    [
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
        '{ "Statement" : [ {"Resource":["*"],\t"Action": ["s3:*"],\r\n "Effect":"Allow"} ],  "Version":"2012-10-17" }\n ',
        '{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","NotAction":"iam:*","Resource":"arn:aws:s3:::a/é+%2F&<b>~*"}]}',
    ],
)
def test_a_document_is_kept_byte_for_byte_and_answered_encoded_by_rfc_3986(iam, arn, text):
    answered = []
    iam.meta.events.register(
        "before-parse.iam.GetPolicyVersion", lambda response_dict, **_: answered.append(response_dict["body"])
    )
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text)

    iam.get_policy_version(PolicyArn=arn, VersionId="v2")

    encoded = answered[0].decode().partition("<Document>")[2].partition("</Document>")[0]
    assert text == unquote(encoded)
    assert set(encoded) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%")


def test_a_version_of_a_policy_of_aws_is_answered_with_its_document(iam):
    found = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId="v1")["PolicyVersion"]

    assert ("v1", True) == (found["VersionId"], found["IsDefaultVersion"])
    assert [{"Effect": "Allow", "Action": "*", "Resource": "*"}] == found["Document"]["Statement"]


def test_of_a_policy_of_aws_only_the_version_in_force_is_known(iam):
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    in_force = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]

    listed = versions(iam, arn)
    refused = refusal(iam.get_policy_version, PolicyArn=arn, VersionId="v2")

    assert [(in_force, True)] == listed
    assert ("NoSuchEntity", f"Policy {arn} version v2 does not exist or is not attachable.") == refused


def test_what_is_no_version_id_is_refused(iam, arn):
    refused = refusal(iam.get_policy_version, PolicyArn=arn, VersionId="v01")

    assert "ValidationError" == refused[0]


@pytest.mark.parametrize("version", ["v2", "v1.x", "v99999999999999999999999999"])
def test_a_version_that_does_not_exist_is_not_found(iam, arn, version):
    refused = [
        refusal(iam.get_policy_version, PolicyArn=arn, VersionId=version),
        refusal(iam.set_default_policy_version, PolicyArn=arn, VersionId=version),
        refusal(iam.delete_policy_version, PolicyArn=arn, VersionId=version),
    ]

    assert [("NoSuchEntity", f"Policy {arn} version {version} does not exist or is not attachable.")] * 3 == refused


def test_a_policy_has_up_to_five_versions_whose_numbers_never_come_again(iam, arn):
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())

    refused = refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document())
    iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())["PolicyVersion"]

    assert (
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    ) == refused
    assert "v6" == made["VersionId"]
    assert ["v6", "v4", "v3", "v2", "v1"] == [name for name, _ in versions(iam, arn)]


def test_the_version_in_force_is_not_deleted(iam, arn):
    refused = refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v1")

    assert ("DeleteConflict", "Cannot delete the default version of a policy.") == refused


def test_versions_are_listed_in_pages_the_newest_first(iam, arn):
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())

    pages = iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 2})

    assert [["v5", "v4"], ["v3", "v2"], ["v1"]] == [[each["VersionId"] for each in page["Versions"]] for page in pages]


def test_another_version_is_in_force_on_the_next_request(account, iam, arn):
    bob = account.user("bob", arn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("iam:ListUsers"))

    before = refusal(bob.client("iam").list_users)[0]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    allowed = bob.client("iam").list_users()["Users"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    after = refusal(bob.client("iam").list_users)[0]

    assert ("AccessDenied", "AccessDenied") == (before, after)
    assert len(allowed) == 2


def test_a_refused_document_changes_nothing(iam, arn):
    code, _ = refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps({"Version": "2012-10-17"}))

    assert "MalformedPolicyDocument" == code
    assert [("v1", True)] == versions(iam, arn)
