"""Tags: one set of rules for everything that can be tagged, tried on users and devices."""

from __future__ import annotations

import json

import pytest
from tests.services.iam.asking import allow, refusal
from tests.services.iam.making_certificates import authority

DUPLICATE = "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive."


@pytest.fixture(params=["user", "device"])
def tagged(account, request):
    """Tag, untag and list, for a user and for a virtual device."""
    return of_user(account) if request.param == "user" else of_device(account)


def of_user(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    return iam.tag_user, iam.untag_user, iam.list_user_tags, {"UserName": "bob"}


def of_device(account):
    iam = account.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    return iam.tag_mfa_device, iam.untag_mfa_device, iam.list_mfa_device_tags, {"SerialNumber": device["SerialNumber"]}


def of(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_a_key_that_differs_only_in_case_replaces_the_tag_and_its_key(tagged):
    tag, _, listed, which = tagged
    tag(Tags=of(env="prod", team="storage", empty=""), **which)

    tag(Tags=of(TEAM="compute"), **which)

    assert of(TEAM="compute", empty="", env="prod") == listed(**which)["Tags"]


def test_a_key_in_another_case_does_not_split_a_decision_between_request_and_resource(account):
    iam = account.client("iam")
    seen = {"StringEquals": {"aws:RequestTag/team": "red"}}
    maker = account.user("maker", policy=allow("iam:*", **seen)).client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust_document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    pair = authority("tags")
    split = of(team="red", Team="blue")

    refused = [
        refusal(maker.create_user, UserName="u", Tags=split),
        refusal(maker.create_role, RoleName="r", AssumeRolePolicyDocument=trust_document, Tags=split),
        refusal(maker.create_policy, PolicyName="p", PolicyDocument=document, Tags=split),
        refusal(maker.create_instance_profile, InstanceProfileName="i", Tags=split),
        refusal(maker.create_virtual_mfa_device, VirtualMFADeviceName="m", Tags=split),
        refusal(maker.create_open_id_connect_provider, Url="https://tags.test.example", Tags=split),
        refusal(
            maker.upload_server_certificate,
            ServerCertificateName="c",
            CertificateBody=pair.certificate,
            PrivateKey=pair.private_key,
            Tags=split,
        ),
    ]

    assert [DUPLICATE] * 7 == refused
    assert [] == [each for each in iam.list_users()["Users"] if each["UserName"] == "u"]


def test_a_denied_key_is_not_replaced_or_taken_away_in_another_case(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob", Tags=of(team="red"))
    kept = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}}
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, kept]
    limited = account.user("limited", policy={"Version": "2012-10-17", "Statement": statements}).client("iam")

    refused = [
        refusal(limited.tag_user, UserName="bob", Tags=of(TEAM="blue")),
        refusal(limited.untag_user, UserName="bob", TagKeys=["Team"]),
    ]

    assert [True, True] == [each.startswith("AccessDenied: ") for each in refused]
    limited.tag_user(UserName="bob", Tags=of(level="1"))


def test_tags_are_taken_away_whatever_the_case(tagged):
    tag, untag, listed, which = tagged
    tag(Tags=of(env="prod", team="storage"), **which)

    untag(TagKeys=["ENV"], **which)

    assert of(team="storage") == listed(**which)["Tags"]


def test_keys_that_name_no_tag_are_no_error(tagged):
    tag, untag, listed, which = tagged
    tag(Tags=of(team="storage"), **which)

    untag(TagKeys=["never"], **which)

    assert of(team="storage") == listed(**which)["Tags"]


def test_tags_are_listed_page_by_page(tagged):
    tag, _, listed, which = tagged
    tag(Tags=of(a="1", b="2", c="3"), **which)

    first = listed(MaxItems=2, **which)
    second = listed(MaxItems=2, Marker=first["Marker"], **which)

    assert (of(a="1", b="2"), True) == (first["Tags"], first["IsTruncated"])
    assert (of(c="3"), False) == (second["Tags"], second["IsTruncated"])


def test_fifty_tags_fit_and_one_of_them_can_still_be_changed(tagged):
    tag, _, listed, which = tagged
    tag(Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)], **which)

    tag(Tags=of(k1="new"), **which)

    assert "LimitExceeded: The number of tags has reached the maximum limit." == refusal(tag, Tags=of(more=""), **which)
    assert 50 == len(listed(**which)["Tags"])


def test_keys_that_come_twice_are_refused(account):
    tag_user, _, _, user = of_user(account)
    tag_device, _, _, device = of_device(account)

    for_users = refusal(tag_user, Tags=of(dup="1", DUP="2"), **user)
    for_devices = refusal(tag_device, Tags=[*of(dup="1"), *of(dup="2")], **device)

    assert DUPLICATE == for_users
    assert for_users == refusal(account.client("iam").create_user, UserName="carol", Tags=of(dup="1", DUP="2"))
    assert DUPLICATE == for_devices


def test_keys_of_awss_own_are_refused(tagged):
    tag, _, _, which = tagged

    answer = refusal(tag, Tags=of(**{"AWS:mine": ""}), **which)

    assert "InvalidInput: Tag keys beginning with aws: are reserved for system use." == answer


def test_policies_can_ask_for_the_tags_of_resource_principal_and_request(account):
    iam = account.client("iam")
    statement = {
        "aws:ResourceTag/team": "${aws:PrincipalTag/team}",
        "aws:RequestTag/level": ["1", "2"],
    }
    keys = {"aws:TagKeys": ["level"]}
    tagger = account.user(
        "tagger",
        policy=allow("iam:TagUser", StringEquals=statement, **{"ForAllValues:StringEquals": keys}),
        Tags=of(team="blue"),
    ).client("iam")
    iam.create_user(UserName="blue", Tags=of(team="blue"))
    iam.create_user(UserName="red", Tags=of(team="red"))

    tagger.tag_user(UserName="blue", Tags=of(level="1"))

    for user, tags in (("red", of(level="1")), ("blue", of(level="9")), ("blue", of(level="1", other=""))):
        assert refusal(tagger.tag_user, UserName=user, Tags=tags).startswith("AccessDenied: ")


def test_letters_that_grow_in_lower_case_still_fit(tagged):
    tag, _, listed, which = tagged

    tag(Tags=[{"Key": "\u0130" * 128, "Value": "\u00e9" * 256}], **which)

    assert 128 == len(listed(**which)["Tags"][0]["Key"])
