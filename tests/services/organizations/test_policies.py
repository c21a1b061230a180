"""Policies of an organization: made, changed, deleted and listed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import RCP, SCP, Organization, allow, deny, deny_to_all
from tests.services.organizations.asking import message, refusal

TEXT = json.dumps(deny("iam:ListUsers"))


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def create(client: Any, name: str = "guard", content: str = TEXT, **options: Any) -> dict[str, Any]:
    made = client.create_policy(Name=name, Description="why", Content=content, **{"Type": SCP, **options})
    return dict(made["Policy"])


def test_a_policy_is_made_with_its_content_letter_for_letter(organization: Organization):
    content = '{ "Version" : "2012-10-17", "Statement": [] }'.replace("[]", json.dumps(deny("s3:*")["Statement"]))

    made = create(organization.client, content=content)

    found = made["PolicySummary"]
    management = organization.management.id
    assert f"arn:aws:organizations::{management}:policy/{organization.id}/service_control_policy/{found['Id']}" == found["Arn"]
    assert ("guard", "why", SCP, False) == (found["Name"], found["Description"], found["Type"], found["AwsManaged"])
    assert content == made["Content"]
    assert made == organization.client.describe_policy(PolicyId=found["Id"])["Policy"]


def test_a_policy_is_changed_member_by_member(organization: Organization):
    policy_id = create(organization.client)["PolicySummary"]["Id"]

    organization.client.update_policy(PolicyId=policy_id, Name="other")
    changed = organization.client.update_policy(PolicyId=policy_id, Content=json.dumps(deny("s3:*")))["Policy"]

    assert ("other", "why") == (changed["PolicySummary"]["Name"], changed["PolicySummary"]["Description"])
    assert deny("s3:*") == json.loads(changed["Content"])


def test_a_name_is_taken_whatever_its_letters_case_and_its_type(organization: Organization):
    create(organization.client, "guard")
    other = create(organization.client, "other")["PolicySummary"]["Id"]

    said = {
        refusal(create, client=organization.client, name="Guard", content=json.dumps(deny_to_all("s3:*")), Type=RCP),
        refusal(create, client=organization.client, name="fullawsaccess"),
        refusal(organization.client.update_policy, PolicyId=other, Name="GUARD"),
    }

    assert {"DuplicatePolicyException"} == said


def test_a_policy_may_be_given_its_own_name_in_other_letters(organization: Organization):
    policy_id = create(organization.client, "guard")["PolicySummary"]["Id"]

    changed = organization.client.update_policy(PolicyId=policy_id, Name="GUARD")["Policy"]

    assert "GUARD" == changed["PolicySummary"]["Name"]


MALFORMED = {
    "no json": (SCP, "{"),
    "a principal in an SCP": (SCP, json.dumps(deny_to_all("s3:*"))),
    "an old version": (SCP, json.dumps({**deny("s3:*"), "Version": "2008-10-17"})),
    "an allow in an RCP": (
        RCP,
        json.dumps({**deny_to_all("s3:*"), "Statement": [{**deny_to_all("s3:*")["Statement"][0], "Effect": "Allow"}]}),
    ),
    "a service that no RCP decides on": (RCP, json.dumps(deny_to_all("iam:*"))),
    "a service that there is not, in an RCP": (RCP, json.dumps(deny_to_all("nope:*"))),
    "every service in an RCP": (RCP, json.dumps(deny_to_all("*"))),
    "no principal in an RCP": (RCP, json.dumps(deny("s3:*"))),
    "settings that no operator sets": ("TAG_POLICY", '{"tags": {"team": {"tag_key": "Team"}}}'),
    "another type's settings": ("TAG_POLICY", '{"plans": {"p": {"regions": {"@@assign": ["us-east-1"]}}}}'),
    "an unknown setting": ("TAG_POLICY", '{"tags": {"team": {"colour": {"@@assign": "Team"}}}}'),
    "an unknown operator": ("BACKUP_POLICY", '{"plans": {"p": {"regions": {"@@replace": ["us-east-1"]}}}}'),
    "an unknown choice": ("AISERVICES_OPT_OUT_POLICY", '{"services": {"default": {"opt_out_policy": {"@@assign": "no"}}}}'),
    "settings without end": ("BACKUP_POLICY", '{"plans":' + '{"a":' * 900 + "1" + "}" * 900 + "}"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_not_of_its_type_is_refused(case: str, organization: Organization):
    policy_type, content = MALFORMED[case]

    said = message(create, client=organization.client, content=content, Type=policy_type)

    assert "The provided policy document does not meet the requirements of the specified policy type." == said


def test_a_content_that_is_changed_is_held_to_its_type_as_well(organization: Organization):
    policy_id = create(organization.client)["PolicySummary"]["Id"]

    said = refusal(organization.client.update_policy, PolicyId=policy_id, Content=json.dumps(deny_to_all("s3:*")))

    assert "MalformedPolicyDocumentException" == said


def test_a_document_has_a_largest_size_by_its_type(organization: Organization):
    filled = json.dumps(deny("s3:*")).ljust(10_240)
    create(organization.client, "fits", content=filled)

    said = [
        refusal(create, client=organization.client, content=filled + " "),
        refusal(create, client=organization.client, content=json.dumps(deny_to_all("s3:*")).ljust(5_121), Type=RCP),
    ]

    assert ["ConstraintViolationException POLICY_CONTENT_LIMIT_EXCEEDED"] * 2 == said


def test_a_policy_is_deleted_once_it_is_attached_to_nothing(organization: Organization):
    policy_id = organization.bind(deny("iam:ListUsers"), organization.root_id)

    in_use = refusal(organization.client.delete_policy, PolicyId=policy_id)
    organization.detach(policy_id, organization.root_id)
    organization.client.delete_policy(PolicyId=policy_id)

    assert "PolicyInUseException" == in_use
    assert "PolicyNotFoundException" == refusal(organization.client.describe_policy, PolicyId=policy_id)


def test_what_aws_manages_is_described_and_never_changed(organization: Organization):
    described = organization.client.describe_policy(PolicyId="p-FullAWSAccess")["Policy"]

    said = {
        refusal(organization.client.update_policy, PolicyId="p-FullAWSAccess", Content=TEXT),
        refusal(organization.client.delete_policy, PolicyId="p-RCPFullAWSAccess"),
    }

    assert described["PolicySummary"]["AwsManaged"]
    assert "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess" == described["PolicySummary"]["Arn"]
    assert {"InvalidInputException IMMUTABLE_POLICY"} == said


def test_policies_are_listed_by_type_and_name_page_by_page(organization: Organization):
    for name in ("zebra", "Ape", "hen"):
        create(organization.client, name)
    create(organization.client, "resource", content=json.dumps(deny_to_all("s3:*")), Type=RCP)

    pages = list(organization.client.get_paginator("list_policies").paginate(Filter=SCP, PaginationConfig={"PageSize": 2}))

    assert [["Ape", "FullAWSAccess"], ["hen", "zebra"]] == [[each["Name"] for each in page["Policies"]] for page in pages]
    assert all("IsTruncated" not in page for page in pages)
    assert "NextToken" not in pages[-1]


def test_a_token_of_another_list_is_refused(organization: Organization):
    create(organization.client)
    token = organization.client.list_policies(Filter=SCP, MaxResults=1)["NextToken"]

    said = refusal(organization.client.list_policies, Filter=RCP, NextToken=token)

    assert "InvalidInputException INVALID_NEXT_TOKEN" == said


def test_a_policy_is_tagged_as_it_is_made(organization: Organization):
    policy_id = create(organization.client, Tags=[{"Key": "team", "Value": "red"}])["PolicySummary"]["Id"]

    tags = organization.client.list_tags_for_resource(ResourceId=policy_id)["Tags"]

    assert [{"Key": "team", "Value": "red"}] == tags
    twice = [{"Key": "team", "Value": "red"}, {"Key": "team", "Value": "blue"}]
    assert "InvalidInputException DUPLICATE_TAG_KEY" == refusal(create, client=organization.client, name="x", Tags=twice)


def test_tagging_a_new_policy_takes_a_permission_of_its_own(organization: Organization):
    user = organization.management.user("bob", policy=allow("organizations:CreatePolicy"))

    said = message(create, client=user.client("organizations"), Tags=[{"Key": "team", "Value": "red"}])

    assert "is not authorized to perform: organizations:TagResource" in said
    assert [] == [each for each in organization.client.list_policies(Filter=SCP)["Policies"] if not each["AwsManaged"]]


def test_where_only_bills_are_consolidated_there_are_no_policies(crown: Crown):
    organization = Organization(crown, FeatureSet="CONSOLIDATED_BILLING")

    said = {
        refusal(create, client=organization.client),
        refusal(organization.client.enable_policy_type, RootId=organization.root_id, PolicyType=SCP),
    }

    assert {"PolicyTypeNotAvailableForOrganizationException"} == said


def test_without_an_organization_there_are_no_policies(account: Account):
    client = account.client("organizations")

    assert "AWSOrganizationsNotInUseException" == refusal(create, client=client)
    assert "AWSOrganizationsNotInUseException" == refusal(client.list_policies, Filter=SCP)


def test_a_user_needs_the_action_for_the_type_that_it_is_about(organization: Organization):
    only_tags = allow("organizations:CreatePolicy")
    only_tags["Statement"][0]["Condition"] = {"StringEquals": {"organizations:PolicyType": "TAG_POLICY"}}
    user = organization.management.user("bob", policy=only_tags)
    client = user.client("organizations")

    create(client, content='{"tags": {"team": {"tag_key": {"@@assign": "Team"}}}}', Type="TAG_POLICY")

    assert "AccessDeniedException" == refusal(create, client=client, name="other")


def test_a_member_cannot_lift_the_policies_that_bind_it(organization: Organization):
    member = organization.invited()
    policy_id = organization.bind(deny("iam:ListUsers"), member.id)
    client = member.client("organizations")

    said = [
        refusal(client.detach_policy, PolicyId=policy_id, TargetId=member.id),
        refusal(client.update_policy, PolicyId=policy_id, Content=json.dumps(allow("*"))),
        refusal(client.delete_policy, PolicyId=policy_id),
        refusal(client.attach_policy, PolicyId="p-FullAWSAccess", TargetId=member.id),
        refusal(client.disable_policy_type, RootId=organization.root_id, PolicyType=SCP),
        refusal(member.root("organizations").detach_policy, PolicyId=policy_id, TargetId=member.id),
        refusal(client.describe_policy, PolicyId=policy_id),
    ]

    assert ["AccessDeniedException"] * 7 == said
    assert "AccessDenied" == refusal(member.client("iam").list_users)


def test_an_organizations_policies_are_unknown_to_another_organization(organization: Organization, crown: Crown):
    policy_id = organization.policy(deny("iam:ListUsers"))
    other = Organization(crown)

    said = {
        refusal(other.client.describe_policy, PolicyId=policy_id),
        refusal(other.client.update_policy, PolicyId=policy_id, Content=json.dumps(allow("*"))),
        refusal(other.client.delete_policy, PolicyId=policy_id),
        refusal(other.client.attach_policy, PolicyId=policy_id, TargetId=other.root_id),
        refusal(other.client.list_targets_for_policy, PolicyId=policy_id),
    }

    assert {"PolicyNotFoundException"} == said


def test_a_delegate_may_do_what_the_resource_policy_says_and_no_more(organization: Organization):
    member = organization.invited()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{member.id}:root"},
        "Action": ["organizations:DescribePolicy", "organizations:CreatePolicy"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    organization.client.put_resource_policy(Content=document)

    made = create(member.client("organizations"))["PolicySummary"]

    assert organization.management.id == made["Arn"].split(":")[4]
    said = refusal(member.client("organizations").attach_policy, PolicyId=made["Id"], TargetId=member.id)
    assert "AccessDeniedException" == said
