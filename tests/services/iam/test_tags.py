"""Tags: one set of rules for everything that can be tagged, tried on users and virtual MFA devices."""

from __future__ import annotations

import pytest
from tests.services.iam.asking import allow, refusal


@pytest.fixture(params=["user", "device"])
def tagged(account, request):
    """Tag, untag and list, for a user and for a virtual device."""
    iam = account.client("iam")
    if request.param == "user":
        iam.create_user(UserName="bob")
        which = {"UserName": "bob"}
        return iam.tag_user, iam.untag_user, iam.list_user_tags, which
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    return iam.tag_mfa_device, iam.untag_mfa_device, iam.list_mfa_device_tags, {"SerialNumber": device["SerialNumber"]}


def of(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_a_key_that_differs_only_in_case_replaces_the_tag_and_its_key(tagged):
    tag, _, listed, which = tagged
    tag(Tags=of(env="prod", team="storage", empty=""), **which)

    tag(Tags=of(TEAM="compute"), **which)

    assert of(TEAM="compute", empty="", env="prod") == listed(**which)["Tags"]


def test_tags_are_taken_away_whatever_the_case_and_unknown_keys_are_no_error(tagged):
    tag, untag, listed, which = tagged
    tag(Tags=of(env="prod", team="storage"), **which)

    untag(TagKeys=["ENV", "never"], **which)

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

    tag(Tags=of(K1="new"), **which)

    assert "LimitExceeded: The number of tags has reached the maximum limit." == refusal(tag, Tags=of(more=""), **which)
    assert 50 == len(listed(**which)["Tags"])


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (
            [{"Key": "dup", "Value": "1"}, {"Key": "DUP", "Value": "2"}],
            "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        ([{"Key": "AWS:mine", "Value": ""}], "InvalidInput: Tag keys beginning with aws: are reserved for system use."),
    ],
)
def test_tags_that_cannot_be_are_refused_when_a_user_is_made_as_well(account, tagged, tags, told):
    tag, _, _, which = tagged

    assert told == refusal(tag, Tags=tags, **which)
    assert told == refusal(account.client("iam").create_user, UserName="carol", Tags=tags)


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
