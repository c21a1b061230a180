"""Strangers: what they may make the server write down, whichever door they knock at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.fixtures.crown import Crown
from tests.services.iam.asking import refusal
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


def test_a_made_up_key_id_that_encodes_an_account_leaves_nothing_in_its_trail(fresh_crown: FreshCrown):
    crown = fresh_crown()
    account = crown.account()
    known = account.created["admin"]["access_key_id"]
    made_up = {"access_key_id": known[:-4] + "ZZZZ", "secret_access_key": "x" * 40}
    before = len(account.records())

    code = refusal(crown.session(made_up, "iam").list_users)

    assert code.startswith("InvalidClientTokenId: ")
    assert before == len(account.records())
    assert made_up["access_key_id"] == crown.records("")[0]["additionalEventData"]["claimedAccessKeyId"]


def test_a_made_up_session_leaves_nothing_in_the_trail_of_the_account_that_its_key_id_encodes(fresh_crown: FreshCrown):
    crown = fresh_crown()
    account = crown.account()
    key_id = "ASIA" + account.created["admin"]["access_key_id"][4:]
    before = len(account.records())

    forged = {"access_key_id": key_id, "secret_access_key": "x" * 40, "session_token": "A" * 200}
    code = refusal(crown.session(forged, "iam").list_users)

    assert code.startswith("InvalidClientTokenId: ")
    assert before == len(account.records())


def test_bad_signatures_of_a_known_key_are_recorded_in_its_trail_and_do_not_bury_it(fresh_crown: FreshCrown):
    crown = fresh_crown()
    account, other = crown.account(), crown.account()
    forged = crown.session({**account.created["admin"], "secret_access_key": "x" * 40}, "iam")
    before = len(account.records())

    for _ in range(TRIES):
        assert refusal(forged.list_users).startswith("SignatureDoesNotMatch: ")
    also = crown.session({**other.created["admin"], "secret_access_key": "x" * 40}, "iam")
    assert refusal(also.list_users).startswith("SignatureDoesNotMatch: ")

    assert ROOM <= len(account.records()) - before < TRIES - ROOM
    assert "SignatureDoesNotMatch" == other.records()[0]["errorCode"]


def test_filling_the_disk_with_refused_parameters_a_stranger_leaves_a_short_summary(fresh_crown: FreshCrown):
    crown = fresh_crown()
    account = crown.account()
    role_arn = f"arn:aws:iam::{account.id}:role/R"
    tags = {f"PolicyArns.member.{number}.arn": "x" * 2048 for number in range(1, 30)}

    status = query(
        crown,
        Action="AssumeRoleWithWebIdentity",
        RoleArn=role_arn,
        RoleSessionName="ann",
        WebIdentityToken="a" * 60_000,
        Policy="p" * 40_000,
        **tags,
    )

    newest_record = crown.records("")[0]
    assert status >= 400
    assert role_arn == newest_record["requestParameters"]["roleArn"]
    assert len(json.dumps(newest_record)) < 5_000
