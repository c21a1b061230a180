"""AssumeRole with a second factor: asked for by trust policies, spent once, and marked in the session and its records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from tests.fixtures.crown import Account, User
from tests.services.iam.asking import allow, enrol, refusal

START = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """Time that stands still until a test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def bob(account: Account) -> User:
    """A user who may do anything in IAM and STS."""
    return account.user("bob", policy=allow("iam:*", "sts:*"))


def role_that_asks_for_mfa(account: Account, user: User) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": user.arn},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = account.client("iam")
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
    needs = {
        "Effect": "Allow",
        "Action": "iam:ListUsers",
        "Resource": "*",
        "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "900"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [needs]})
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=policy)
    return str(role["Arn"])


def test_a_role_that_asks_for_mfa_is_taken_on_with_a_code_alone(account: Account, bob: User, clock: Any):
    serial, app = enrol(account.client("iam"), "bob", "phone")
    role_arn = role_that_asks_for_mfa(account, bob)
    sts = bob.client("sts")

    without = refusal(sts.assume_role, RoleArn=role_arn, RoleSessionName="s1")
    wrong = refusal(sts.assume_role, RoleArn=role_arn, RoleSessionName="s1", SerialNumber=serial, TokenCode="000000")
    answer = sts.assume_role(RoleArn=role_arn, RoleSessionName="s1", SerialNumber=serial, TokenCode=app.code(1))

    assert without.startswith("AccessDenied: ")
    assert "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code. " == wrong
    session = account.crown.session(answer["Credentials"], "iam")
    session.list_users()
    record = next(each for each in account.records() if each["eventName"] == "ListUsers")
    assert "true" == record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"]
    clock.shift(901)
    assert refusal(session.list_users).startswith("AccessDenied: ")


def test_a_code_is_good_once(account: Account, bob: User):
    serial, app = enrol(account.client("iam"), "bob", "phone")
    role_arn = role_that_asks_for_mfa(account, bob)
    factor = {"SerialNumber": serial, "TokenCode": app.code(1)}
    bob.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1", **factor)

    again = refusal(bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1", **factor)

    assert again.startswith("AccessDenied: MultiFactorAuthentication failed")


def test_half_a_factor_is_none(account: Account, bob: User):
    serial, _ = enrol(account.client("iam"), "bob", "phone")
    role_arn = role_that_asks_for_mfa(account, bob)

    half = refusal(bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1", SerialNumber=serial)

    assert "AccessDenied: MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code." == half


def test_a_session_with_mfa_takes_on_a_role_that_asks_for_it_and_chains_do_not(account: Account, bob: User):
    serial, app = enrol(account.client("iam"), "bob", "phone")
    role_arn = role_that_asks_for_mfa(account, bob)
    session = bob.client("sts").get_session_token(SerialNumber=serial, TokenCode=app.code(1))["Credentials"]
    answer = account.crown.session(session, "sts").assume_role(RoleArn=role_arn, RoleSessionName="s1")
    account.crown.session(answer["Credentials"], "iam").list_users()
    iam = account.client("iam")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": "sts:AssumeRole"}],
    }
    second = iam.create_role(RoleName="S", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    policy = iam.get_role_policy(RoleName="R", PolicyName="p")["PolicyDocument"]
    iam.put_role_policy(RoleName="S", PolicyName="p", PolicyDocument=json.dumps(policy))

    chained = account.crown.session(answer["Credentials"], "sts").assume_role(RoleArn=second, RoleSessionName="s2")

    assert refusal(account.crown.session(chained["Credentials"], "iam").list_users).startswith("AccessDenied: ")


def test_the_seed_of_another_user_is_no_factor(account: Account, bob: User):
    account.user("eve")
    serial, app = enrol(account.client("iam"), "eve", "phone")
    role_arn = role_that_asks_for_mfa(account, bob)

    answer = refusal(
        bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1", SerialNumber=serial, TokenCode=app.code(1)
    )

    assert answer.startswith("AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.")
