"""Regions: AWS's own list, the statuses kept."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from crownkeep.models import regions as published_regions


def statuses(account: Any, **options: Any) -> dict[str, str]:
    pages = account.client("account").get_paginator("list_regions").paginate(**options)
    return {each["RegionName"]: each["RegionOptStatus"] for page in pages for each in page["Regions"]}


def test_the_regions_are_those_that_botocore_knows_of_the_partition(account):
    known = boto3.Session().get_available_regions("sts", "aws")

    found = statuses(account)

    assert set(known) <= set(found)
    assert "aws-global" not in found


def test_every_region_that_is_on_by_default_is_a_region():
    assert set(published_regions.names()) >= published_regions.ENABLED_BY_DEFAULT


def test_old_regions_are_on_and_young_ones_off(account):
    found = statuses(account)

    assert "ENABLED_BY_DEFAULT" == found["us-east-1"]
    assert "DISABLED" == found["af-south-1"]


def test_pages_are_cut_where_asked_and_hold_every_region_once_in_order(account):
    whole = list(statuses(account))

    paged = list(statuses(account, PaginationConfig={"PageSize": 7}))

    assert sorted(whole) == whole == paged


def test_a_region_that_was_opted_into_is_enabled_until_it_is_opted_out_of(account):
    client = account.client("account")

    client.enable_region(RegionName="af-south-1")
    enabled = statuses(account, RegionOptStatusContains=["ENABLED"])
    client.disable_region(RegionName="af-south-1")

    assert {"af-south-1": "ENABLED"} == enabled
    assert "DISABLED" == client.get_region_opt_status(RegionName="af-south-1")["RegionOptStatus"]


def test_a_region_is_not_switched_to_the_status_that_it_has(account):
    client = account.client("account")

    with pytest.raises(ClientError) as off:
        client.disable_region(RegionName="af-south-1")
    client.enable_region(RegionName="af-south-1")
    with pytest.raises(ClientError) as on:
        client.enable_region(RegionName="af-south-1")

    said = "Unable to switch region status because of its current opt-in status."
    refusals = [each.value.response["Error"] for each in (off, on)]
    assert [("ValidationException", said)] * 2 == [(each["Code"], each["Message"]) for each in refusals]


@pytest.mark.parametrize("region", ["us-east-1", "moon-west-1"])
def test_a_region_that_is_always_on_or_does_not_exist_can_not_be_chosen(account, region):
    client = account.client("account")

    for call in (client.enable_region, client.disable_region):
        with pytest.raises(ClientError) as refusal:
            call(RegionName=region)

        assert "ValidationException" == refusal.value.response["Error"]["Code"]
        assert "invalidRegionOptTarget" == refusal.value.response["reason"]


def test_the_status_of_a_region_that_does_not_exist_is_not_answered(account):
    with pytest.raises(ClientError) as refusal:
        account.client("account").get_region_opt_status(RegionName="moon-west-1")

    assert "ValidationException" == refusal.value.response["Error"]["Code"]


def test_a_token_is_good_for_the_list_it_was_made_for_and_no_other(crown):
    account, other = crown.account(), crown.account()
    token = account.client("account").list_regions(MaxResults=5)["NextToken"]

    for client, options in (
        (other.client("account"), {"NextToken": token}),
        (account.client("account"), {"NextToken": token, "RegionOptStatusContains": ["ENABLED"]}),
        (account.client("account"), {"NextToken": "nonsense"}),
    ):
        with pytest.raises(ClientError) as refusal:
            client.list_regions(**options)

        assert "ValidationException" == refusal.value.response["Error"]["Code"]


def test_a_policy_can_deny_a_region(account):
    condition = {"StringEquals": {"account:TargetRegion": "af-south-1"}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "account:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "account:EnableRegion", "Resource": "*", "Condition": condition},
        ],
    }
    client = account.user("bob", policy=policy).client("account")

    client.enable_region(RegionName="ap-east-1")

    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        client.enable_region(RegionName="af-south-1")
