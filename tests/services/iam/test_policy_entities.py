"""Who holds a managed policy: by attachment or as a boundary, by kind, path and page."""

from __future__ import annotations

import pytest
from tests.services.iam.policy_documents import READ_ONLY, document, refusal


@pytest.fixture
def iam(account):
    return account.client("iam")


@pytest.fixture
def arn(iam):
    """A policy that some users and groups hold in each way."""
    arn = iam.create_policy(PolicyName="held", PolicyDocument=document())["Policy"]["Arn"]
    for name, path in (("ann", "/a/"), ("Bob", "/b/"), ("cid", "/a/")):
        iam.create_user(UserName=name, Path=path)
        iam.create_group(GroupName=f"group-{name}", Path=path)
    for name in ("ann", "Bob"):
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
        iam.attach_group_policy(GroupName=f"group-{name}", PolicyArn=arn)
    for name in ("Bob", "cid"):
        iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=arn)
    return arn


def names(answer):
    return [each["UserName"] for each in answer["PolicyUsers"]], [each["GroupName"] for each in answer["PolicyGroups"]]


def test_everyone_who_holds_the_policy_in_any_way_is_listed_once(iam, arn):
    found = iam.list_entities_for_policy(PolicyArn=arn)

    assert (["ann", "Bob", "cid"], ["group-ann", "group-Bob"]) == names(found)
    assert [] == found["PolicyRoles"]
    assert iam.get_user(UserName="ann")["User"]["UserId"] == found["PolicyUsers"][0]["UserId"]
    assert iam.get_group(GroupName="group-ann")["Group"]["GroupId"] == found["PolicyGroups"][0]["GroupId"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"EntityFilter": "User"}, (["ann", "Bob", "cid"], [])),
        ({"EntityFilter": "Group"}, ([], ["group-ann", "group-Bob"])),
        ({"EntityFilter": "Role"}, ([], [])),
        ({"PolicyUsageFilter": "PermissionsPolicy"}, (["ann", "Bob"], ["group-ann", "group-Bob"])),
        ({"PolicyUsageFilter": "PermissionsBoundary"}, (["Bob", "cid"], [])),
        ({"PathPrefix": "/a/"}, (["ann", "cid"], ["group-ann"])),
        ({"PathPrefix": "/a/", "PolicyUsageFilter": "PermissionsBoundary", "EntityFilter": "User"}, (["cid"], [])),
        ({"PolicyUsageFilter": "PermissionsBoundary", "EntityFilter": "Group"}, ([], [])),
    ],
)
def test_the_list_can_be_limited(iam, arn, filters, found):
    assert found == names(iam.list_entities_for_policy(PolicyArn=arn, **filters))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_pages_run_over_the_kinds_and_meet_everyone_once(iam, arn, size):
    pages = list(iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": size}))

    users, groups = ([name for page in pages for name in names(page)[index]] for index in (0, 1))
    assert (["ann", "Bob", "cid"], ["group-ann", "group-Bob"]) == (users, groups)
    assert -(-5 // size) == len(pages)


def test_a_policy_of_aws_is_held_only_by_this_accounts_entities(account, crown):
    other = crown.account().client("iam")
    other.attach_user_policy(UserName="admin", PolicyArn=READ_ONLY)
    iam = account.client("iam")

    found = iam.list_entities_for_policy(PolicyArn=READ_ONLY)

    assert ([], []) == names(found)


def test_a_policy_that_does_not_exist_is_held_by_nobody(account, iam):
    arn = f"arn:aws:iam::{account.id}:policy/nobody"

    refused = refusal(iam.list_entities_for_policy, PolicyArn=arn)

    assert ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.") == refused
