"""Managed policies for a list: the account's own among AWS's, in several orders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.services.iam.asking import allow, refusal

READING = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def security(account: Account) -> Any:
    """The lists of an account with policies of its own, of which one is held."""
    iam = account.client("iam")
    for name in ("ReadOnlyAccess", "reading-rooms", "Zebra"):
        tags = [{"Key": "team", "Value": "red"}]
        iam.create_policy(PolicyName=name, Path="/own/", PolicyDocument=json.dumps(allow("s3:GetObject")), Tags=tags)
    iam.create_role(
        RoleName="reader",
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
        ),
    )
    for arn in (READING, f"arn:aws:iam::{account.id}:policy/own/Zebra"):
        iam.attach_role_policy(RoleName="reader", PolicyArn=arn)
    return account.client("account-security")


def names(answer: Any) -> list[str]:
    return [policy["PolicyName"] for policy in answer["Policies"]]


def test_policies_are_found_by_a_part_of_the_name_by_kind_and_by_use(security: Any):
    assert ["reading-rooms", "ReadOnlyAccess"] == names(security.describe_policies(Text="READ", Scope="Local"))
    assert "AmazonS3ReadOnlyAccess" in names(security.describe_policies(Text="s3read"))
    used = security.describe_policies(OnlyAttached=True)
    assert {"ReadOnlyAccess", "Zebra"} <= {*names(used)}
    assert READING in [policy["Arn"] for policy in used["Policies"]]
    assert [[{"Key": "team", "Value": "red"}]] == [
        policy["Tags"] for policy in security.describe_policies(Text="zebra", Include=["Tags"])["Policies"]
    ]


@pytest.mark.parametrize("order", ["Name", "Created", "Changed", "Attachments"])
def test_pages_of_every_order_come_to_each_policy_once(security: Any, order: str):
    for backwards in (False, True):
        asked: dict[str, Any] = {"SortBy": order, "Descending": backwards, "Text": "read"}
        whole = [policy["Arn"] for policy in security.describe_policies(**asked, MaxItems=1000)["Policies"]]
        found: list[str] = []
        page: Any = {"Marker": None}
        while page.get("Marker") or not found:
            marker = {"Marker": page["Marker"]} if page["Marker"] else {}
            page = security.describe_policies(**asked, MaxItems=20, **marker)
            found += [policy["Arn"] for policy in page["Policies"]]
            if not page["IsTruncated"]:
                break

        assert whole == found
        if order == "Name":
            assert names({"Policies": page["Policies"]}) == sorted(names(page), key=str.lower, reverse=backwards)
        assert len(found) == len({*found})


def test_the_account_s_own_policy_comes_before_the_one_of_aws_s_of_the_same_name(security: Any, account: Account):
    found = [policy["Arn"] for policy in security.describe_policies(Text="readonlyaccess", MaxItems=1000)["Policies"]]

    own = f"arn:aws:iam::{account.id}:policy/own/ReadOnlyAccess"
    assert found.index(own) + 1 == found.index(READING)


def test_whoever_may_not_list_policies_is_refused_with_iams_own_action(security: Any, account: Account):
    lister = account.user("lister", policy=allow("iam:ListPolicies")).client("account-security")
    stranger = account.user("stranger", policy=allow("iam:GetPolicy")).client("account-security")

    found = lister.describe_policies(Text="zebra", Include=["Tags"])

    assert ["iam:ListPolicyTags"] == found["NotPermitted"]
    assert "Tags" not in found["Policies"][0]
    assert "iam:ListPolicies" in refusal(stranger.describe_policies)
