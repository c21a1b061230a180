"""Users for a list: found by a part of the name, in the order that is asked for, with what each holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from tests.fixtures.crown import Account, Crowns
from tests.services.iam.asking import allow, refusal

from crownkeep import clock

ALL = ["Credentials", "Groups", "Tags"]


@pytest.fixture
def people(account: Account) -> Any:
    """The list of an account with users that differ in what they hold."""
    iam = account.client("iam")
    iam.create_user(UserName="carol", Path="/people/", Tags=[{"Key": "team", "Value": "red"}])
    iam.create_user(UserName="Bob", Path="/people/")
    iam.create_user(UserName="robot")
    iam.create_login_profile(UserName="Bob", Password="correct Horse battery 9")
    iam.create_access_key(UserName="robot")
    iam.create_group(GroupName="crew")
    iam.add_user_to_group(GroupName="crew", UserName="carol")
    return account.client("account-security")


def names(answer: Any) -> list[str]:
    return [user["UserName"] for user in answer["Users"]]


def test_users_are_found_by_a_part_of_the_name_and_by_path(people: Any):
    assert ["Bob", "robot"] == names(people.describe_users(Text="OB"))
    assert ["Bob"] == names(people.describe_users(Text="ob", PathPrefix="/people/"))
    assert [] == names(people.describe_users(Text="%"))


def test_what_users_hold_is_told_on_request(people: Any):
    by_name = {user["UserName"]: user for user in people.describe_users(Include=ALL)["Users"]}

    assert [["crew"], []] == [by_name[name]["Groups"] for name in ("carol", "Bob")]
    assert [{"Key": "team", "Value": "red"}] == by_name["carol"]["Tags"]
    assert [True, False] == [by_name[name]["HasPassword"] for name in ("Bob", "robot")]
    assert ["Active"] == [key["Status"] for key in by_name["robot"]["AccessKeys"]]
    assert "Groups" not in people.describe_users()["Users"][0]


@pytest.mark.parametrize("order", ["Name", "Created", "PasswordLastUsed", "Mfa", "KeyAge"])
def test_pages_of_every_order_come_to_each_user_once(people: Any, order: str):
    whole = names(people.describe_users(SortBy=order))
    for backwards in (False, True):
        asked: dict[str, Any] = {"SortBy": order, "Descending": backwards, "MaxItems": 1}
        found: list[str] = []
        page = people.describe_users(**asked)
        while True:
            found += names(page)
            if not page["IsTruncated"]:
                break
            page = people.describe_users(**asked, Marker=page["Marker"])

        assert sorted(whole) == sorted(found)
        if not backwards:
            assert whole == found
        elif order == "Name":
            assert whole[::-1] == found


def test_orders_are_what_they_say(crowns: Crowns):
    crown = crowns.fresh("sqlite")
    account = crown.account()
    iam, security = account.client("iam"), account.client("account-security")
    for days, name in enumerate(("b", "a")):
        with time_machine.travel(clock.now() + timedelta(minutes=days), tick=False):
            iam.create_user(UserName=name)
            iam.create_access_key(UserName=name)

    made, keys = (names(security.describe_users(SortBy=order)) for order in ("Created", "KeyAge"))

    assert ["b", "a"] == [name for name in made if name in "ab"]
    assert ["b", "a"] == [name for name in keys if name in "ab"]
    crown.close()


def test_a_marker_of_another_list_is_refused(people: Any):
    marker = people.describe_users(MaxItems=1)["Marker"]

    assert "Invalid Marker" in refusal(people.describe_users, Text="o", Marker=marker)


def test_whoever_may_list_users_alone_learns_nothing_of_what_they_hold(people: Any, account: Account):
    lister = account.user("lister", policy=allow("iam:ListUsers")).client("account-security")

    found = lister.describe_users(Include=ALL)

    assert ["iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"] == found["NotPermitted"]
    assert not {"Groups", "Tags", "AccessKeys", "HasPassword", "MfaDevices", "LastActivity"} & {*found["Users"][0]}
    assert "iam:GetCredentialReport" in refusal(lister.describe_users, SortBy="KeyAge")


def test_whoever_may_not_list_users_is_refused_with_iams_own_action(people: Any, account: Account):
    stranger = account.user("stranger", policy=allow("iam:GetUser")).client("account-security")

    assert "iam:ListUsers" in refusal(stranger.describe_users)


def test_a_session_that_iam_refuses_lists_no_users(people: Any, account: Account):
    user = account.user("sam", policy=allow("iam:*", "sts:*"))
    session = user.client("sts").get_session_token()["Credentials"]

    assert "UnrecognizedClientException" in refusal(account.crown.session(session, "account-security").describe_users)
