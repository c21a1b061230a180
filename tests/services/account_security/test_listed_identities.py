"""Roles and groups for a list: found by a part of the name, in several orders, with no more than IAM would tell."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.services.iam.asking import allow, refusal

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'


@pytest.fixture
def held(account: Account) -> Account:
    """An account with roles and groups."""
    iam = account.client("iam")
    for name in ("Night-Audit", "deploy", "audit-reader"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Path="/jobs/" if name == "deploy" else "/")
        iam.create_group(GroupName=name)
    iam.create_user(UserName="bob")
    iam.add_user_to_group(GroupName="deploy", UserName="bob")
    return account


@pytest.mark.parametrize("noun", ["Role", "Group"])
def test_they_are_found_by_a_part_of_the_name_a_page_at_a_time(held: Account, noun: str):
    security = held.client("account-security")
    ask = security.describe_roles if noun == "Role" else security.describe_groups

    first = ask(Text="AUDIT", MaxItems=1)
    second = ask(Text="AUDIT", MaxItems=1, Marker=first["Marker"])

    found = [each[f"{noun}Name"] for page in (first, second) for each in page[f"{noun}s"]]
    assert ["audit-reader", "Night-Audit"] == found
    assert not second["IsTruncated"]
    assert [] == ask(Text="a_d")[f"{noun}s"]


def test_path_use_and_members_are_told_as_iam_tells_them(held: Account):
    security = held.client("account-security")

    roles, groups = security.describe_roles(PathPrefix="/jobs/"), security.describe_groups(Text="deploy")

    assert ["deploy"] == [each["RoleName"] for each in roles["Roles"]]
    assert [1] == [each["UserCount"] for each in groups["Groups"]]


def test_they_come_in_the_order_that_is_asked_for_to_each_once(held: Account):
    held.client("iam").attach_role_policy(RoleName="deploy", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    security = held.client("account-security")
    asks = [(security.describe_roles, "Role", order) for order in ("Name", "Created", "LastUsed")]
    asks += [(security.describe_groups, "Group", order) for order in ("Name", "Created", "Users")]

    for ask, noun, order in asks:
        for backwards in (False, True):
            asked: dict[str, Any] = {"SortBy": order, "Descending": backwards}
            page = ask(**asked, MaxItems=2)
            found = page[f"{noun}s"] + ask(**asked, MaxItems=2, Marker=page["Marker"])[f"{noun}s"]
            assert [each[f"{noun}Name"] for each in ask(**asked)[f"{noun}s"]][:4] == [each[f"{noun}Name"] for each in found]

    assert "deploy" == security.describe_groups(SortBy="Users", Descending=True)["Groups"][0]["GroupName"]
    counted = {each["RoleName"]: each["PolicyCount"] for each in security.describe_roles(Include=["Policies"])["Roles"]}
    assert (1, 0) == (counted["deploy"], counted["Night-Audit"])


def test_an_order_tells_a_lister_nothing_that_it_may_not_know(held: Account):
    lister = held.user("lister", policy=allow("iam:ListGroups", "iam:ListRoles")).client("account-security")

    for ask, order in ((lister.describe_roles, "LastUsed"), (lister.describe_groups, "Users")):
        assert "iam:GetAccountAuthorizationDetails" in refusal(ask, SortBy=order)
    assert "PolicyCount" not in lister.describe_roles(Include=["Policies", "Tags"])["Roles"][0]


def test_a_lister_learns_no_more_than_iam_s_lists_tell(held: Account):
    lister = held.user("lister", policy=allow("iam:ListGroups")).client("account-security")

    found: Any = lister.describe_groups()

    assert ["iam:GetAccountAuthorizationDetails"] == found["NotPermitted"]
    assert "UserCount" not in found["Groups"][0]
    assert "iam:ListRoles" in refusal(lister.describe_roles)
