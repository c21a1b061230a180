"""GetScopedCredentials: what a session hands on is never more than it may do, nor for longer, and stays the same identity."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from tests.fixtures.crown import Account
from tests.services.iam.asking import allow, refusal

BOTH = allow("iam:GetUser", "iam:ListUsers", "iam:ListRoles", "sts:AssumeRole")


def trusting(principal: str, *actions: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions or ("sts:AssumeRole",))}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def session(account: Account) -> dict[str, Any]:
    """Credentials of the role `R`, which may list users and roles."""
    iam = account.client("iam")
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trusting(account.id))
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(BOTH))
    answer = account.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account.id}:role/R", RoleSessionName="s1", DurationSeconds=3600
    )
    return dict(answer["Credentials"])


def narrow(account: Account, credentials: Any, **options: Any) -> dict[str, Any]:
    return dict(account.crown.session(credentials, "sts", region="eu-west-1").get_scoped_credentials(**options))


def refused(account: Account, credentials: Any, **options: Any) -> str:
    return refusal(account.crown.session(credentials, "sts").get_scoped_credentials, **options)


def test_a_scoped_session_is_the_same_identity_and_may_do_less(account: Account, session: dict[str, Any]):
    scope = json.dumps(allow("iam:ListUsers", "iam:CreateUser"))

    answer = narrow(account, session, Policy=scope, ScopedSessionDescription="for the report")

    scoped = answer["Credentials"]
    arn = f"arn:aws:sts::{account.id}:assumed-role/R/s1"
    identity = account.crown.session(scoped, "sts").get_caller_identity()
    assert (arn, identity["UserId"]) == (answer["SessionInfo"]["Arn"], answer["SessionInfo"]["ScopedSessionId"])
    assert (arn, session["Expiration"], 1) == (identity["Arn"], scoped["Expiration"], answer["ScopedPoliciesCount"])
    assert len(scoped["SessionToken"]) == answer["SessionTokenSize"]
    assert 0 < answer["SessionTokenUtilization"] <= 100
    iam = account.crown.session(scoped, "iam")
    iam.list_users()
    assert "no scope-down session policy allows the iam:ListRoles action" in refusal(iam.list_roles)
    assert "no identity-based policy allows the iam:CreateUser action" in refusal(iam.create_user, UserName="eve")
    record = next(each for each in account.records() if each["eventName"] == "GetScopedCredentials")
    assert "for the report" == record["requestParameters"]["scopedSessionDescription"]
    assert scoped["SessionToken"] not in json.dumps(record)


def test_every_further_scope_narrows_what_the_ones_before_left(account: Account, session: dict[str, Any]):
    first = narrow(account, session, Policy=json.dumps(allow("iam:ListUsers")))["Credentials"]

    second = narrow(account, first, Policy=json.dumps(allow("iam:*")))

    assert 2 == second["ScopedPoliciesCount"]
    iam = account.crown.session(second["Credentials"], "iam")
    iam.list_users()
    assert "AccessDenied" in refusal(iam.list_roles)
    third = narrow(account, second["Credentials"], Policy=json.dumps(allow("iam:*")))["Credentials"]
    assert "AccessDenied" in refused(account, third, Policy=json.dumps(allow("iam:*")))
    assert 3 == narrow(account, third, DurationSeconds=60)["ScopedPoliciesCount"]


def test_a_scope_binds_also_where_a_trust_policy_names_the_session_itself(account: Account, session: dict[str, Any]):
    iam = account.client("iam")
    arn = f"arn:aws:sts::{account.id}:assumed-role/R/s1"
    target = iam.create_role(RoleName="T", AssumeRolePolicyDocument=trusting(arn))["Role"]["Arn"]
    scoped = narrow(account, session, Policy=json.dumps(allow("iam:ListUsers")))["Credentials"]

    answer = refusal(account.crown.session(scoped, "sts").assume_role, RoleArn=target, RoleSessionName="s2")

    assert "no scope-down session policy allows the sts:AssumeRole action" in answer
    account.crown.session(session, "sts").assume_role(RoleArn=target, RoleSessionName="s2")


def test_an_explicit_deny_in_a_scope_names_it(account: Account, session: dict[str, Any]):
    document = allow("*")
    document["Statement"].append({"Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*"})

    scoped = narrow(account, session, Policy=json.dumps(document))["Credentials"]

    answer = refusal(account.crown.session(scoped, "iam").list_roles)
    assert "with an explicit deny in a scope-down session policy" in answer


def test_scoped_credentials_end_as_asked_and_never_after_the_calling_session(account: Account, session: dict[str, Any]):
    short = narrow(account, session, DurationSeconds=60)["Credentials"]

    too_long = refused(account, session, DurationSeconds=3700)

    assert too_long.startswith("InsufficientSessionLifetime: ")
    assert refused(account, short, DurationSeconds=61).startswith("InsufficientSessionLifetime: ")
    began: datetime = session["Expiration"] - timedelta(hours=1)
    with time_machine.travel(began + timedelta(seconds=90)):
        assert "ExpiredToken" in refusal(account.crown.session(short, "iam").list_users)
        account.crown.session(session, "iam").list_users()


def test_long_term_keys_have_nothing_to_scope(account: Account):
    assert "AccessDenied" in refusal(account.client("sts").get_scoped_credentials, DurationSeconds=900)
    assert "AccessDenied" in refusal(account.root("sts").get_scoped_credentials, DurationSeconds=900)


def test_what_must_be_given_and_what_must_be_a_policy(account: Account, session: dict[str, Any]):
    assert refused(account, session).startswith("ValidationError: ")
    assert refused(account, session, Policy="{}").startswith("MalformedPolicyDocument: ")


def test_sessions_of_users_and_federated_users_may_be_scoped_without_any_permission(account: Account):
    user = account.user("bob", policy=allow("iam:ListUsers", "sts:GetFederationToken"))
    for given in (
        user.client("sts").get_session_token()["Credentials"],
        user.client("sts").get_federation_token(Name="guest", Policy=json.dumps(allow("iam:ListUsers")))["Credentials"],
    ):
        scoped = narrow(account, given, DurationSeconds=900)

        assert 0 == scoped["ScopedPoliciesCount"]
        before, after = (account.crown.session(each, "sts").get_caller_identity() for each in (given, scoped["Credentials"]))
        assert before["Arn"] == after["Arn"]


def test_a_policy_may_deny_scoping(account: Account, session: dict[str, Any]):
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:GetScopedCredentials", "Resource": "*"}]}
    account.client("iam").put_role_policy(RoleName="R", PolicyName="deny", PolicyDocument=json.dumps(deny))

    assert "explicit deny" in refused(account, session, DurationSeconds=900)


def test_a_revoked_session_cannot_free_itself_by_scoping(account: Account, session: dict[str, Any]):
    scoped = narrow(account, session, Policy=json.dumps(allow("*")))["Credentials"]
    with time_machine.travel(session["Expiration"] - timedelta(minutes=50)):
        later = narrow(account, session, DurationSeconds=900)["Credentials"]
    before = (session["Expiration"] - timedelta(minutes=55)).strftime("%Y-%m-%dT%H:%M:%SZ")
    revoked = {"DateLessThan": {"aws:TokenIssueTime": before}}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": revoked}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})

    account.client("iam").put_role_policy(RoleName="R", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)

    for each in (scoped, later):
        assert "explicit deny" in refusal(account.crown.session(each, "iam").list_users)


def test_a_token_is_filled_up_to_the_size_that_is_asked_for(account: Account, session: dict[str, Any]):
    answer = narrow(account, session, DurationSeconds=900, MinimumSessionTokenSize=3000)

    assert answer["SessionTokenSize"] >= 3000
    account.crown.session(answer["Credentials"], "iam").list_users()
