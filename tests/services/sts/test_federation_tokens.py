"""GetFederationToken and GetSessionToken: what the caller hands on, for how long, and what ends it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, User


def allow(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def console(account: Account, credentials: Any) -> Any:
    """A service that federated users may call: CloudTrail."""
    return account.crown.session(credentials, "cloudtrail")


def broker(account: Account) -> User:
    return account.user("broker", policy=allow("sts:GetFederationToken", "sts:TagSession", "cloudtrail:*"))


def test_a_federated_user_is_named_and_may_do_what_both_policies_allow(account: Account):
    sts = broker(account).client("sts")

    answer = sts.get_federation_token(Name="guest", Policy=json.dumps(allow("cloudtrail:LookupEvents", "iam:*")))

    user = answer["FederatedUser"]
    assert {
        "FederatedUserId": f"{account.id}:guest",
        "Arn": f"arn:aws:sts::{account.id}:federated-user/guest",
    } == user
    assert answer["PackedPolicySize"] == answer["SessionTokenUtilization"]
    console(account, answer["Credentials"]).lookup_events()
    identity = account.crown.session(answer["Credentials"], "sts").get_caller_identity()
    assert (f"{account.id}:guest", user["Arn"]) == (identity["UserId"], identity["Arn"])
    record = next(each for each in account.records() if each["eventName"] == "LookupEvents")
    assert "FederatedUser" == record["userIdentity"]["type"]
    assert "broker" == record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"]


def test_without_a_session_policy_a_federated_user_may_do_nothing(account: Account):
    answer = broker(account).client("sts").get_federation_token(Name="guest")

    assert 0 == answer["PackedPolicySize"]
    assert "AccessDenied" in refused(console(account, answer["Credentials"]).lookup_events)[0]


def test_a_session_policy_does_not_grant_what_the_user_has_not(account: Account):
    sts = account.user("poor", policy=allow("sts:GetFederationToken")).client("sts")

    answer = sts.get_federation_token(Name="guest", Policy=json.dumps(allow("cloudtrail:LookupEvents")))

    assert "AccessDenied" in refused(console(account, answer["Credentials"]).lookup_events)[0]


def test_a_federated_user_can_not_call_iam(account: Account):
    answer = account.client("sts").get_federation_token(Name="guest", Policy=json.dumps(allow("*")))

    assert "AccessDenied" == refused(account.crown.session(answer["Credentials"], "iam").list_users)[0]
    sts = account.crown.session(answer["Credentials"], "sts")
    assert "AccessDenied" == refused(sts.get_session_token)[0]


def test_roots_federated_user_has_what_the_session_policy_leaves_for_an_hour_at_most(account: Account):
    policy = json.dumps(allow("cloudtrail:LookupEvents"))

    answer = account.root("sts").get_federation_token(Name="guest", Policy=policy, DurationSeconds=7200)

    console(account, answer["Credentials"]).lookup_events()
    record = next(each for each in account.records() if each["eventName"] == "GetFederationToken")
    expires = answer["Credentials"]["Expiration"] - datetime.fromisoformat(record["eventTime"])
    assert 3600 == expires.total_seconds()


def test_session_credentials_can_not_ask_for_more(account: Account):
    session = account.client("sts").get_session_token()["Credentials"]
    sts = account.crown.session(session, "sts")

    assert "AccessDenied" == refused(sts.get_federation_token, Name="guest")[0]
    iam = account.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    answer = account.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="s1")
    chained = account.crown.session(answer["Credentials"], "sts")
    assert ("AccessDenied", "Cannot call GetFederationToken with session credentials") == refused(
        chained.get_federation_token, Name="guest"
    )
    assert ("AccessDenied", "Cannot call GetSessionToken with session credentials") == refused(chained.get_session_token)


def test_a_federated_user_ends_with_the_key_that_asked_for_it(account: Account):
    user = broker(account)
    answer = user.client("sts").get_federation_token(Name="guest", Policy=json.dumps(allow("cloudtrail:*")))
    trail = console(account, answer["Credentials"])
    trail.lookup_events()

    account.client("iam").update_access_key(UserName="broker", AccessKeyId=user.credentials.access_key_id, Status="Inactive")

    assert "UnrecognizedClientException" == refused(trail.lookup_events)[0]


def test_tags_of_a_federated_user_cover_those_of_its_user(account: Account):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["sts:GetFederationToken", "sts:TagSession"], "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "cloudtrail:LookupEvents",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
            },
        ],
    }
    sts = account.user("bob", policy=policy, Tags=[{"Key": "Team", "Value": "blue"}]).client("sts")
    limits = json.dumps(allow("cloudtrail:*"))

    tagged = sts.get_federation_token(Name="guest", Policy=limits, Tags=[{"Key": "team", "Value": "red"}])
    untagged = sts.get_federation_token(Name="guest", Policy=limits)

    console(account, tagged["Credentials"]).lookup_events()
    assert "AccessDenied" in refused(console(account, untagged["Credentials"]).lookup_events)[0]


def test_a_session_token_tells_its_size(account: Account):
    answer = account.client("sts").get_session_token(MinimumSessionTokenSize=2000)

    assert 2000 <= answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])
    assert account.id == account.crown.session(answer["Credentials"], "sts").get_caller_identity()["Account"]


def test_an_access_key_id_tells_its_account(account: Account):
    key_id = account.created["admin"]["access_key_id"]

    assert account.id == account.client("sts").get_access_key_info(AccessKeyId=key_id)["Account"]
