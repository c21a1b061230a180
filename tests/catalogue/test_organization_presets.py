"""Each preset denies what it promises to deny, leaves the rest alone, and is written down in the documents as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crownkeep import policy
from crownkeep.catalogue import actions, organization_policies, organization_presets
from crownkeep.catalogue.actions import AccessLevel
from crownkeep.policy import Applicable, Context, PolicyKind, PolicyPrincipalKind, PolicySource
from crownkeep.services.organizations import policy_contents

DOCUMENT = Path(__file__).parents[2] / "docs" / "organization-policies.md"
ROOT = "arn:aws:iam::111122223333:root"
USER = "arn:aws:iam::111122223333:user/bob"
ROLE = "arn:aws:iam::111122223333:role/app"
ADMIN_ROLE = "arn:aws:iam::111122223333:role/OrganizationAccountAccessRole"
LOOKALIKE = "arn:aws:iam::111122223333:role/mine/OrganizationAccountAccessRole"
GLASS = "arn:aws:iam::111122223333:role/break-glass/door"
GLASS_POLICY = "arn:aws:iam::111122223333:policy/break-glass/everything"
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
    ("deny-root-access-keys", ROOT, "iam:UpdateAccessKey", ROOT, {}, False),
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
    ("require-mfa", USER, "iam:EnableMFADevice", USER, {}, False),
    ("require-mfa", ROOT, "iam:CreateVirtualMFADevice", "*", {}, False),
    ("require-mfa", USER, "iam:EnableMFADevice", USER, NO_MFA, True),
    ("require-mfa", ROOT, "iam:EnableMFADevice", ROOT, NO_MFA, True),
    ("require-mfa", USER, "sts:GetSessionToken", "*", {}, True),
    ("require-mfa", ROLE, "iam:ListUsers", "*", NO_MFA, True),
    ("require-mfa", ROOT, "iam:GetAccountSummary", "*", NO_MFA | CENTRAL, True),
    ("protect-break-glass", USER, "iam:DeleteRole", GLASS, {}, False),
    ("protect-break-glass", ROOT, "iam:UpdateAssumeRolePolicy", GLASS, {}, False),
    ("protect-break-glass", USER, "iam:UpdateAssumeRolePolicy", ADMIN_ROLE, {}, False),
    ("protect-break-glass", USER, "iam:CreatePolicyVersion", GLASS_POLICY, {}, False),
    ("protect-break-glass", LOOKALIKE, "iam:DeleteRole", GLASS, {}, False),
    ("protect-break-glass", ADMIN_ROLE, "iam:DeleteRole", GLASS, {}, True),
    ("protect-break-glass", ADMIN_ROLE, "iam:CreatePolicyVersion", GLASS_POLICY, {}, True),
    ("protect-break-glass", USER, "iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/app", {}, True),
    ("protect-break-glass", USER, "iam:DeleteRole", ROLE, {}, True),
    ("protect-break-glass", USER, "sts:AssumeRole", GLASS, {}, True),
    ("deny-alternate-contacts", USER, "account:PutAlternateContact", "*", {}, False),
    ("deny-alternate-contacts", ROOT, "account:DeleteAlternateContact", "*", {}, False),
    ("deny-alternate-contacts", USER, "account:GetAlternateContact", "*", {}, True),
    ("deny-users-and-keys", USER, "iam:CreateUser", USER, {}, False),
    ("deny-users-and-keys", ROOT, "iam:CreateAccessKey", ROOT, {}, False),
    ("deny-users-and-keys", ROLE, "iam:CreateLoginProfile", USER, {}, False),
    ("deny-users-and-keys", ROLE, "iam:CreateServiceSpecificCredential", USER, {}, False),
    ("deny-users-and-keys", ROOT, "iam:CreateLoginProfile", ROOT, CENTRAL, True),
    ("deny-users-and-keys", USER, "iam:CreateRole", ROLE, {}, True),
    ("deny-users-and-keys", USER, "iam:DeleteAccessKey", USER, {}, True),
]


# Per preset: what its completeness is measured on, and what of that it leaves, with the reason.
NO_CREDENTIAL = "makes no credential"
LEFT: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "protect-break-glass": (
        "iam",
        "role",
        GLASS,
        {
            "PassRole": "lends a role to a service, and only where the role trusts that service",
            "CreateServiceLinkedRole": "makes roles of its own path",
            "DeleteServiceLinkedRole": "deletes roles of its own path",
        },
    ),
    "deny-users-and-keys": (
        "iam",
        "user",
        USER,
        {
            "ChangePassword": "takes the password that is there",
            **dict.fromkeys(("TagUser", "UntagUser", "UpdateUser"), NO_CREDENTIAL),
            **dict.fromkeys(("AttachUserPolicy", "DetachUserPolicy", "PutUserPolicy", "DeleteUserPolicy"), NO_CREDENTIAL),
            **dict.fromkeys(("PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"), NO_CREDENTIAL),
            **dict.fromkeys(("EnableMFADevice", "ResyncMFADevice", "DeactivateMFADevice"), "a factor beside a credential"),
            **dict.fromkeys(("DeleteAccessKey", "DeleteLoginProfile", "DeleteUser"), "takes away"),
            **dict.fromkeys(("DeleteServiceSpecificCredential", "DeleteSSHPublicKey", "DeleteSigningCertificate"), "takes away"),
        },
    ),
    "protect-cloudtrail": (
        "cloudtrail",
        "",
        "*",
        {
            **dict.fromkeys(("CreateChannel", "CreateEventDataStore", "CreateServiceLinkedChannel", "CreateTrail"), "adds"),
            **dict.fromkeys(("EnableFederation", "RestoreEventDataStore"), "adds"),
            **dict.fromkeys(("StartEventDataStoreIngestion", "StartImport", "StartLogging"), "adds"),
            "RegisterOrganizationDelegatedAdmin": "the management account's alone",
            **dict.fromkeys(("AddTags", "RemoveTags"), "changes nothing that is recorded"),
            **dict.fromkeys(("CancelQuery", "GenerateQuery", "StartQuery"), "reads"),
            **dict.fromkeys(("CreateDashboard", "DeleteDashboard", "StartDashboardRefresh", "UpdateDashboard"), "shows"),
        },
    ),
}


def controls(content: str) -> policy.PolicySet:
    source = PolicySource(PolicyKind.SERVICE_CONTROL, "preset")
    return policy.compile_set([policy.compile_policy(policy.parse(content), source=source)])


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number} {CASES[number][0]}")
def test_a_preset_denies_what_it_says_and_leaves_the_rest(number: int):
    name, caller, action, resource, keys, is_left = CASES[number]
    kind = {"root": PolicyPrincipalKind.ROOT, "user": PolicyPrincipalKind.USER}.get(caller.split(":")[5].split("/")[0])
    principal = policy.PolicyPrincipal(kind or PolicyPrincipalKind.ROLE_SESSION, caller, "111122223333", "id")
    context: dict[str, Any] = {"aws:PrincipalArn": caller, "aws:RequestedRegion": "eu-central-1", **keys}
    found = organization_presets.preset(name)
    assert found is not None
    everything = controls(organization_policies.FULL_AWS_ACCESS.content)
    bound = Applicable(everything, service_control=(everything, policy.combine(everything, controls(found.content))))

    decision = policy.authorize(policy.PolicyRequest(principal, action, resource, Context(context)), bound)

    assert is_left is decision.allowed, decision.denial_text()


@pytest.mark.parametrize("name", LEFT)
def test_a_preset_denies_every_action_of_its_kind_but_those_that_have_a_reason(name: str):
    service, resource_type, resource, left = LEFT[name]
    found = organization_presets.preset(name)
    assert found is not None
    denied = controls(found.content)
    caller = policy.PolicyPrincipal(PolicyPrincipalKind.ROLE_SESSION, ROLE, "111122223333", "id")
    changing = [
        each
        for each in actions.actions_of(service).values()
        if each.access_level not in (AccessLevel.LIST, AccessLevel.READ)
        and (not resource_type or resource_type in [acted.resource_type for acted in each.resources])
    ]

    allowed = set()
    for each in changing:
        request = policy.PolicyRequest(caller, each.full_name, resource, Context({"aws:PrincipalArn": ROLE}))
        everything = controls(organization_policies.FULL_AWS_ACCESS.content)
        bound = Applicable(everything, service_control=(policy.combine(everything, denied),))
        if policy.authorize(request, bound).allowed:
            allowed.add(each.name)

    assert len(changing) > 10
    assert set(left) == allowed


def test_every_preset_has_a_case_that_denies_and_one_that_leaves():
    for each in organization_presets.presets():
        assert {True, False} == {is_left for name, *_, is_left in CASES if name == each.name}, each.name


@pytest.mark.parametrize("preset", organization_presets.presets(), ids=lambda preset: preset.name)
def test_a_preset_may_be_made_a_policy_and_names_actions_that_there_are(preset: organization_presets.Preset):
    policy_contents.require_valid(preset.type, preset.content)

    statements = policy.parse(preset.content).statements
    named = [name for each in statements for name in (*(each.actions or ()), *(each.not_actions or ()))]
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
