"""Lookups of the trail that people keep: each for themselves, so many at most, and gone with whoever kept them."""

from __future__ import annotations

from typing import Any

from tests.fixtures.crown import Account
from tests.services.iam.asking import allow, refusal

from crownkeep.services.account_security import trail_filters


def names(client: Any) -> list[str]:
    return [each["Name"] for each in client.list_trail_filters()["Filters"]]


def test_a_lookup_is_kept_for_whoever_kept_it_alone(account: Account):
    ines = account.user("ines", policy=allow("iam:GetUser")).client("account-security")
    others = account.client("account-security")

    ines.put_trail_filter(Name="Keys", AttributeKey="EventName", AttributeValue="CreateAccessKey", FailuresOnly=True)
    ines.put_trail_filter(Name="KEYS", WithReads=True)

    assert [{"Name": "KEYS", "WithReads": True, "FailuresOnly": False}] == ines.list_trail_filters()["Filters"]
    assert [] == names(others)
    assert "ResourceNotFound" in refusal(others.delete_trail_filter, Name="KEYS")


def test_no_more_are_kept_than_one_person_may(account: Account):
    security = account.client("account-security")
    for number in range(trail_filters.MOST):
        security.put_trail_filter(Name=f"lookup {number}")

    assert "LimitExceeded" in refusal(security.put_trail_filter, Name="one more")
    security.put_trail_filter(Name="lookup 0", FailuresOnly=True)
    security.delete_trail_filter(Name="lookup 0")
    security.put_trail_filter(Name="one more")


def test_a_policy_can_deny_keeping_and_a_role_s_session_keeps_nothing(account: Account):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "account-security:*", "Resource": "*"}]}
    denied = account.user("denied", policy=policy).client("account-security")

    assert "explicit deny" in refusal(denied.put_trail_filter, Name="mine")


def test_what_a_user_kept_goes_with_the_user(account: Account):
    iam = account.client("iam")
    account.user("leaving", policy=allow("iam:GetUser")).client("account-security").put_trail_filter(Name="mine")
    for key in iam.list_access_keys(UserName="leaving")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="leaving", AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName="leaving")["PolicyNames"]:
        iam.delete_user_policy(UserName="leaving", PolicyName=policy)

    iam.delete_user(UserName="leaving")
    again = account.user("leaving", policy=allow("iam:GetUser")).client("account-security")

    assert [] == names(again)
