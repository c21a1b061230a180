"""The lists of roles, groups, policies and access keys as pages: sorted, with chosen columns, as files, several at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.console.forms import ADMINISTRATOR, ALLOW, TRUST, follow, send
from tests.signin.browser import Browser

COLUMNS = {
    "role": ("/console/roles", ["tags", "policies"], "team: red"),
    "group": ("/console/groups", ["policies"], "Attached policies"),
    "policy": ("/console/policies", ["tags", "arn"], "team: red"),
    "access-key": ("/console/access-keys", ["user", "region"], "Used in"),
}


@pytest.fixture
def furnished(iam: Any) -> None:
    """Two of each kind."""
    tags = [{"Key": "team", "Value": "red"}]
    for name in ("alpha", "beta"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=tags)
        iam.create_group(GroupName=name)
        iam.create_policy(PolicyName=f"own-{name}", PolicyDocument=json.dumps(ALLOW), Tags=tags)
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("noun", COLUMNS)
def test_a_list_is_sorted_and_shows_the_columns_that_were_chosen(browser: Browser, noun: str):
    folder, chosen, shown = COLUMNS[noun]
    own = "own-" if noun == "policy" else ""

    page = follow(
        browser, send(browser, folder, f"/console/{noun}-list/columns", column=chosen, sort="-name", name="a", scope="Local")
    )
    listed = browser.get(f"{folder}?sort=-name&name={own}").text

    assert 'aria-sort="descending"' in page
    assert shown in page
    assert ">Created</a>" not in page
    assert listed.index(f"{own}beta") < listed.index(f"{own}alpha")


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("noun", COLUMNS)
def test_a_list_is_kept_as_a_file_with_every_column(browser: Browser, noun: str):
    own = "own-beta" if noun == "policy" else "beta"

    answer = browser.get(f"/console/{noun}-list/download?name={own}")

    assert "text/csv; charset=utf-8" == answer.header("content-type")
    assert 2 == len(answer.text.splitlines())
    assert "beta" in answer.text.splitlines()[1]


@pytest.mark.usefixtures("furnished")
def test_several_roles_and_groups_are_given_a_policy_after_a_review(iam: Any, browser: Browser):
    chosen: dict[str, Any] = {"chosen": ["alpha", "beta"], "act": "policy"}

    asked = send(browser, "/console/roles", "/console/role-list/review", **chosen).text
    reviewed = send(browser, "/console/roles", "/console/role-list/review", **chosen, policy=ADMINISTRATOR).text
    assert [] == iam.list_attached_role_policies(RoleName="beta")["AttachedPolicies"]
    page = follow(browser, send(browser, "/console/roles", "/console/role-list/apply", **chosen, policy=ADMINISTRATOR))
    follow(browser, send(browser, "/console/groups", "/console/group-list/apply", **chosen, policy=ADMINISTRATOR))

    assert "Which policy?" in asked
    assert "This would be done" not in asked
    assert "would be attached to 2 roles" in reviewed
    assert ">Undo</button>" in page
    for held in (iam.list_attached_role_policies(RoleName="beta"), iam.list_attached_group_policies(GroupName="alpha")):
        assert [ADMINISTRATOR] == [each["PolicyArn"] for each in held["AttachedPolicies"]]


@pytest.mark.usefixtures("furnished")
def test_roles_and_policies_are_tagged_and_those_of_aws_cannot_be_chosen(iam: Any, browser: Browser, account: Any):
    tag = {"act": "tag", "key": "owner", "value": "ines"}
    own = f"arn:aws:iam::{account.id}:policy/own-alpha"

    follow(browser, send(browser, "/console/roles", "/console/role-list/apply", chosen=["alpha"], **tag))
    follow(browser, send(browser, "/console/policies", "/console/policy-list/apply", chosen=[own], **tag))

    wanted = {"Key": "owner", "Value": "ines"}
    assert wanted in iam.list_role_tags(RoleName="alpha")["Tags"]
    assert wanted in iam.list_policy_tags(PolicyArn=own)["Tags"]
    assert 'name="chosen"' not in browser.get("/console/policies?scope=AWS").text


@pytest.mark.usefixtures("furnished")
def test_access_keys_of_several_users_are_turned_off_after_a_review(iam: Any, browser: Browser):
    keys = {name: iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["AccessKeyId"] for name in ("alpha", "beta")}
    chosen: dict[str, Any] = {"chosen": [f"{name}/{key}" for name, key in keys.items()], "act": "off"}
    folder = "/console/access-keys"

    reviewed = send(browser, folder, "/console/access-key-list/review", **chosen).text
    follow(browser, send(browser, folder, "/console/access-key-list/apply", **chosen))

    assert "2 access keys would be deactivated" in reviewed
    assert {"Inactive"} == {iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["Status"] for name in keys}


def test_what_was_not_chosen_from_the_list_is_refused_by_iam(browser: Browser):
    made_up: dict[str, Any] = {"chosen": ["nobody/AKIAIOSFODNN7EXAMPLE", "///", ""], "act": "off"}

    page = send(browser, "/console/access-keys", "/console/access-key-list/apply", **made_up)

    assert "NoSuchEntity" in page.text
