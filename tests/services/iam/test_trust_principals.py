"""Whom a trust policy may name: accounts and services that there are, and actions that take a role on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.services.iam.asking import refusal

from crownkeep.catalogue import service_principals
from crownkeep.settings import RegisteredService

NOT_ASSUMING = "MalformedPolicyDocument: AssumeRole policy may only specify STS AssumeRole actions."
DEPLOY: dict[str, Any] = {"principal": "deploy.corp.example", "prefix": "deploy", "condition_keys": ["deploy:Stage"]}


def trust(principal: Any, *actions: str) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions) or "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def told(account: Account, document: str) -> str:
    return refusal(account.client("iam").create_role, RoleName="r", AssumeRolePolicyDocument=document)


def kept(account: Account, document: str) -> Any:
    iam = account.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)
    (statement,) = iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return statement


def test_a_bare_account_id_is_kept_as_its_roots_arn(crown: Crown, account: Account):
    other = crown.account()

    statement = kept(account, trust({"AWS": [account.id, f"arn:aws:iam::{other.id}:root"]}))

    assert [f"arn:aws:iam::{each.id}:root" for each in (account, other)] == statement["Principal"]["AWS"]


@pytest.mark.parametrize("form", ["{}", "arn:aws:iam::{}:root"])
def test_an_account_that_does_not_exist_is_refused(account: Account, form: str):
    said = told(account, trust({"AWS": form.format("999999999999")}))

    assert 'MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::999999999999:root"' == said


def test_a_session_of_an_account_that_does_not_exist_is_refused(account: Account):
    name = "arn:aws:sts::999999999999:assumed-role/r/s"

    assert f'MalformedPolicyDocument: Invalid principal in policy: "AWS":"{name}"' == told(account, trust({"AWS": name}))


def test_a_closed_account_is_refused(crown: Crown, account: Account):
    closed = crown.account()
    crown.operator("POST", f"/accounts/{closed.id}/close")

    said = told(account, trust({"AWS": closed.id}))

    assert f'MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::{closed.id}:root"' == said


def test_a_role_is_not_changed_to_trust_nobody_that_there_is(account: Account):
    iam = account.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": account.id}))

    said = refusal(iam.update_assume_role_policy, RoleName="r", PolicyDocument=trust({"AWS": "999999999999"}))

    assert said.endswith('"AWS":"arn:aws:iam::999999999999:root"')


@pytest.mark.parametrize("name", ["amazonaws.com", "tagging.amazonaws.com", "ec2.amazonaws.co", "nonsense.example.com"])
def test_a_service_that_is_none_is_refused(account: Account, name: str):
    said = told(account, trust({"Service": name}))

    assert f'MalformedPolicyDocument: Invalid principal in policy: "SERVICE":"{name}"' == said


@pytest.mark.parametrize(
    "name",
    [
        "ec2.amazonaws.com",
        "lambda.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "edgelambda.amazonaws.com",
        "pods.eks.amazonaws.com",
        "delivery.logs.amazonaws.com",
        "states.eu-west-1.amazonaws.com",
        "member.org.stacksets.cloudformation.amazonaws.com",
        "monitoring.rds.amazonaws.com",
        "logging.s3.amazonaws.com",
        "ml.opensearchservice.amazonaws.com",
        "scheduler.redshift.amazonaws.com",
        "aiops.alarms.cloudwatch.amazonaws.com",
        "dnssec-route53.amazonaws.com",
        "cks.kms.us-east-1.amazonaws.com",
    ],
)
def test_services_of_awss_are_known(name: str):
    assert service_principals.is_known(name)


def test_a_service_is_known_as_it_is_written_alone():
    for name in (
        "EC2",
        "lamda",
        "ec2.",
        ".ec2",
        "a..ec2",
        "a b.ec2",
        "ec2.ec3",
        "us-east-1",
        "rds.monitoring-",
        "Monitoring.rds",
    ):
        assert not service_principals.is_known(f"{name}.amazonaws.com"), name
    assert not service_principals.is_known("ec2.eu-west-1.example.com")
    assert service_principals.is_known("deploy.corp.example", [RegisteredService(principal="deploy.corp.example")])


def test_services_that_the_operator_registered_are_known_to_trust_policies_and_checks(fresh_crown: Callable[..., Crown]):
    account = fresh_crown(services=(RegisteredService(**DEPLOY),)).account()
    condition = {"StringEquals": {"deploy:Stage": "prod"}}
    statement = {"Effect": "Allow", "Action": "deploy:Start", "Resource": "*", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    role = kept(account, trust({"Service": DEPLOY["principal"]}))
    found = account.client("accessanalyzer").validate_policy(policyDocument=document, policyType="IDENTITY_POLICY")

    assert {"Service": DEPLOY["principal"]} == role["Principal"]
    assert [] == [each["issueCode"] for each in found["findings"] if each["findingType"] == "ERROR"]


@pytest.mark.parametrize("action", ["sts:GetCallerIdentity", "sts:AssumeRoot", "sts:GetSession*", "iam:PassRole", "s3:*"])
def test_a_trust_policy_allows_nothing_but_taking_the_role_on(account: Account, action: str):
    assert NOT_ASSUMING == told(account, trust({"AWS": account.id}, "sts:AssumeRole", action))


@pytest.mark.parametrize(
    "action",
    ["sts:*", "sts:Assume*", "STS:assumerole", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext", "sts:Tag?ession"],
)
def test_a_trust_policy_may_hold_what_comes_with_taking_the_role_on(account: Account, action: str):
    assert [action] == kept(account, trust({"AWS": account.id}, action))["Action"]


def test_a_statement_with_no_principals_is_refused(account: Account):
    assert (
        "MalformedPolicyDocument: Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: "
        "The passed in policy has a statement with no principals!"
    ) == told(account, trust({"AWS": []}))


@pytest.mark.parametrize("blank", [" ", "\n", "\t"])
def test_a_document_that_begins_with_a_blank_is_refused(account: Account, blank: str):
    iam = account.client("iam")
    iam.create_user(UserName="u")
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    spaced = "MalformedPolicyDocument: JSON strings must not have leading spaces"
    unparsed = "MalformedPolicyDocument: The policy failed legacy parsing"

    assert spaced == told(account, blank + trust({"AWS": account.id}))
    assert unparsed == refusal(iam.put_user_policy, UserName="u", PolicyName="p", PolicyDocument=blank + allow)
    assert unparsed == refusal(iam.create_policy, PolicyName="p", PolicyDocument=blank + allow)
    iam.create_policy(PolicyName="p", PolicyDocument=allow + blank)
