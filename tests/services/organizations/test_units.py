"""Organizational units and the tree they make."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal

DUPLICATE = "DuplicateOrganizationalUnitException: An OU with the same name already exists."


def test_a_new_unit_is_described_with_the_path_that_leads_to_it(organization: Organization):
    above = organization.unit("above")

    made = organization.client.create_organizational_unit(ParentId=above, Name="below")["OrganizationalUnit"]

    assert {
        "Id": made["Id"],
        "Arn": f"arn:aws:organizations::{organization.management.id}:ou/{organization.id}/{made['Id']}",
        "Name": "below",
        "Path": f"{organization.id}/{organization.root_id}/{above}/{made['Id']}/",
    } == made
    assert made["Id"].startswith(f"ou-{organization.root_id.removeprefix('r-')}-")
    assert made == organization.client.describe_organizational_unit(OrganizationalUnitId=made["Id"])["OrganizationalUnit"]


def test_a_name_is_used_once_under_a_parent_whatever_its_case_and_again_elsewhere(organization: Organization):
    team = organization.unit("Team")

    refused = refusal(organization.client.create_organizational_unit, ParentId=organization.root_id, Name="TEAM")
    elsewhere = organization.unit("Team", under=team)

    assert DUPLICATE == refused
    assert elsewhere != team


def test_two_units_of_one_name_at_the_same_moment_are_one(organization: Organization):
    def create(_: int) -> str:
        client = organization.management.client("organizations")
        try:
            return str(client.create_organizational_unit(ParentId=organization.root_id, Name="once")["OrganizationalUnit"]["Id"])
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(create, range(8)))

    assert 7 == answers.count("DuplicateOrganizationalUnitException")
    children = organization.client.list_organizational_units_for_parent(ParentId=organization.root_id)
    assert ["once"] == [unit["Name"] for unit in children["OrganizationalUnits"]]


def test_units_are_renamed_and_keep_their_ids(organization: Organization):
    unit = organization.unit("before")
    organization.unit("taken")

    renamed = organization.client.update_organizational_unit(OrganizationalUnitId=unit, Name="after")["OrganizationalUnit"]
    cased = organization.client.update_organizational_unit(OrganizationalUnitId=unit, Name="After")["OrganizationalUnit"]
    kept = organization.client.update_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]
    refused = refusal(organization.client.update_organizational_unit, OrganizationalUnitId=unit, Name="Taken")

    assert [(unit, "after"), (unit, "After"), (unit, "After")] == [(each["Id"], each["Name"]) for each in (renamed, cased, kept)]
    assert DUPLICATE == refused


def test_units_are_five_levels_deep_at_most(organization: Organization):
    deepest = ""
    for level in range(5):
        deepest = organization.unit(f"level {level}", under=deepest)

    refused = refusal(organization.client.create_organizational_unit, ParentId=deepest, Name="too deep")

    assert "ConstraintViolationException: You attempted to create an OU tree that is too many levels deep." == refused


def test_a_refusal_carries_its_reason(organization: Organization):
    deepest = ""
    for level in range(5):
        deepest = organization.unit(f"level {level}", under=deepest)

    with pytest.raises(ClientError) as caught:
        organization.client.create_organizational_unit(ParentId=deepest, Name="too deep")

    assert "OU_DEPTH_LIMIT_EXCEEDED" == caught.value.response["Reason"]


def test_a_unit_is_deleted_once_it_is_empty(organization: Organization):
    above = organization.unit("above")
    below = organization.unit("below", under=above)
    member = organization.created()
    organization.client.move_account(AccountId=member, SourceParentId=organization.root_id, DestinationParentId=below)

    with_account = refusal(organization.client.delete_organizational_unit, OrganizationalUnitId=below)
    with_unit = refusal(organization.client.delete_organizational_unit, OrganizationalUnitId=above)
    organization.client.move_account(AccountId=member, SourceParentId=below, DestinationParentId=organization.root_id)
    organization.client.delete_organizational_unit(OrganizationalUnitId=below)
    organization.client.delete_organizational_unit(OrganizationalUnitId=above)

    assert with_account == with_unit
    assert with_account.startswith("OrganizationalUnitNotEmptyException: The specified OU is not empty.")
    assert "OrganizationalUnitNotFoundException: You specified an organizational unit that doesn't exist." == refusal(
        organization.client.describe_organizational_unit, OrganizationalUnitId=above
    )


def test_children_and_parents_are_listed_from_both_sides(organization: Organization):
    client = organization.client
    units = sorted(organization.unit(name) for name in ("b", "A", "c"))
    member = organization.created()
    client.move_account(AccountId=member, SourceParentId=organization.root_id, DestinationParentId=units[0])

    pages = client.get_paginator("list_children").paginate(
        ParentId=organization.root_id, ChildType="ORGANIZATIONAL_UNIT", PaginationConfig={"PageSize": 1}
    )

    assert units == [child["Id"] for page in pages for child in page["Children"]]
    accounts = client.list_children(ParentId=units[0], ChildType="ACCOUNT")["Children"]
    assert [{"Id": member, "Type": "ACCOUNT"}] == accounts
    assert [{"Id": units[0], "Type": "ORGANIZATIONAL_UNIT"}] == client.list_parents(ChildId=member)["Parents"]
    assert [{"Id": organization.root_id, "Type": "ROOT"}] == client.list_parents(ChildId=units[0])["Parents"]


def test_units_are_listed_by_name_page_by_page(organization: Organization):
    for name in ("b", "A", "c"):
        organization.unit(name)

    pages = organization.client.get_paginator("list_organizational_units_for_parent").paginate(
        ParentId=organization.root_id, PaginationConfig={"PageSize": 2}
    )

    assert ["A", "b", "c"] == [unit["Name"] for page in pages for unit in page["OrganizationalUnits"]]


def test_what_is_not_there_is_not_found(organization: Organization):
    client = organization.client
    nowhere = "ou-0000-00000000"

    assert "ParentNotFoundException: You specified parent that doesn't exist." == refusal(
        client.create_organizational_unit, ParentId=nowhere, Name="lost"
    )
    assert "ParentNotFoundException" in refusal(client.list_children, ParentId=nowhere, ChildType="ACCOUNT")
    assert "ParentNotFoundException" in refusal(client.list_accounts_for_parent, ParentId=nowhere)
    assert "ParentNotFoundException" in refusal(client.list_organizational_units_for_parent, ParentId=nowhere)
    assert "ChildNotFoundException: You specified a child that doesn't exist." == refusal(client.list_parents, ChildId=nowhere)


def test_a_unit_of_another_organization_is_not_found(organization: Organization, crown: Crown):
    foreign = Organization(crown).unit("theirs")

    assert "OrganizationalUnitNotFoundException" in refusal(
        organization.client.describe_organizational_unit, OrganizationalUnitId=foreign
    )
    assert "ParentNotFoundException" in refusal(organization.client.create_organizational_unit, ParentId=foreign, Name="mine")


def test_a_policy_may_limit_whoever_makes_units_to_one_parent(organization: Organization):
    unit = organization.unit("theirs")
    arn = f"arn:aws:organizations::{organization.management.id}:ou/{organization.id}/{unit}"
    user = organization.management.user("lead", policy=allow("organizations:CreateOrganizationalUnit", on=arn))
    client = user.client("organizations")

    client.create_organizational_unit(ParentId=unit, Name="allowed")

    assert "AccessDeniedException" in refusal(client.create_organizational_unit, ParentId=organization.root_id, Name="denied")


def test_the_root_is_listed_with_its_policy_types(organization: Organization):
    (root,) = organization.client.list_roots()["Roots"]

    assert {
        "Id": organization.root_id,
        "Arn": f"arn:aws:organizations::{organization.management.id}:root/{organization.id}/{organization.root_id}",
        "Name": "Root",
        "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    } == root


def test_a_token_of_another_list_is_refused(organization: Organization):
    for name in ("a", "b"):
        organization.unit(name)
    token = organization.client.list_children(ParentId=organization.root_id, ChildType="ORGANIZATIONAL_UNIT", MaxResults=1)

    said = refusal(organization.client.list_accounts, NextToken=token["NextToken"])

    assert "InvalidInputException: You specified an invalid value for NextToken." == said
