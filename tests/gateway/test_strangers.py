"""Strangers: what they may make the server write down, whichever door they knock at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.fixtures.crown import Crown
from tests.signin.browser import signed_in
from tests.signin.command_line import CommandLine

FreshCrown = Callable[..., Crown]

TRIES = 60
ROOM = 10
"""What a rate of one record a second leaves room for at once."""


def query(crown: Crown, **parameters: str) -> int:
    body = urlencode({"Version": "2011-06-15", **parameters}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return crown.request("POST", "/", headers=headers, body=body).status


def unsigned(crown: Crown, _: str) -> int:
    return query(crown, Action="GetCallerIdentity")


def web_identity(crown: Crown, role_arn: str) -> int:
    named = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": role_arn, "RoleSessionName": "ann"}
    return query(crown, **named, WebIdentityToken="a.b.c" * 4)


def saml(crown: Crown, role_arn: str) -> int:
    principal = role_arn.replace(":role/R", ":saml-provider/P")
    named = {"Action": "AssumeRoleWithSAML", "RoleArn": role_arn, "PrincipalArn": principal}
    return query(crown, **named, SAMLAssertion="PHg+PC94Pg==")


def malformed(crown: Crown, _: str) -> int:
    return query(crown, Action="AssumeRoleWithWebIdentity")


def code(crown: Crown, _: str) -> int:
    return CommandLine(crown).redeem("A" * 43).status


def refresh_token(crown: Crown, _: str) -> int:
    return CommandLine(crown).refresh("A" * 43).status


def no_token(crown: Crown, _: str) -> int:
    return crown.request("POST", "/v1/token", headers={"content-type": "application/json"}, body=b"{}").status


@pytest.mark.parametrize("knock", [unsigned, web_identity, saml, malformed, code, refresh_token, no_token])
def test_flooding_the_trail_without_credentials_ends_after_a_while_and_every_try_is_refused(
    fresh_crown: FreshCrown, knock: Callable[[Crown, str], int]
):
    crown = fresh_crown(unattributed_records_per_second=1)
    account = crown.account()
    iam = account.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role_arn = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    before = records(crown, account.id)

    statuses = {knock(crown, role_arn) for _ in range(TRIES)}

    assert all(400 <= status < 500 for status in statuses), statuses
    assert 1 <= records(crown, account.id) - before < TRIES - ROOM


def test_flooding_the_trail_leaves_the_records_of_those_who_succeed(fresh_crown: FreshCrown):
    crown = fresh_crown(unattributed_records_per_second=1)
    account = crown.account()
    browser = signed_in(account)
    for _ in range(TRIES):
        no_token(crown, "")

    CommandLine(crown).sign_in(browser)

    assert "CreateOAuth2Token" == newest(account.records(), "CreateOAuth2Token")["eventName"]


def test_flooding_the_trail_does_not_hide_a_stolen_code_that_ends_its_grant(fresh_crown: FreshCrown):
    crown = fresh_crown(unattributed_records_per_second=1)
    account, line = crown.account(), CommandLine(crown)
    browser = signed_in(account)
    stolen = line.code(browser)
    for _ in range(TRIES):
        no_token(crown, "")

    refused = line.redeem(stolen, codeVerifier="w" * 64)

    assert 400 <= refused.status < 500
    assert "errorCode" in newest(account.records(), "CreateOAuth2Token")


def records(crown: Crown, account_id: str) -> int:
    return len(crown.records("", limit=10_000)) + len(crown.records(account_id, limit=10_000))


def newest(found: list[dict[str, Any]], name: str) -> Mapping[str, Any]:
    return next(each for each in found if each["eventName"] == name)
