"""Roles in a real browser: switched to and back, and signed in with by a script's federation link."""

from __future__ import annotations

import itertools
import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.fixtures.process import Process
from tests.signin.people import PASSWORD
from tests.signin.test_federation import ALL, trusting

Visit = Callable[..., Page]
Faults = Callable[[Page], list[str]]
_numbers = itertools.count(1)


@pytest.fixture
def account(served: Process) -> dict[str, Any]:
    """An account with the user `ann`, an administrator, and the role `auditor`."""
    number = next(_numbers)
    answer = served.account(email=f"roles-{number}@acme.example", name=f"roles {number}", admin_user="admin")
    iam = served.client("iam", answer["admin"])
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password=PASSWORD)
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(trusting(answer["account_id"])))
    iam.put_role_policy(RoleName="auditor", PolicyName="all", PolicyDocument=json.dumps(ALL))
    return answer


def test_a_user_switches_to_a_role_and_back(account: dict[str, Any], visit: Visit, faults: Faults):
    page = visit("/", viewport={"width": 360, "height": 740})
    _sign_in(page, account["account_id"])
    page.goto(f"/switchrole?account={account['account_id']}&roleName=auditor&displayName=Audit&color=99BCE3")
    assert [] == faults(page)
    page.get_by_role("button", name="Switch role").click()
    expect(page.get_by_text(f"arn:aws:sts::{account['account_id']}:assumed-role/auditor/ann")).to_be_visible()

    page.goto("/switchrole")
    expect(page.get_by_text("Audit").first).to_be_visible()
    assert [] == faults(page)
    page.get_by_role("button", name="Switch back").click()

    expect(page.get_by_text(f"arn:aws:iam::{account['account_id']}:user/ann")).to_be_visible()


def test_a_script_with_boto3_makes_an_address_that_signs_in(
    served: Process, account: dict[str, Any], visit: Visit, faults: Faults
):
    address = _console_address(served, account)

    page = visit(address)

    expect(page.get_by_role("heading", name="Console home")).to_be_visible()
    expect(page.get_by_text(f"arn:aws:sts::{account['account_id']}:assumed-role/auditor/script")).to_be_visible()


def test_a_link_that_is_opened_while_somebody_is_signed_in_asks_first(
    served: Process, account: dict[str, Any], visit: Visit, faults: Faults
):
    page = visit("/")
    _sign_in(page, account["account_id"])

    page.goto(_console_address(served, account))
    expect(page.get_by_text("You are signed in already")).to_be_visible()
    assert [] == faults(page)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_text(f"arn:aws:sts::{account['account_id']}:assumed-role/auditor/script")).to_be_visible()


def _console_address(served: Process, account: dict[str, Any]) -> str:
    """Do what AWS's sample scripts do ("Enable custom identity broker access to the AWS console")."""
    sts = served.client("sts", account["admin"])
    arn = f"arn:aws:iam::{account['account_id']}:role/auditor"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="script")["Credentials"]
    session = {
        "sessionId": given["AccessKeyId"],
        "sessionKey": given["SecretAccessKey"],
        "sessionToken": given["SessionToken"],
    }
    query = urllib.parse.urlencode({"Action": "getSigninToken", "SessionDuration": "3600", "Session": json.dumps(session)})
    with urllib.request.urlopen(f"{served.url}/federation?{query}", timeout=20) as answer:
        token = json.load(answer)["SigninToken"]
    query = urllib.parse.urlencode({"Action": "login", "Issuer": "Example.org", "SigninToken": token})
    return f"http://localhost:{served.port}/federation?{query}"


def _sign_in(page: Page, account_id: str) -> None:
    page.goto(f"/signin/{account_id}")
    page.get_by_label("IAM username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Console home")).to_be_visible()
