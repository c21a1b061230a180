"""LookupEvents: every attribute, ranges of time, pages that only their own lookup can turn."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError


def lookup(client: Any, key: str = "", value: str = "", **options: Any) -> list[dict[str, Any]]:
    attributes = {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]} if key else {}
    found: list[dict[str, Any]] = client.lookup_events(**attributes, **options)["Events"]
    return found


def names(found: list[dict[str, Any]]) -> list[str]:
    return [each["EventName"] for each in found]


def refused(client: Any, **options: Any) -> str:
    with pytest.raises(ClientError) as refusal:
        client.lookup_events(**options)
    return str(refusal.value.response["Error"]["Code"])


def test_what_root_did_is_found_under_its_name_refusals_included(account):
    account.root("account").get_account_information()
    with pytest.raises(ClientError):
        account.root("account").get_alternate_contact(AlternateContactType="SECURITY")

    found = lookup(account.client("cloudtrail"), "Username", "root")

    assert ["GetAlternateContact", "GetAccountInformation"] == names(found)
    record = json.loads(found[0]["CloudTrailEvent"])
    assert ("Root", f"arn:aws:iam::{account.id}:root") == (record["userIdentity"]["type"], record["userIdentity"]["arn"])
    assert "ResourceNotFoundException" == record["errorCode"]


def test_an_event_says_what_cloudtrail_says_of_it(account):
    account.root("account").put_account_name(AccountName="Acme")

    event = lookup(account.client("cloudtrail"), "EventName", "PutAccountName")[0]

    record = json.loads(event.pop("CloudTrailEvent"))
    assert {
        "EventId": record["eventID"],
        "EventName": "PutAccountName",
        "ReadOnly": "false",
        "AccessKeyId": account.created["root"]["access_key_id"],
        "EventTime": datetime.fromisoformat(record["eventTime"]),
        "EventSource": "account.amazonaws.com",
        "Username": "root",
        "Resources": [],
    } == event


def test_events_are_found_by_each_attribute(account):
    account.root("account").put_account_name(AccountName="Acme")
    account.client("account").get_account_information()
    client = account.client("cloudtrail")
    event = lookup(client, "EventName", "PutAccountName")[0]

    assert [event] == lookup(client, "EventId", event["EventId"])
    assert [event] == lookup(client, "Username", "root")
    assert [event] == lookup(client, "AccessKeyId", event["AccessKeyId"])
    assert ["PutAccountName", "CreateAccount"] == names(lookup(client, "ReadOnly", "false"))
    assert ["GetAccountInformation", "PutAccountName"] == names(lookup(client, "EventSource", "account.amazonaws.com"))
    assert ["CreateAccount"] == names(lookup(client, "ResourceName", "admin"))
    assert ["CreateAccount"] == names(lookup(client, "ResourceType", "AWS::IAM::AccessKey"))
    resources = lookup(client, "ResourceName", "admin")[0]["Resources"]
    assert {"ResourceType": "AWS::IAM::User", "ResourceName": "admin"} in resources


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EventId", "nonsense"),
        ("EventId", "01a20c1f-b0cc-7eb9-81ea-cc89440bc40e"),
        ("EventName", "putaccountname"),
        ("Username", "root' OR '1'='1"),
        ("ReadOnly", "maybe"),
        ("ResourceName", "x" * 1999),
        ("ResourceType", "AWS::EC2::Instance"),
        ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"),
        ("EventSource", "%"),
    ],
)
def test_a_value_that_no_event_has_finds_nothing(account, key, value):
    account.root("account").put_account_name(AccountName="Acme")

    assert [] == lookup(account.client("cloudtrail"), key, value)


def test_the_events_of_one_account_are_not_seen_from_another(crown):
    first, second = crown.account(), crown.account()
    first.root("account").put_account_name(AccountName="Acme")
    event = lookup(first.client("cloudtrail"), "EventName", "PutAccountName")[0]

    for key, value in (("EventName", "PutAccountName"), ("EventId", event["EventId"]), ("ResourceName", "acme")):
        assert [] == lookup(second.client("cloudtrail"), key, value)


def test_pages_hold_every_event_once_the_newest_first_while_new_ones_come(account):
    for number in range(7):
        account.root("account").put_account_name(AccountName=f"Acme {number}")
    client = account.client("cloudtrail")
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "PutAccountName"}]

    pages = []
    for page in client.get_paginator("lookup_events").paginate(LookupAttributes=attributes, PaginationConfig={"PageSize": 3}):
        pages.append(page["Events"])
        account.root("account").put_account_name(AccountName="later")

    seen = [json.loads(each["CloudTrailEvent"])["eventID"] for page in pages for each in page]
    assert [3, 3, 1] == [len(page) for page in pages]
    assert sorted(set(seen), reverse=True) == seen


def test_a_token_turns_the_pages_of_its_own_lookup_only(crown):
    account, other = crown.account(), crown.account()
    for kind in (account, other):
        for number in range(3):
            kind.root("account").put_account_name(AccountName=f"Acme {number}")
    client = account.client("cloudtrail")
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "PutAccountName"}]
    by_user = [{"AttributeKey": "Username", "AttributeValue": "root"}]
    token = client.lookup_events(LookupAttributes=by_name, MaxResults=1)["NextToken"]

    for asking, options in (
        (client, {"LookupAttributes": by_user}),
        (client, {}),
        (client, {"LookupAttributes": by_name, "StartTime": datetime(2026, 1, 1, tzinfo=UTC)}),
        (client, {"LookupAttributes": by_name, "EventCategory": "insight"}),
        (other.client("cloudtrail"), {"LookupAttributes": by_name}),
    ):
        assert "InvalidNextTokenException" == refused(asking, NextToken=token, **options)
    assert "InvalidNextTokenException" == refused(client, LookupAttributes=by_name, NextToken="nonsense")
    assert client.lookup_events(LookupAttributes=by_name, MaxResults=1, NextToken=token)["Events"]


def test_both_ends_of_a_range_belong_to_it(fresh_crown):
    with time_machine.travel(datetime(2026, 11, 1, 12, 0, 0, 700_000, tzinfo=UTC), tick=False) as clock:
        account = fresh_crown().account()
        happened = []
        for _ in range(3):
            clock.shift(10)
            account.root("account").get_account_information()
            happened.append(datetime.now(UTC).replace(microsecond=0))
        clock.shift(10)
        client = account.client("cloudtrail")
        first, second, third = happened

        assert [second] == times(client, StartTime=second, EndTime=second)
        assert [third, second] == times(client, StartTime=second, EndTime=third)
        assert [second] == times(client, StartTime=first + timedelta(seconds=1), EndTime=third - timedelta(seconds=1))
        assert [first] == times(client, EndTime=first)
        assert [third] == times(client, StartTime=third)


def times(client: Any, **options: Any) -> list[datetime]:
    return [each["EventTime"] for each in lookup(client, "EventName", "GetAccountInformation", **options)]


def test_a_lookup_sees_ninety_days_back_and_the_trail_keeps_what_is_older(fresh_crown):
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        account = fresh_crown().account()
        account.root("account").get_account_information()
        clock.shift(timedelta(days=90))
        seen = lookup(account.client("cloudtrail"), "Username", "root")
        clock.shift(timedelta(seconds=1))

        unseen = lookup(account.client("cloudtrail"), "Username", "root", StartTime=datetime(2025, 12, 1, tzinfo=UTC))

    assert ["GetAccountInformation"] == names(seen)
    assert [] == unseen
    assert "GetAccountInformation" in [record["eventName"] for record in account.records()]


@pytest.mark.parametrize("end", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
def test_a_range_that_ends_at_the_end_of_time_is_a_range(account, end):
    client = account.client("cloudtrail")

    found = lookup(client, EndTime=end)

    assert (["CreateAccount"] if end.year == 9999 else []) == names(found)


def test_what_cloudtrail_refuses_is_refused_by_its_own_errors(account):
    client = account.client("cloudtrail", parameter_validation=False)
    attribute = {"AttributeKey": "Username", "AttributeValue": "root"}
    now = datetime.now(UTC)

    assert "InvalidTimeRangeException" == refused(client, StartTime=now, EndTime=now - timedelta(seconds=2))
    assert "InvalidLookupAttributesException" == refused(client, LookupAttributes=[attribute, attribute])
    assert "InvalidLookupAttributesException" == refused(client, LookupAttributes=[attribute | {"AttributeKey": "Colour"}])
    assert "InvalidLookupAttributesException" == refused(client, LookupAttributes=[attribute | {"AttributeValue": "x" * 2001}])
    assert "InvalidMaxResultsException" == refused(client, MaxResults=51)
    assert "InvalidMaxResultsException" == refused(client, MaxResults=0)
    assert "InvalidEventCategoryException" == refused(client, EventCategory="data")


def test_there_are_no_insights_events(account):
    assert [] == lookup(account.client("cloudtrail"), EventCategory="insight")


def test_a_user_without_permissions_is_denied_and_the_denial_is_found(account):
    user = account.user("bob")

    assert "AccessDeniedException" == refused(user.client("cloudtrail"))

    found = lookup(account.client("cloudtrail"), "Username", "bob")
    assert "AccessDenied" == json.loads(found[0]["CloudTrailEvent"])["errorCode"]


def test_a_refusal_is_recorded_under_the_name_of_its_exception(account):
    iam = account.client("iam")
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust)
    tries = {
        "GetRole": lambda: iam.get_role(RoleName="nobody"),
        "CreateRole": lambda: iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust),
        "UpdateAssumeRolePolicy": lambda: iam.update_assume_role_policy(RoleName="R", PolicyDocument="{}"),
        "DeleteAccessKey": lambda: account.user("bob").client("iam").delete_access_key(AccessKeyId="A" * 16, UserName="carl"),
    }
    for attempt in tries.values():
        with pytest.raises(ClientError):
            attempt()

    recorded = {record["eventName"]: record.get("errorCode") for record in reversed(account.records())}

    assert {
        "GetRole": "NoSuchEntityException",
        "CreateRole": "EntityAlreadyExistsException",
        "UpdateAssumeRolePolicy": "MalformedPolicyDocumentException",
        "DeleteAccessKey": "AccessDenied",
    } == {name: recorded[name] for name in tries}
