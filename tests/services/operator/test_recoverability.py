"""Whether an account can still be got into: the operator's answer, and the account's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown

DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_an_administrator_and_roots_mailbox_are_two_independent_ways(account: Account):
    found = answer(account)

    assert (True, True, []) == (found["recoverable"], found["two_independent_ways"], found["single_points"])
    assert ["admin"] == [each["name"] for each in found["administrators"]]
    assert {"root chooses a password by mail", "the user admin signs with an access key"} == {
        way["name"] for way in found["ways"]
    }


def test_what_is_needed_by_every_way_is_a_single_point_of_failure(account: Account):
    account.root("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)

    found = answer(account)

    mailbox, domain = f"the mailbox {account.email}", "the mail domain test.example"
    assert (False, [mailbox, domain]) == (found["two_independent_ways"], found["single_points"])
    assert {(mailbox, False, f"without {mailbox}, locked out for good")} <= {
        (loss["what"], loss["still_recoverable"], loss["text"]) for loss in found["losses"]
    }


def test_who_is_denied_or_has_no_credential_that_works_is_no_administrator(account: Account):
    account.user("denied", arn=ADMINISTRATOR)
    account.client("iam").put_user_policy(UserName="denied", PolicyName="no", PolicyDocument=json.dumps(DENY_ALL))
    asleep = account.user("asleep", arn=ADMINISTRATOR)
    account.client("iam").update_access_key(UserName="asleep", AccessKeyId=asleep.credentials.access_key_id, Status="Inactive")

    assert ["admin"] == [each["name"] for each in answer(account)["administrators"]]


def test_who_needs_a_factor_that_is_not_there_is_no_administrator(account: Account):
    needs_mfa = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
        ],
    }
    account.user("careful", policy=needs_mfa)

    assert ["admin"] == [each["name"] for each in answer(account)["administrators"]]


def test_a_role_counts_where_somebody_can_take_it_on(account: Account, crown: Crown):
    other = crown.account()
    iam = account.client("iam")
    user = account.user("carol", policy=allow("sts:AssumeRole"))
    for name, trusted in (("by-carol", user.arn), ("by-another", other.id), ("by-a-service", None)):
        principal = {"AWS": trusted} if trusted else {"Service": "ec2.amazonaws.com"}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        iam.attach_role_policy(RoleName=name, PolicyArn=ADMINISTRATOR)

    found = [each for each in answer(account)["administrators"] if each["kind"] == "role"]

    assert {"by-carol": "the user carol", "by-another": f"principals of account {other.id}"} == {
        each["name"]: each["taken_on_by"] for each in found
    }


def test_the_custodian_stands_in_for_the_operator_unless_one_domain_holds_both_mailboxes(account: Account, crown: Crown):
    crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": "custodian@test.example"})

    found = answer(account)

    assert "custodian@test.example" == found["custodian"]
    assert [True] == ["whoever runs that domain reads both" in each for each in found["remarks"] if "custodian" in each]


def test_an_account_that_is_not_there_has_no_answer(crown: Crown):
    assert 404 == crown.operator("GET", "/accounts/000000000001/recoverability").status


def test_the_account_itself_is_told_but_addresses_go_to_root_alone(account: Account):
    reply = account.client("account-security").get_recoverability()
    to_root = account.root("account-security").get_recoverability()

    assert ("***@test.example", account.email) == (reply["Mailbox"]["Address"], to_root["Mailbox"]["Address"])
    assert account.email not in json.dumps(reply, default=str)
    assert reply["TwoIndependentWays"]


def test_an_account_is_not_told_how_many_others_share_its_mail_domain(account: Account, crown: Crown):
    crown.account()

    reply = account.root("account-security").get_recoverability()

    assert answer(account)["mailbox"]["other_accounts_at_domain"] >= 1
    assert (0, []) == (reply["Mailbox"]["OtherAccountsAtDomain"], [each for each in reply["Remarks"] if "other accounts" in each])


def test_nobody_without_permission_is_told(account: Account):
    with pytest.raises(ClientError, match="AccessDenied"):
        account.user("nobody").client("account-security").get_recoverability()


def allow(action: str) -> dict[str, Any]:
    """Return a policy that allows an action on everything."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def answer(account: Account) -> dict[str, Any]:
    """Return what the operator is told."""
    answered = account.crown.operator("GET", f"/accounts/{account.id}/recoverability")
    assert 200 == answered.status, answered.text
    found: dict[str, Any] = answered.json()
    return found
