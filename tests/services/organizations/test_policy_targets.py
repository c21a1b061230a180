"""Attaching policies, detaching them, and what is attached to what."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import FULL, RCP, SCP, Organization, allow, deny, deny_to_all
from tests.services.organizations.asking import message, refusal


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def names(organization: Organization, target_id: str, policy_type: str = SCP) -> list[str]:
    listed = organization.client.list_policies_for_target(TargetId=target_id, Filter=policy_type)["Policies"]
    return [each["Name"] for each in listed]


def test_everything_has_full_access_from_the_start(organization: Organization):
    unit, member = organization.unit("unit"), organization.invited()

    attached = [names(organization, each) for each in (organization.root_id, unit, member.id, organization.management.id)]

    assert [["FullAWSAccess"]] * 4 == attached
    assert [] == names(organization, unit, RCP)


def test_a_policy_lists_its_targets_with_their_names(organization: Organization):
    unit, member = organization.unit("sandbox"), organization.created()
    policy_id = organization.bind(deny("iam:ListUsers"), organization.root_id)
    organization.attach(policy_id, unit)
    organization.attach(policy_id, member)

    listed = organization.client.list_targets_for_policy(PolicyId=policy_id)["Targets"]

    place = f"arn:aws:organizations::{organization.management.id}"
    assert [
        (member, f"{place}:account/{organization.id}/{member}", "member", "ACCOUNT"),
        (unit, f"{place}:ou/{organization.id}/{unit}", "sandbox", "ORGANIZATIONAL_UNIT"),
        (organization.root_id, f"{place}:root/{organization.id}/{organization.root_id}", "Root", "ROOT"),
    ] == [(each["TargetId"], each["Arn"], each["Name"], each["Type"]) for each in listed]


def test_lists_of_targets_come_page_by_page(organization: Organization):
    units = sorted(organization.unit(f"unit {number}") for number in range(3))
    policy_id = organization.policy(deny("iam:ListUsers"))
    for unit in units:
        organization.attach(policy_id, unit)

    paginator = organization.client.get_paginator("list_targets_for_policy")
    pages = list(paginator.paginate(PolicyId=policy_id, PaginationConfig={"PageSize": 2}))

    assert [units[:2], units[2:]] == [[each["TargetId"] for each in page["Targets"]] for page in pages]


def test_a_policy_is_attached_once(organization: Organization):
    policy_id = organization.bind(deny("iam:ListUsers"), organization.root_id)

    assert "DuplicatePolicyAttachmentException" == refusal(
        organization.client.attach_policy, PolicyId=policy_id, TargetId=organization.root_id
    )


def test_a_policy_of_a_type_that_is_not_enabled_is_not_attached(organization: Organization):
    policy_id = organization.policy(deny_to_all("sts:*"), type=RCP)

    said = refusal(organization.client.attach_policy, PolicyId=policy_id, TargetId=organization.root_id)

    assert "PolicyTypeNotEnabledException" == said


@pytest.mark.parametrize(("policy_type", "most"), [(SCP, 10), (RCP, 5)])
def test_an_entity_has_so_many_policies_of_a_type_and_no_more(policy_type: str, most: int, organization: Organization):
    if policy_type == RCP:
        organization.enable(RCP)
    content = deny("s3:*") if policy_type == SCP else deny_to_all("s3:*")
    for _ in range(most - 1):
        organization.bind(content, organization.root_id, type=policy_type)
    policy_id = organization.policy(content, type=policy_type)

    said = refusal(organization.client.attach_policy, PolicyId=policy_id, TargetId=organization.root_id)

    assert "ConstraintViolationException MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" == said


def test_the_last_service_control_policy_stays(organization: Organization):
    said = refusal(organization.client.detach_policy, PolicyId=FULL, TargetId=organization.root_id)

    assert "ConstraintViolationException MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" == said


def test_full_access_gives_way_to_another_policy(organization: Organization):
    organization.bind(allow("iam:*"), organization.root_id)

    organization.detach(FULL, organization.root_id)

    assert 1 == len(names(organization, organization.root_id))


def test_full_access_to_resources_is_never_detached(organization: Organization):
    organization.enable(RCP)
    organization.bind(deny_to_all("sts:*"), organization.root_id, type=RCP)

    said = refusal(organization.client.detach_policy, PolicyId="p-RCPFullAWSAccess", TargetId=organization.root_id)

    assert "InvalidInputException NON_DETACHABLE_POLICY" == said


def test_what_is_not_there_is_told_apart(organization: Organization):
    client, policy_id = organization.client, organization.policy(deny("s3:*"))

    assert "PolicyNotFoundException" == refusal(client.attach_policy, PolicyId="p-12345678", TargetId=organization.root_id)
    assert "TargetNotFoundException" == refusal(client.attach_policy, PolicyId=policy_id, TargetId="r-0000")
    assert "TargetNotFoundException" == refusal(client.attach_policy, PolicyId=policy_id, TargetId="111122223333")
    assert "PolicyNotAttachedException" == refusal(client.detach_policy, PolicyId=policy_id, TargetId=organization.root_id)
    assert "TargetNotFoundException" == refusal(client.list_policies_for_target, TargetId="ou-0000-00000000", Filter=SCP)
    assert "PolicyNotFoundException" == refusal(client.list_targets_for_policy, PolicyId="p-12345678")


def test_attaching_takes_a_permission_for_the_policy_and_for_its_target(organization: Organization):
    policy_id, unit = organization.policy(deny("s3:*")), organization.unit("unit")
    only_policies = allow("organizations:AttachPolicy")
    only_policies["Statement"][0]["Resource"] = f"arn:aws:organizations::{organization.management.id}:policy/*"
    user = organization.management.user("bob", policy=only_policies)

    said = message(user.client("organizations").attach_policy, PolicyId=policy_id, TargetId=unit)

    assert f"on resource: arn:aws:organizations::{organization.management.id}:ou/{organization.id}/{unit}" in said


def test_a_unit_that_goes_takes_its_attachments_with_it(organization: Organization):
    unit = organization.unit("unit")
    policy_id = organization.bind(deny("s3:*"), unit)

    organization.client.delete_organizational_unit(OrganizationalUnitId=unit)

    organization.client.delete_policy(PolicyId=policy_id)
    assert "PolicyNotFoundException" == refusal(organization.client.describe_policy, PolicyId=policy_id)
