"""Reports on an organization: the services that its policies leave, and where and when they were last used."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import FULL, Organization, allow, deny
from tests.services.iam.asking import refusal


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def path(organization: Organization, *below: str) -> str:
    return "/".join([organization.id, organization.root_id, *below])


def report(organization: Organization, entity_path: str, **options: Any) -> dict[str, Any]:
    iam = organization.management.client("iam")
    asked = {"OrganizationsPolicyId": options.pop("policy")} if "policy" in options else {}
    job_id = iam.generate_organizations_access_report(EntityPath=entity_path, **asked)["JobId"]
    return dict(iam.get_organizations_access_report(JobId=job_id, **options))


def by_service(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["ServiceNamespace"]: each for each in found["AccessDetails"]}


def test_a_report_tells_where_a_service_was_used_last(organization: Organization):
    first, second = organization.invited(), organization.invited()
    first.client("account").get_account_information()
    second.client("account").get_account_information()

    found = report(organization, path(organization), MaxItems=1000)

    used = by_service(found)["account"]
    assert "COMPLETED" == found["JobStatus"]
    assert found["NumberOfServicesAccessible"] > 100
    assert found["NumberOfServicesAccessible"] - found["NumberOfServicesNotAccessed"] == sum(
        "LastAuthenticatedTime" in each for each in found["AccessDetails"]
    )
    assert path(organization, second.id) == used["EntityPath"]
    assert 2 == used["TotalAuthenticatedEntities"]
    assert "us-east-1" == used["Region"]
    assert {"ServiceName", "ServiceNamespace", "TotalAuthenticatedEntities"} == by_service(found)["sqs"].keys()


def test_a_report_on_a_unit_leaves_other_accounts_out(organization: Organization):
    unit = organization.unit("unit")
    inside, outside = organization.invited(under=unit), organization.invited()
    inside.client("iam").list_users()
    outside.client("account").get_account_information()

    found = by_service(report(organization, path(organization, unit), MaxItems=1000))

    assert path(organization, unit, inside.id) == found["iam"]["EntityPath"]
    assert "LastAuthenticatedTime" not in found["account"]


def test_a_service_that_a_level_does_not_leave_is_not_in_the_report(organization: Organization):
    unit = organization.unit("unit")
    member = organization.invited(under=unit)
    organization.bind(allow("iam:*", "sts:*", "s3:*"), unit)
    organization.detach(FULL, unit)
    organization.bind(deny("s3:*"), member.id)

    found = report(organization, path(organization, unit, member.id))

    assert ["iam", "sts"] == list(by_service(found))
    assert 2 == found["NumberOfServicesAccessible"]


def test_a_report_on_one_policy_tells_what_that_leaves(organization: Organization):
    member = organization.invited()
    policy_id = organization.bind(allow("iam:*", "kms:*"), member.id)

    found = report(organization, path(organization, member.id), policy=policy_id)

    assert ["iam", "kms"] == list(by_service(found))


def test_a_report_is_ordered_as_asked_page_by_page(organization: Organization):
    member = organization.invited()
    organization.bind(allow("iam:*", "sts:*", "kms:*"), member.id)
    organization.detach(FULL, member.id)
    member.client("sts").get_session_token()
    member.client("iam").list_users()
    place = path(organization, member.id)

    first = report(organization, place, MaxItems=2, SortKey="SERVICE_NAMESPACE_DESCENDING")
    by_time = report(organization, place, SortKey="LAST_AUTHENTICATED_TIME_ASCENDING")

    assert ["sts", "kms"] == list(by_service(first))
    assert first["IsTruncated"]
    assert ["kms", "sts", "iam"] == list(by_service(by_time))


def test_only_the_management_account_asks(organization: Organization, account: Account):
    member = organization.invited()
    entity_path = path(organization)

    said = [
        refusal(each.client("iam").generate_organizations_access_report, EntityPath=entity_path) for each in (member, account)
    ]

    assert said[0].startswith("AccessDenied")
    assert said[1].startswith("OrganizationNotFoundException")


def test_a_report_needs_a_path_and_a_policy_of_this_organization(organization: Organization, crown: Crown):
    other = Organization(crown)
    member = organization.invited()
    unit = organization.unit("unit")
    ask = organization.management.client("iam").generate_organizations_access_report

    said = [
        refusal(ask, EntityPath=path(other)),
        refusal(ask, EntityPath=path(organization, "ou-0000-00000000")),
        refusal(ask, EntityPath=path(organization, unit, member.id)),
        refusal(ask, EntityPath=path(organization), OrganizationsPolicyId="p-12345678"),
    ]

    assert ["InvalidInput"] * 4 == [each.partition(":")[0] for each in said]


def test_a_report_of_nobody_cannot_be_fetched(organization: Organization):
    member = organization.invited()
    job_id = organization.management.client("iam").generate_organizations_access_report(EntityPath=path(organization))["JobId"]

    said = refusal(member.client("iam").get_organizations_access_report, JobId=job_id)

    assert f"NoSuchEntity: The job with id {job_id} cannot be found." == said


def test_the_policy_of_a_report_can_be_asked_for(organization: Organization):
    some = allow("iam:GenerateOrganizationsAccessReport")
    some["Statement"][0]["Condition"] = {"StringEquals": {"iam:OrganizationsPolicyId": FULL}}
    iam = organization.management.user("bob", policy=some).client("iam")

    iam.generate_organizations_access_report(EntityPath=path(organization), OrganizationsPolicyId=FULL)

    assert refusal(iam.generate_organizations_access_report, EntityPath=path(organization)).startswith("AccessDenied")


def test_a_report_is_told_to_nobody_who_may_not_ask_for_it_whoever_has_the_jobs_id(organization: Organization):
    iam = organization.management.client("iam")
    policy_id = organization.policy(deny("sqs:*"))
    asked = {"EntityPath": path(organization), "OrganizationsPolicyId": policy_id}
    job_id = iam.generate_organizations_access_report(**asked)["JobId"]
    finder = organization.management.user("finder", policy=allow("iam:GetOrganizationsAccessReport")).client("iam")

    answer = refusal(finder.get_organizations_access_report, JobId=job_id)

    assert "iam:GenerateOrganizationsAccessReport on resource" in answer
    assert "JobStatus" in iam.get_organizations_access_report(JobId=job_id)


def test_a_path_with_a_slash_at_its_end_is_denied_as_the_path_is(organization: Organization):
    denied = deny("iam:GenerateOrganizationsAccessReport", on=f"arn:aws:iam::*:access-report/{path(organization)}")
    denied["Statement"].append(allow("iam:*")["Statement"][0])
    iam = organization.management.user("denied", policy=denied).client("iam")

    for end in ("", "/"):
        answer = refusal(iam.generate_organizations_access_report, EntityPath=f"{path(organization)}{end}")
        assert "with an explicit deny in an identity-based policy" in answer
    answer = refusal(iam.generate_organizations_access_report, EntityPath=f"{path(organization)}//")
    assert "InvalidInput" in answer or "ValidationError" in answer
