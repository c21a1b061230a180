"""Trust policies as the wizard writes them: whom they trust, and under which conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crownkeep.console.kit import trusts
from crownkeep.console.kit.trusts import Terms, Trusted

GITHUB = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
CORP = "arn:aws:iam::123456789012:saml-provider/corp"
CASES = [
    (Trusted.ACCOUNT, Terms(account_id="210987654321"), {"AWS": "arn:aws:iam::210987654321:root"}, "sts:AssumeRole", None),
    (
        Trusted.ACCOUNT,
        Terms(account_id="210987654321", has_mfa=True, external_id="agreed"),
        {"AWS": "arn:aws:iam::210987654321:root"},
        "sts:AssumeRole",
        {"StringEquals": {"sts:ExternalId": "agreed"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ),
    (Trusted.SERVICE, Terms(service="ec2.amazonaws.com"), {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", None),
    (
        Trusted.WEB_IDENTITY,
        Terms(provider=GITHUB, audience="sts.amazonaws.com", subject="repo:acme/app:*"),
        {"Federated": GITHUB},
        "sts:AssumeRoleWithWebIdentity",
        {
            "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
            "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"},
        },
    ),
    (
        Trusted.WEB_IDENTITY,
        Terms(provider="graph.facebook.com", audience="1234"),
        {"Federated": "graph.facebook.com"},
        "sts:AssumeRoleWithWebIdentity",
        {"StringEquals": {"graph.facebook.com:app_id": "1234"}},
    ),
    (
        Trusted.SAML,
        Terms(provider=CORP, saml_audiences=("https://signin.aws.amazon.com/saml",)),
        {"Federated": CORP},
        "sts:AssumeRoleWithSAML",
        {"StringEquals": {"SAML:aud": ["https://signin.aws.amazon.com/saml"]}},
    ),
]


@pytest.mark.parametrize(("trusted", "terms", "principal", "action", "condition"), CASES)
def test_each_kind_of_trusted_gets_its_action_and_its_conditions(
    trusted: Trusted, terms: Terms, principal: dict[str, str], action: str, condition: Any
):
    (statement,) = json.loads(trusts.document(trusted, terms))["Statement"]

    assert ("Allow", principal, action) == (statement["Effect"], statement["Principal"], statement["Action"])
    assert condition == statement.get("Condition")


def test_a_custom_policy_is_left_to_whoever_writes_it():
    assert trusts.document(Trusted.CUSTOM, Terms(account_id="1")) == ""


def test_hostile_text_stays_inside_its_string():
    terms = Terms(account_id='x"},"Action":"*","Resource":{"a":"', external_id='"}}]}')

    (statement,) = json.loads(trusts.document(Trusted.ACCOUNT, terms))["Statement"]

    assert "sts:AssumeRole" == statement["Action"]
    assert {"sts:ExternalId": '"}}]}'} == statement["Condition"]["StringEquals"]
