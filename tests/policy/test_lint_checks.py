"""Access Analyzer's own checks: each is made, under its code and finding type, or named as one that isn't."""

import json
import re
from pathlib import Path

import pytest
from tests.policy.building import document, statement
from tests.policy.test_lint import SmallCatalogue, codes

from crownkeep import policy
from crownkeep.policy import PolicyKind

CORPUS = json.loads(Path(__file__).with_name("access_analyzer_checks.json").read_text())
CHECKS = CORPUS["checks"]
SAMPLES = CORPUS["samples"]
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "operations.md"


def found(sample):
    text = sample["policy"] if isinstance(sample["policy"], str) else json.dumps(sample["policy"])
    return policy.lint(text, PolicyKind(sample["kind"]), catalogue=SmallCatalogue())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["code"])
def test_a_check_of_aws_finds_what_it_is_for(sample):
    remarks = {remark.code: remark for remark in found(sample)}

    assert sample["code"] in remarks
    assert CHECKS[sample["code"]] == remarks[sample["code"]].severity.value


def test_every_check_of_aws_is_made_or_named_as_one_that_is_not():
    section = REFERENCE.read_text().partition("## Access Analyzer")[2].partition("\n## ")[0]
    not_made = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", section))

    assert set(CHECKS) == {sample["code"] for sample in SAMPLES} | not_made
    assert not {sample["code"] for sample in SAMPLES} & not_made


def test_a_finding_s_link_leads_to_the_check_s_heading():
    links = {
        "ALLOW_WITH_NOT_PRINCIPAL": "security-warning-allow-with-notprincipal",
        "PRIVATE_NOT_IP_ADDRESS_SUBSET": "suggestion-private-notipaddress-subset",
        "MISSING_VERSION": "general-warning-missing-version",
    }

    for sample in SAMPLES:
        if sample["code"] in links:
            members = [remark.as_member() for remark in found(sample)]
            (link,) = [member["learnMoreLink"] for member in members if member["issueCode"] == sample["code"]]
            assert link.endswith(f"#access-analyzer-reference-policy-checks-{links[sample['code']]}")


OPEN_ID = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}
GITHUB = {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        # Every resource of a wildcard could have a Region or an account.
        (PolicyKind.IDENTITY, statement(Action="s3:GetObject", Resource="arn:aws:s3:::b/*")),
        (PolicyKind.IDENTITY, statement(Action="iam:GetUser", Resource="arn:aws:iam::111122223333:user/*")),
        (PolicyKind.IDENTITY, statement(Action="iam:PassRole", Resource="arn:aws:iam::111122223333:role/app")),
        (
            PolicyKind.IDENTITY,
            statement(
                Action="iam:CreateServiceLinkedRole",
                Condition={"StringEquals": {"iam:AWSServiceName": "ec2.amazonaws.com"}},
            ),
        ),
        # What is excepted covers every role.
        (PolicyKind.IDENTITY, {"Effect": "Allow", "Action": "iam:PassRole", "NotResource": "arn:aws:iam::*:role/*"}),
        (PolicyKind.BOUNDARY, statement(Action="iam:PassRole")),
        (PolicyKind.IDENTITY, statement("Deny", Action="iam:PassRole")),
        # IAM's users have tags; a negated condition holds for a request without the key.
        (
            PolicyKind.IDENTITY,
            statement(
                Action="iam:GetUser",
                Resource="arn:aws:iam::111122223333:user/*",
                Condition={"StringEquals": {"aws:ResourceTag/team": "red"}},
            ),
        ),
        (
            PolicyKind.IDENTITY,
            statement(
                "Deny",
                Action="s3:GetObject",
                Resource="arn:aws:s3:::b/*",
                Condition={"StringNotEquals": {"aws:ResourceTag/team": "red"}},
            ),
        ),
        (
            PolicyKind.TRUST,
            OPEN_ID
            | {
                "Principal": GITHUB,
                "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}},
            },
        ),
        (
            PolicyKind.TRUST,
            {
                "Effect": "Allow",
                "Principal": {"AWS": "111122223333"},
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
                "Condition": {"StringEquals": {"sts:SourceIdentity": "ann", "aws:RequestTag/team": "red"}},
            },
        ),
        # One of several kinds of principals can call the action.
        (
            PolicyKind.TRUST,
            OPEN_ID
            | {
                "Principal": GITHUB | {"AWS": "111122223333"},
                "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "x"}},
            },
        ),
        (
            PolicyKind.RESOURCE,
            statement(
                Principal={"Service": "ec2.amazonaws.com"},
                Action="s3:GetObject",
                Resource="arn:aws:s3:::b/*",
                Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}},
            ),
        ),
    ],
)
def test_what_the_checks_are_not_about_is_left_alone(kind, right):
    assert [] == codes(document(right), kind)


def test_thousands_of_arns_ask_for_a_service_s_formats_once():
    asked = []

    class Counting(SmallCatalogue):
        def arn_patterns(self, service):
            asked.append(service)
            return super().arn_patterns(service)

    many = [f"arn:aws:s3:::bucket-{number}" for number in range(2_000)]
    policy.lint(json.dumps(document(statement(Action="s3:GetObject", Resource=many))), catalogue=Counting())

    assert ["s3"] == asked
