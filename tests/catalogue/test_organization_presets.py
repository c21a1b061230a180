"""Each preset denies what it promises to deny, leaves the rest alone, and is written down in the documents as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crownkeep import policy
from crownkeep.catalogue import actions, organization_policies, organization_presets
from crownkeep.policy import Applicable, Context, PolicyKind, PolicySource, PrincipalKind
from crownkeep.services.organizations import policy_contents

DOCUMENT = Path(__file__).parents[2] / "docs" / "organization-policies.md"
ROOT = "arn:aws:iam::111122223333:root"
USER = "arn:aws:iam::111122223333:user/bob"
ROLE = "arn:aws:iam::111122223333:role/app"
ADMIN_ROLE = "arn:aws:iam::111122223333:role/OrganizationAccountAccessRole"
GLASS = "arn:aws:iam::111122223333:role/break-glass/door"
CENTRAL = {"aws:AssumedRoot": "true"}
MFA, NO_MFA = {"aws:MultiFactorAuthPresent": "true"}, {"aws:MultiFactorAuthPresent": "false"}

# Preset, who calls, what, on what, with which further keys, and whether that is left.
CASES: list[tuple[str, str, str, str, dict[str, str], bool]] = [
    ("deny-root-user", ROOT, "iam:ListUsers", "*", {}, False),
    ("deny-root-user", ROOT, "s3:GetObject", "*", MFA, False),
    ("deny-root-user", ROOT, "s3:DeleteBucketPolicy", "*", CENTRAL, True),
    ("deny-root-user", USER, "iam:ListUsers", "*", {}, True),
    ("deny-root-user", ROLE, "iam:ListUsers", "*", {}, True),
    ("deny-leaving", ROOT, "organizations:LeaveOrganization", "*", {}, False),
    ("deny-leaving", USER, "organizations:DescribeOrganization", "*", {}, True),
    ("protect-cloudtrail", USER, "cloudtrail:StopLogging", "*", {}, False),
    ("protect-cloudtrail", ROOT, "cloudtrail:DeleteTrail", "*", {}, False),
    ("protect-cloudtrail", USER, "cloudtrail:LookupEvents", "*", {}, True),
    ("protect-cloudtrail", USER, "cloudtrail:StartLogging", "*", {}, True),
    ("deny-root-access-keys", ROOT, "iam:CreateAccessKey", ROOT, {}, False),
    ("deny-root-access-keys", ROOT, "iam:DeleteAccessKey", ROOT, {}, True),
    ("deny-root-access-keys", USER, "iam:CreateAccessKey", USER, {}, True),
    ("region-fence", USER, "ec2:RunInstances", "*", {"aws:RequestedRegion": "us-west-2"}, False),
    ("region-fence", USER, "ec2:RunInstances", "*", {"aws:RequestedRegion": "eu-central-1"}, True),
    ("region-fence", USER, "iam:ListUsers", "*", {"aws:RequestedRegion": "us-east-1"}, True),
    ("region-fence", ROLE, "sts:AssumeRole", "*", {"aws:RequestedRegion": "us-west-2"}, True),
    ("require-mfa", USER, "iam:ListUsers", "*", {}, False),
    ("require-mfa", USER, "iam:ListUsers", "*", NO_MFA, False),
    ("require-mfa", ROOT, "iam:ListUsers", "*", NO_MFA, False),
    ("require-mfa", USER, "iam:ListUsers", "*", MFA, True),
    ("require-mfa", USER, "iam:EnableMFADevice", USER, {}, True),
    ("require-mfa", USER, "sts:GetSessionToken", "*", {}, True),
    ("require-mfa", ROLE, "iam:ListUsers", "*", NO_MFA, True),
    ("require-mfa", ROOT, "iam:GetAccountSummary", "*", NO_MFA | CENTRAL, True),
    ("protect-break-glass", USER, "iam:DeleteRole", GLASS, {}, False),
    ("protect-break-glass", ROOT, "iam:UpdateAssumeRolePolicy", GLASS, {}, False),
    ("protect-break-glass", ADMIN_ROLE, "iam:DeleteRole", GLASS, {}, True),
    ("protect-break-glass", USER, "iam:DeleteRole", ROLE, {}, True),
    ("protect-break-glass", USER, "sts:AssumeRole", GLASS, {}, True),
    ("deny-alternate-contacts", USER, "account:PutAlternateContact", "*", {}, False),
    ("deny-alternate-contacts", ROOT, "account:DeleteAlternateContact", "*", {}, False),
    ("deny-alternate-contacts", USER, "account:GetAlternateContact", "*", {}, True),
    ("deny-users-and-keys", USER, "iam:CreateUser", USER, {}, False),
    ("deny-users-and-keys", ROOT, "iam:CreateAccessKey", ROOT, {}, False),
    ("deny-users-and-keys", USER, "iam:CreateRole", ROLE, {}, True),
    ("deny-users-and-keys", USER, "iam:DeleteAccessKey", USER, {}, True),
]


def controls(content: str) -> policy.PolicySet:
    source = PolicySource(PolicyKind.SERVICE_CONTROL, "preset")
    return policy.compile_set([policy.compile_policy(policy.parse(content), source=source)])


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number} {CASES[number][0]}")
def test_a_preset_denies_what_it_says_and_leaves_the_rest(number: int):
    name, caller, action, resource, keys, is_left = CASES[number]
    kind = {"root": PrincipalKind.ROOT, "user": PrincipalKind.USER}.get(caller.split(":")[5].split("/")[0])
    principal = policy.Principal(kind or PrincipalKind.ROLE_SESSION, caller, "111122223333", "id")
    context: dict[str, Any] = {"aws:PrincipalArn": caller, "aws:RequestedRegion": "eu-central-1", **keys}
    found = organization_presets.preset(name)
    assert found is not None
    everything = controls(organization_policies.FULL_AWS_ACCESS.content)
    bound = Applicable(everything, service_control=(everything, policy.combine(everything, controls(found.content))))

    decision = policy.authorize(policy.Request(principal, action, resource, Context(context)), bound)

    assert is_left is decision.allowed, decision.denial_text()


def test_every_preset_has_a_case_that_denies_and_one_that_leaves():
    for each in organization_presets.presets():
        assert {True, False} == {is_left for name, *_, is_left in CASES if name == each.name}, each.name


@pytest.mark.parametrize("preset", organization_presets.presets(), ids=lambda preset: preset.name)
def test_a_preset_may_be_made_a_policy_and_names_actions_that_there_are(preset: organization_presets.Preset):
    policy_contents.require_valid(preset.type, preset.content)

    (statement,) = policy.parse(preset.content).statements
    named = [*(statement.actions or ()), *(statement.not_actions or ())]
    assert [] == [each for each in named if "*" not in each and actions.action(each) is None]
    assert [] == [each for each in named if each != "*" and not actions.is_service(each.partition(":")[0])]


def test_the_document_shows_every_preset_as_it_is():
    text = DOCUMENT.read_text()
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]

    for each in organization_presets.presets():
        assert f"### {each.title}\n" in text
        assert f"`{each.name}`" in text
        assert json.loads(each.content) in blocks, each.name


def test_an_unknown_preset_is_none():
    assert organization_presets.preset("nothing") is None
