"""Access keys of all users for a list: in several orders, and no key of a user whose keys the caller may not list."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.services.iam.asking import allow, refusal


@pytest.fixture
def keys(account: Account) -> dict[str, str]:
    """The key of each of three users."""
    iam = account.client("iam")
    made = {}
    for name in ("carol", "Bob", "alice"):
        iam.create_user(UserName=name, Path="/people/", Tags=[{"Key": "team", "Value": "red" if name == "Bob" else "blue"}])
        made[name] = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    return made


def owners(answer: Any) -> list[str]:
    return [key["UserName"] for key in answer["AccessKeys"]]


def test_keys_are_listed_with_their_owners_and_found_by_either(account: Account, keys: dict[str, str]):
    security = account.client("account-security")

    listed = security.describe_access_keys(PathPrefix="/people/")

    assert ["alice", "Bob", "carol"] == owners(listed)
    assert [keys[name] for name in ("alice", "Bob", "carol")] == [key["AccessKeyId"] for key in listed["AccessKeys"]]
    assert ["Bob"] == owners(security.describe_access_keys(Text=keys["Bob"][-12:]))
    assert ["carol"] == owners(security.describe_access_keys(Text="CARO"))


@pytest.mark.parametrize("order", ["Name", "Created", "LastUsed"])
def test_pages_of_every_order_come_to_each_key_once(account: Account, keys: dict[str, str], order: str):
    security = account.client("account-security")
    for backwards in (False, True):
        asked: dict[str, Any] = {"SortBy": order, "Descending": backwards, "PathPrefix": "/people/"}
        page = security.describe_access_keys(**asked, MaxItems=2)
        found = owners(page) + owners(security.describe_access_keys(**asked, MaxItems=2, Marker=page["Marker"]))

        assert owners(security.describe_access_keys(**asked)) == found
        assert sorted(keys) == sorted(found)
        if order == "Name":
            assert sorted(keys, key=str.lower, reverse=backwards) == found


def test_keys_of_a_user_whom_a_policy_denies_are_left_out_of_every_page(account: Account, keys: dict[str, str]):
    policy = allow("iam:ListAccessKeys", "iam:GetAccessKeyLastUsed")
    denied = {"aws:ResourceTag/team": "red"}
    policy["Statement"].append(
        {"Effect": "Deny", "Action": "iam:ListAccessKeys", "Resource": "*", "Condition": {"StringEquals": denied}}
    )
    lister = account.user("lister", policy=policy).client("account-security")

    page = lister.describe_access_keys(PathPrefix="/people/", MaxItems=1)
    following = lister.describe_access_keys(PathPrefix="/people/", MaxItems=1, Marker=page["Marker"])

    assert (["alice"], ["carol"]) == (owners(page), owners(following))
    assert not following["IsTruncated"]
    assert [] == owners(lister.describe_access_keys(Text=keys["Bob"]))


def test_the_last_use_is_told_to_whoever_may_ask_for_it(account: Account, keys: dict[str, str]):
    robot = account.user("robot", policy=allow("sts:GetCallerIdentity"))
    robot.client("sts").get_caller_identity()
    lister = account.user("lister", policy=allow("iam:ListAccessKeys")).client("account-security")

    told = account.client("account-security").describe_access_keys(Text="robot")["AccessKeys"][0]
    untold = lister.describe_access_keys(Text="robot")

    assert "sts" == told["ServiceName"]
    assert "LastUsedDate" not in untold["AccessKeys"][0]
    assert ["iam:GetAccessKeyLastUsed"] == untold["NotPermitted"]
    assert "iam:GetAccessKeyLastUsed" in refusal(lister.describe_access_keys, SortBy="LastUsed")


def test_whoever_may_list_the_keys_of_one_user_alone_is_refused(account: Account, keys: dict[str, str]):
    one = allow("iam:ListAccessKeys", on=f"arn:aws:iam::{account.id}:user/people/Bob")
    lister = account.user("lister", policy=one).client("account-security")

    assert "iam:ListAccessKeys" in refusal(lister.describe_access_keys)
