"""Types of policy: what is there once one is switched on, and once it is switched off."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import RCP, SCP, Organization, allow, deny
from tests.services.organizations.asking import refusal

TAGS = "TAG_POLICY"


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def enabled(organization: Organization) -> list[str]:
    return [each["Type"] for each in organization.client.list_roots()["Roots"][0].get("PolicyTypes", ())]


def attached(organization: Organization, target_id: str, policy_type: str) -> list[str]:
    listed = organization.client.list_policies_for_target(TargetId=target_id, Filter=policy_type)["Policies"]
    return [each["Id"] for each in listed]


def test_a_new_organization_has_no_type_enabled_and_nothing_attached(crown: Crown):
    client = crown.account().client("organizations")
    client.create_organization()

    root = client.list_roots()["Roots"][0]

    assert [] == root["PolicyTypes"]
    assert [] == client.list_policies_for_target(TargetId=root["Id"], Filter=SCP)["Policies"]
    client.enable_policy_type(RootId=root["Id"], PolicyType=SCP)
    unit = client.create_organizational_unit(ParentId=root["Id"], Name="unit")["OrganizationalUnit"]["Id"]
    for target in (root["Id"], unit):
        attached = client.list_policies_for_target(TargetId=target, Filter=SCP)["Policies"]
        assert ["p-FullAWSAccess"] == [each["Id"] for each in attached]


def test_a_type_that_is_switched_on_is_shown_with_the_root(organization: Organization):
    answer = organization.client.enable_policy_type(RootId=organization.root_id, PolicyType=TAGS)

    assert [{"Type": SCP, "Status": "ENABLED"}, {"Type": TAGS, "Status": "ENABLED"}] == answer["Root"]["PolicyTypes"]
    assert [SCP, TAGS] == enabled(organization)


def test_resource_control_begins_with_full_access_everywhere(organization: Organization):
    unit, member = organization.unit("unit"), organization.invited()

    organization.enable(RCP)

    everything = (organization.root_id, unit, member.id, organization.unit("later"), organization.created())
    assert [["p-RCPFullAWSAccess"]] * 5 == [attached(organization, each, RCP) for each in everything]


def test_a_type_that_is_switched_off_is_detached_everywhere_and_comes_back_as_at_first(organization: Organization):
    unit = organization.unit("unit")
    policy_id = organization.bind(deny("s3:*"), unit)

    organization.client.disable_policy_type(RootId=organization.root_id, PolicyType=SCP)
    while_off = [attached(organization, each, SCP) for each in (organization.root_id, unit)]
    organization.enable(SCP)

    assert [[], []] == while_off
    assert [["p-FullAWSAccess"]] * 2 == [attached(organization, each, SCP) for each in (organization.root_id, unit)]
    assert policy_id == organization.client.describe_policy(PolicyId=policy_id)["Policy"]["PolicySummary"]["Id"]


def test_what_is_on_is_not_switched_on_and_what_is_off_not_off(organization: Organization):
    client, root_id = organization.client, organization.root_id

    assert "PolicyTypeAlreadyEnabledException" == refusal(client.enable_policy_type, RootId=root_id, PolicyType=SCP)
    assert "PolicyTypeNotEnabledException" == refusal(client.disable_policy_type, RootId=root_id, PolicyType=RCP)
    assert "RootNotFoundException" == refusal(client.enable_policy_type, RootId="r-0000", PolicyType=RCP)


def test_switching_a_type_takes_the_action_on_the_root(organization: Organization):
    client = organization.management.user("bob", policy=allow("organizations:List*")).client("organizations")

    said = refusal(client.enable_policy_type, RootId=organization.root_id, PolicyType=RCP)

    assert "AccessDeniedException" == said
