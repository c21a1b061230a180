"""What the trails of two accounts keep of a role that is taken on across them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown, User
from tests.services.iam.asking import allow, refusal


def trusting_role(owner: Account, *names: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(owner.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"])


def taken(account: Account) -> list[dict[str, Any]]:
    return [each for each in account.records() if each["eventName"] == "AssumeRole"]


@pytest.fixture
def owner(crown: Crown) -> Account:
    return crown.account()


@pytest.fixture
def ann(account: Account) -> User:
    return account.user("ann", policy=allow("sts:AssumeRole"))


def test_both_accounts_have_a_record_of_it_and_the_records_share_an_id(owner: Account, account: Account, ann: User):
    role_arn = trusting_role(owner, ann.arn)

    answer = ann.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="visit")

    (callers,), (owners,) = taken(account), taken(owner)
    assert callers["sharedEventID"] == owners["sharedEventID"]
    assert callers["eventID"] != owners["eventID"]
    assert callers["requestID"] == owners["requestID"]
    assert (account.id, owner.id) == (callers["recipientAccountId"], owners["recipientAccountId"])
    assert callers["requestParameters"] == owners["requestParameters"]
    key_id = answer["Credentials"]["AccessKeyId"]
    assert key_id == callers["responseElements"]["credentials"]["accessKeyId"]
    assert key_id == owners["responseElements"]["credentials"]["accessKeyId"]
    assert [{"accountId": owner.id, "type": "AWS::IAM::Role", "ARN": role_arn}] == callers["resources"] == owners["resources"]


def test_the_roles_account_learns_who_it_was_by_account_and_unique_id_and_not_by_name(
    owner: Account, account: Account, ann: User
):
    ann.client("sts").assume_role(RoleArn=trusting_role(owner, ann.arn), RoleSessionName="visit")

    (callers,), (owners,) = taken(account), taken(owner)
    user_id = ann.client("sts").get_caller_identity()["UserId"]
    assert {"type": "AWSAccount", "principalId": user_id, "accountId": account.id} == owners["userIdentity"]
    assert ("IAMUser", "ann") == (callers["userIdentity"]["type"], callers["userIdentity"]["userName"])


def test_the_roles_account_does_not_find_out_the_callers_name_or_key_by_looking_events_up(owner: Account, ann: User):
    ann.client("sts").assume_role(RoleArn=trusting_role(owner, ann.arn), RoleSessionName="visit")

    found = owner.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}]
    )["Events"]

    assert [(None, None)] == [(event.get("Username"), event.get("AccessKeyId")) for event in found]
    assert "ann" not in json.loads(found[0]["CloudTrailEvent"])["userIdentity"].values()
    for key, value in (("Username", "ann"), ("AccessKeyId", ann.credentials.access_key_id)):
        wanted = [{"AttributeKey": key, "AttributeValue": value}]
        assert [] == owner.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]


def test_it_is_found_by_the_role_in_either_trail(owner: Account, ann: User, account: Account):
    role_arn = trusting_role(owner, ann.arn)
    ann.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="visit")
    wanted = [{"AttributeKey": "ResourceName", "AttributeValue": role_arn}]

    found = [each.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"] for each in (account, owner)]

    assert [["AssumeRole"], ["AssumeRole"]] == [[event["EventName"] for event in events] for events in found]


def test_within_one_account_there_is_one_record_and_nothing_shared(account: Account, ann: User):
    ann.client("sts").assume_role(RoleArn=trusting_role(account, ann.arn), RoleSessionName="visit")

    (record,) = taken(account)

    assert "sharedEventID" not in record


def test_a_refusal_is_recorded_with_whoever_asked_alone(owner: Account, account: Account, ann: User):
    role_arn = trusting_role(owner, owner.id)

    assert refusal(ann.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="visit").startswith("AccessDenied: ")

    (record,) = taken(account)
    assert ("AccessDenied", False) == (record["errorCode"], "sharedEventID" in record)
    assert [] == taken(owner)


def test_a_session_that_goes_on_to_a_third_account_is_named_by_its_role(crown: Crown, owner: Account, ann: User):
    first = ann.client("sts").assume_role(RoleArn=trusting_role(owner, ann.arn), RoleSessionName="visit")
    owner.client("iam").put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(allow("sts:AssumeRole")))
    third = crown.account()
    role_arn = trusting_role(third, owner.id)

    crown.session(first["Credentials"], "sts").assume_role(RoleArn=role_arn, RoleSessionName="further")

    (record,) = taken(third)
    principal_id = first["AssumedRoleUser"]["AssumedRoleId"]
    assert {"type": "AWSAccount", "principalId": principal_id, "accountId": owner.id} == record["userIdentity"]
