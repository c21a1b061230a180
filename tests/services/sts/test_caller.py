"""Who is calling, whose key an id is, and what a session token may not be asked for."""

from __future__ import annotations

import json

import pytest
from tests.fixtures.crown import Account, Crown
from tests.services.iam.asking import allow, refusal


def test_whose_key_it_is_can_be_told_from_its_id(account: Account):
    bob = account.user("bob")

    answer = account.client("sts").get_access_key_info(AccessKeyId=bob.credentials.access_key_id)["Account"]

    assert account.id == answer


@pytest.mark.parametrize("key_id", ["AKIA1111111111111111", "NOKEYATALLNOKEYATALL"])
def test_what_is_no_key_id_is_refused(account: Account, key_id: str):
    assert f"ValidationError: Invalid access key id: {key_id}" == refusal(
        account.client("sts").get_access_key_info, AccessKeyId=key_id
    )


@pytest.mark.parametrize("seconds", [899, 129_601])
def test_a_session_of_ones_own_is_neither_too_short_nor_too_long(account: Account, seconds: int):
    sts = account.client("sts", parameter_validation=False)

    assert refusal(sts.get_session_token, DurationSeconds=seconds).startswith("ValidationError: ")


def test_nobody_is_told_who_a_forged_key_is(crown: Crown, account: Account):
    forged = {**account.created["admin"], "secret_access_key": "x" * 40}

    assert refusal(crown.session(forged, "sts").get_caller_identity).startswith("SignatureDoesNotMatch: ")


def test_no_policy_denies_the_question_who_one_is(account: Account):
    denied = allow("sts:*")
    denied["Statement"][0]["Effect"] = "Deny"
    bob = account.user("bob", policy=denied)

    assert bob.arn == bob.client("sts").get_caller_identity()["Arn"]


def test_session_credentials_get_no_further_session_of_ones_own(account: Account):
    bob = account.user("bob", policy=allow("*"))
    session = account.crown.session(bob.client("sts").get_session_token()["Credentials"], "sts")

    assert "AccessDenied: Cannot call GetSessionToken with session credentials" == refusal(session.get_session_token)
    assert "AccessDenied: Cannot call GetFederationToken with session credentials" == refusal(
        session.get_federation_token, Name="ann"
    )


def test_taking_on_a_role_by_session_credentials_is_chaining_and_lasts_an_hour_at_most(account: Account):
    trusted = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trusted})
    iam = account.client("iam")
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document, MaxSessionDuration=7200)["Role"]["Arn"]
    bob = account.user("bob", policy=allow("sts:*"))
    session = account.crown.session(bob.client("sts").get_session_token()["Credentials"], "sts")

    assert (
        "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    ) == refusal(session.assume_role, RoleArn=role, RoleSessionName="ann", DurationSeconds=3601)
    assert session.assume_role(RoleArn=role, RoleSessionName="ann", DurationSeconds=3600)["Credentials"]
