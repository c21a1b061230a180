"""Effective policies: what is in force for an account, asked for by itself and by the management account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization, deny
from tests.services.organizations.asking import refusal

TAGS, BACKUP = "TAG_POLICY", "BACKUP_POLICY"


@pytest.fixture
def organization(crown: Crown) -> Organization:
    made = Organization(crown)
    made.enable(TAGS)
    made.enable(BACKUP)
    return made


def tag(**operators: Any) -> dict[str, Any]:
    return {"tags": {"team": {"tag_value": {f"@@{name}": value for name, value in operators.items()}}}}


def plan(**settings: Any) -> dict[str, Any]:
    return {"plans": {"daily": settings}}


def effective(client: Any, **parameters: Any) -> dict[str, Any]:
    described = client.describe_effective_policy(PolicyType=TAGS, **parameters)["EffectivePolicy"]
    return {**described, "PolicyContent": json.loads(described["PolicyContent"])}


def test_a_member_sees_what_root_unit_and_account_come_to(organization: Organization):
    unit = organization.unit("unit")
    member = organization.invited(under=unit)
    organization.bind(tag(assign=["red", "blue"]), organization.root_id, type=TAGS)
    organization.bind(tag(append=["green"]), unit, type=TAGS)
    organization.bind(tag(remove=["red"]), member.id, type=TAGS)

    found = effective(member.client("organizations"))

    assert {"tags": {"team": {"tag_value": ["blue", "green"]}}} == found["PolicyContent"]
    assert (member.id, TAGS) == (found["TargetId"], found["PolicyType"])
    assert found["PolicyContent"] == effective(organization.client, TargetId=member.id)["PolicyContent"]


def test_merged_policies_are_in_force_for_the_management_account_as_well(organization: Organization):
    organization.bind(tag(assign=["red"]), organization.root_id, type=TAGS)

    assert {"tags": {"team": {"tag_value": ["red"]}}} == effective(organization.client)["PolicyContent"]


def test_without_a_policy_there_is_no_effective_policy(organization: Organization):
    member = organization.invited()

    assert "EffectivePolicyNotFoundException" == refusal(
        member.client("organizations").describe_effective_policy, PolicyType=TAGS
    )


def test_a_member_sees_nobody_elses_effective_policy(organization: Organization):
    member = organization.invited()
    organization.bind(tag(assign=["red"]), organization.root_id, type=TAGS)
    client = member.client("organizations")

    said = refusal(client.describe_effective_policy, PolicyType=TAGS, TargetId=organization.management.id)

    assert "AccessDeniedException" == said
    assert "TargetNotFoundException" == refusal(
        organization.client.describe_effective_policy, PolicyType=TAGS, TargetId="111122223333"
    )


def test_policies_that_come_to_less_than_a_whole_plan_are_reported(organization: Organization):
    member = organization.invited()
    region = {"@@assign": ["us-east-1"]}
    policy_id = organization.bind(plan(regions=region), member.id, type=BACKUP)
    client = organization.client

    listed = client.list_accounts_with_invalid_effective_policy(PolicyType=BACKUP)
    found = client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=BACKUP)

    assert [member.id] == [each["Id"] for each in listed["Accounts"]]
    errors = found["EffectivePolicyValidationErrors"]
    assert ["plans.daily.rules", "plans.daily.selections"] == [each["PathToError"] for each in errors]
    assert {"ELEMENT_MISSING"} == {each["ErrorCode"] for each in errors}
    assert [[policy_id]] * 2 == [each["ContributingPolicies"] for each in errors]
    assert f"{organization.id}/{organization.root_id}/{member.id}/" == found["Path"]


def test_a_whole_plan_is_reported_by_nobody(organization: Organization):
    member = organization.invited()
    one = {"one": {"target_backup_vault_name": {"@@assign": "vault"}}}
    whole = plan(regions={"@@assign": ["us-east-1"]}, rules=one, selections={"tags": {"t": {"tag_key": {"@@assign": "k"}}}})
    organization.bind(whole, member.id, type=BACKUP)
    client = organization.client

    assert [] == client.list_accounts_with_invalid_effective_policy(PolicyType=BACKUP)["Accounts"]
    found = client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=BACKUP)
    assert [] == found["EffectivePolicyValidationErrors"]


def test_more_rules_than_a_plan_may_have_are_reported_although_each_policy_is_right(organization: Organization):
    member = organization.invited()
    rules = {f"rule {number}": {"target_backup_vault_name": {"@@assign": "vault"}} for number in range(11)}
    organization.bind(plan(rules=dict(list(rules.items())[:6])), organization.root_id, type=BACKUP)
    organization.bind(plan(rules=dict(list(rules.items())[6:])), member.id, type=BACKUP)

    found = organization.client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=BACKUP)

    codes = {each["PathToError"]: each["ErrorCode"] for each in found["EffectivePolicyValidationErrors"]}
    assert "ELEMENTS_TOO_MANY" == codes["plans.daily.rules"]


def test_only_accounts_have_validation_errors(organization: Organization):
    client = organization.client

    said = refusal(client.list_effective_policy_validation_errors, AccountId="111122223333", PolicyType=BACKUP)

    assert "AccountNotFoundException" == said


def test_members_list_no_effective_policies(organization: Organization):
    client = organization.invited().client("organizations")

    said = {
        refusal(client.list_accounts_with_invalid_effective_policy, PolicyType=BACKUP),
        refusal(client.list_effective_policy_validation_errors, AccountId=organization.management.id, PolicyType=BACKUP),
    }

    assert {"AccessDeniedException"} == said


def test_control_policies_have_no_effective_policy(organization: Organization):
    organization.bind(deny("s3:*"), organization.root_id)

    said = refusal(
        organization.management.client("organizations", parameter_validation=False).describe_effective_policy,
        PolicyType="SERVICE_CONTROL_POLICY",
    )

    assert said.startswith("InvalidInputException")
