"""What the organization gives out of its hands: trusted services, delegated administrators, the resource policy, and tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal

DENIED = "AccessDeniedException: You don't have permissions to access this resource."
IAM = "iam.amazonaws.com"
NOT_REGISTERED = (
    "AccountNotRegisteredException: The provided account is not a registered delegated administrator for your organization."
)


def delegation(account_id: str, *actions: str, effect: str = "Allow", **more: Any) -> str:
    """Return a resource policy that is about one account."""
    statement = {"Effect": effect, "Principal": {"AWS": account_id}, "Action": list(actions), "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# Trusted services.


def test_services_are_trusted_until_they_are_not(organization: Organization):
    client = organization.client
    for principal in ("sso.amazonaws.com", IAM, IAM):
        client.enable_aws_service_access(ServicePrincipal=principal)

    pages = client.get_paginator("list_aws_service_access_for_organization").paginate(PaginationConfig={"PageSize": 1})
    listed = [each["ServicePrincipal"] for page in pages for each in page["EnabledServicePrincipals"]]
    client.disable_aws_service_access(ServicePrincipal=IAM)

    assert [IAM, "sso.amazonaws.com"] == listed
    left = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert ["sso.amazonaws.com"] == [each["ServicePrincipal"] for each in left]


def test_a_service_that_aws_does_not_have_is_not_trusted(organization: Organization):
    member = organization.invited()
    unknown = "InvalidInputException: You specified an unrecognized service principal."
    client = organization.client

    assert unknown == refusal(client.enable_aws_service_access, ServicePrincipal="mischief.example")
    assert unknown == refusal(client.disable_aws_service_access, ServicePrincipal="mischief.example")
    assert unknown == refusal(client.register_delegated_administrator, AccountId=member.id, ServicePrincipal="mischief.example")


def test_an_organization_for_bills_only_trusts_no_service(crown: Crown):
    organization = Organization(crown, FeatureSet="CONSOLIDATED_BILLING")

    said = refusal(organization.client.enable_aws_service_access, ServicePrincipal=IAM)

    assert said.startswith("ConstraintViolationException: You attempted to perform an operation that requires the organization")


def test_a_policy_may_limit_which_services_are_trusted(organization: Organization):
    policy = allow("organizations:EnableAWSServiceAccess", StringEquals={"organizations:ServicePrincipal": IAM})
    client = organization.management.user("lead", policy=policy).client("organizations")

    client.enable_aws_service_access(ServicePrincipal=IAM)

    assert "AccessDeniedException" in refusal(client.enable_aws_service_access, ServicePrincipal="sso.amazonaws.com")


# Delegated administrators.


def test_a_delegate_reads_the_organization_and_changes_nothing(organization: Organization):
    member = organization.invited()
    client = member.client("organizations")
    organization.client.enable_aws_service_access(ServicePrincipal=IAM)
    before = refusal(client.list_accounts)

    organization.client.register_delegated_administrator(AccountId=member.id, ServicePrincipal=IAM)

    assert DENIED == before
    assert {organization.management.id, member.id} == {each["Id"] for each in client.list_accounts()["Accounts"]}
    assert organization.root_id == client.list_roots()["Roots"][0]["Id"]
    assert member.id == client.describe_account(AccountId=member.id)["Account"]["Id"]
    assert [IAM] == [
        each["ServicePrincipal"] for each in client.list_delegated_services_for_account(AccountId=member.id)["DelegatedServices"]
    ]
    assert DENIED == refusal(client.create_organizational_unit, ParentId=organization.root_id, Name="mine")
    assert DENIED == refusal(client.tag_resource, ResourceId=member.id, Tags=[{"Key": "a", "Value": "b"}])


def test_delegates_are_listed_with_what_they_administer(organization: Organization):
    client = organization.client
    members = sorted([organization.invited() for _ in range(2)], key=lambda each: each.id)
    for principal in (IAM, "sso.amazonaws.com"):
        client.enable_aws_service_access(ServicePrincipal=principal)
        client.register_delegated_administrator(AccountId=members[0].id, ServicePrincipal=principal)
    client.register_delegated_administrator(AccountId=members[1].id, ServicePrincipal=IAM)

    pages = client.get_paginator("list_delegated_administrators").paginate(PaginationConfig={"PageSize": 1})
    every = [each for page in pages for each in page["DelegatedAdministrators"]]
    of_sso = client.list_delegated_administrators(ServicePrincipal="sso.amazonaws.com")["DelegatedAdministrators"]
    services = client.list_delegated_services_for_account(AccountId=members[0].id)["DelegatedServices"]

    assert [member.id for member in members] == [each["Id"] for each in every]
    assert {
        "Id",
        "Arn",
        "Email",
        "Name",
        "Status",
        "State",
        "JoinedMethod",
        "JoinedTimestamp",
        "DelegationEnabledDate",
    } == every[0].keys()
    assert [members[0].id] == [each["Id"] for each in of_sso]
    assert [IAM, "sso.amazonaws.com"] == [each["ServicePrincipal"] for each in services]


def test_delegation_ends_before_trust_and_before_membership(organization: Organization):
    client = organization.client
    member = organization.invited()
    client.enable_aws_service_access(ServicePrincipal=IAM)
    client.register_delegated_administrator(AccountId=member.id, ServicePrincipal=IAM)

    distrust = refusal(client.disable_aws_service_access, ServicePrincipal=IAM)
    removal = refusal(client.remove_account_from_organization, AccountId=member.id)
    client.deregister_delegated_administrator(AccountId=member.id, ServicePrincipal=IAM)
    client.disable_aws_service_access(ServicePrincipal=IAM)
    client.remove_account_from_organization(AccountId=member.id)

    assert distrust.startswith("ConstraintViolationException: You must first deregister any existing delegated")
    assert removal.startswith("ConstraintViolationException: You attempted to remove an account that is registered")


def test_not_everybody_can_be_a_delegate(organization: Organization):
    client = organization.client
    member, closed = organization.invited(), organization.created()
    client.close_account(AccountId=closed)
    register = client.register_delegated_administrator

    untrusted = refusal(register, AccountId=member.id, ServicePrincipal=IAM)
    client.enable_aws_service_access(ServicePrincipal=IAM)

    assert untrusted.startswith("ConstraintViolationException: You must enable service access before you delegate")
    assert "You cannot register management account/yourself as delegated administrator" in refusal(
        register, AccountId=organization.management.id, ServicePrincipal=IAM
    )
    assert "You cannot register a suspended account" in refusal(register, AccountId=closed, ServicePrincipal=IAM)
    assert "AccountNotFoundException" in refusal(register, AccountId="000000000001", ServicePrincipal=IAM)
    assert NOT_REGISTERED == refusal(client.deregister_delegated_administrator, AccountId=member.id, ServicePrincipal=IAM)
    assert NOT_REGISTERED == refusal(client.list_delegated_services_for_account, AccountId=member.id)
    register(AccountId=member.id, ServicePrincipal=IAM)
    assert "AccountAlreadyRegisteredException" in refusal(register, AccountId=member.id, ServicePrincipal=IAM)


# The resource policy.


def test_the_resource_policy_is_kept_shown_and_deleted(organization: Organization):
    client = organization.client
    member = organization.invited()
    first = delegation(member.id, "organizations:ListAccounts")
    second = delegation(member.id, "organizations:ListRoots")

    made = client.put_resource_policy(Content=first, Tags=[{"Key": "a", "Value": "b"}])["ResourcePolicy"]
    changed = client.put_resource_policy(Content=second)["ResourcePolicy"]
    shown = client.describe_resource_policy()["ResourcePolicy"]
    tags = client.list_tags_for_resource(ResourceId=made["ResourcePolicySummary"]["Id"])["Tags"]
    tagged_again = refusal(client.put_resource_policy, Content=first, Tags=[{"Key": "a", "Value": "b"}])
    client.delete_resource_policy()

    summary = made["ResourcePolicySummary"]
    arn = f"arn:aws:organizations::{organization.management.id}:resourcepolicy/{organization.id}/{summary['Id']}"
    root = f'"arn:aws:iam::{member.id}:root"'
    first, second = first.replace(f'"{member.id}"', root), second.replace(f'"{member.id}"', root)
    assert (first, arn) == (made["Content"], summary["Arn"])
    assert (second, summary) == (changed["Content"], changed["ResourcePolicySummary"])
    assert shown == changed
    assert [{"Key": "a", "Value": "b"}] == tags
    assert "InvalidInputException" in tagged_again
    for operation in (client.describe_resource_policy, client.delete_resource_policy):
        assert "ResourcePolicyNotFoundException" in refusal(operation)


def test_the_resource_policy_delegates_exactly_what_it_says(organization: Organization):
    member = organization.invited()
    client = member.client("organizations")

    organization.client.put_resource_policy(Content=delegation(member.id, "organizations:ListAccounts"))

    assert 2 == len(client.list_accounts()["Accounts"])
    assert DENIED == refusal(client.list_roots)
    organization.client.delete_resource_policy()
    assert DENIED == refusal(client.list_accounts)


def test_a_user_of_a_member_needs_its_own_permission_besides(organization: Organization):
    member = organization.invited()
    organization.client.put_resource_policy(Content=delegation(member.id, "organizations:ListAccounts"))

    said = refusal(member.user("powerless").client("organizations").list_accounts)

    assert "because no identity-based policy allows the organizations:ListAccounts action" in said


def test_the_resource_policy_takes_from_a_delegate_what_it_denies(organization: Organization):
    member = organization.invited()
    organization.client.enable_aws_service_access(ServicePrincipal=IAM)
    organization.client.register_delegated_administrator(AccountId=member.id, ServicePrincipal=IAM)

    organization.client.put_resource_policy(Content=delegation(member.id, "organizations:ListAccounts", effect="Deny"))

    said = refusal(member.client("organizations").list_accounts)
    assert "with an explicit deny in a resource-based policy" in said
    assert member.client("organizations").list_roots()["Roots"]
    assert organization.client.list_accounts()["Accounts"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "InvalidInputException"),
        ('{"Version": "2012-10-17", "Statement": []}', "InvalidInputException"),
        (delegation("MEMBER", "organizations:CloseAccount"), "You specified an action that is not supported"),
        (delegation("MEMBER", "iam:ListUsers"), "You specified an action that is not supported"),
        (delegation("999999999999", "organizations:ListAccounts"), "You specified an invalid principal element"),
    ],
)
def test_a_resource_policy_that_delegates_what_cannot_be_is_refused(organization: Organization, content: str, reason: str):
    member = organization.created()

    said = refusal(organization.client.put_resource_policy, Content=content.replace("MEMBER", member))

    assert said.startswith("InvalidInputException: ")
    assert reason in said


# Tags.


def test_tags_are_kept_on_everything_in_the_organization(organization: Organization):
    client = organization.client
    unit = client.create_organizational_unit(ParentId=organization.root_id, Name="unit", Tags=[{"Key": "made", "Value": "so"}])
    unit_id = unit["OrganizationalUnit"]["Id"]

    for resource in (organization.root_id, organization.management.id, unit_id):
        client.tag_resource(ResourceId=resource, Tags=[{"Key": "env", "Value": "one"}, {"Key": "team", "Value": "two"}])
        client.tag_resource(ResourceId=resource, Tags=[{"Key": "Env", "Value": "three"}])
        client.untag_resource(ResourceId=resource, TagKeys=["TEAM", "nothing"])

    assert [{"Key": "Env", "Value": "three"}] == client.list_tags_for_resource(ResourceId=organization.root_id)["Tags"]
    assert [{"Key": "Env", "Value": "three"}] == client.list_tags_for_resource(ResourceId=organization.management.id)["Tags"]
    kept = client.list_tags_for_resource(ResourceId=unit_id)["Tags"]
    assert [{"Key": "Env", "Value": "three"}, {"Key": "made", "Value": "so"}] == kept


def test_tags_are_refused_that_are_aws_own_or_too_many_or_twice_there(organization: Organization):
    def tag(*keys: str) -> str:
        tags = [{"Key": key, "Value": ""} for key in keys]
        return refusal(organization.client.tag_resource, ResourceId=organization.root_id, Tags=tags)

    assert "InvalidInputException: Tag keys must be unique among the tags attached to the same entity." == tag("a", "A")
    assert "InvalidInputException: You specified a tag key that is a system tag." == tag("AWS:mine")
    assert "ConstraintViolationException: You have exceeded the number of tags allowed on this resource." == tag(
        *(f"key {number}" for number in range(51))
    )


def test_a_namesake_is_delegated_nothing(organization: Organization):
    member = organization.invited()
    iam, policy = member.client("iam"), allow("organizations:*")
    lead = member.user("lead", policy=policy)
    kept = organization.client.put_resource_policy(Content=delegation(lead.arn, "organizations:ListAccounts"))
    before = lead.client("organizations").list_accounts()["Accounts"]
    iam.delete_access_key(UserName="lead", AccessKeyId=lead.credentials.access_key_id)
    iam.delete_user_policy(UserName="lead", PolicyName="inline")
    iam.delete_user(UserName="lead")

    said = refusal(member.user("lead", policy=policy).client("organizations").list_accounts)

    assert 2 == len(before)
    assert lead.arn in kept["ResourcePolicy"]["Content"]
    assert DENIED == said
    assert lead.arn not in organization.client.describe_resource_policy()["ResourcePolicy"]["Content"]


def test_a_resource_policy_names_no_user_that_there_is_not(organization: Organization):
    member = organization.invited()
    content = delegation(f"arn:aws:iam::{member.id}:user/nobody", "organizations:ListAccounts")

    said = refusal(organization.client.put_resource_policy, Content=content)

    assert "InvalidInputException: You specified an invalid principal element in the policy." == said


def test_what_is_not_there_has_no_tags(organization: Organization, crown: Crown):
    foreign = Organization(crown)
    client = organization.client

    for resource in (foreign.root_id, foreign.management.id, "ou-0000-00000000", "p-00000000", "p-FullAWSAccess", "rp-00000000"):
        assert "TargetNotFoundException: You specified a target that doesn't exist." == refusal(
            client.list_tags_for_resource, ResourceId=resource
        )


def test_a_policy_may_ask_for_the_tags_of_what_is_done_to(organization: Organization):
    blue, red = organization.unit("blue"), organization.unit("red")
    organization.client.tag_resource(ResourceId=blue, Tags=[{"Key": "team", "Value": "blue"}])
    policy = allow("organizations:UpdateOrganizationalUnit", StringEquals={"aws:ResourceTag/team": "blue"})
    client = organization.management.user("blue", policy=policy).client("organizations")

    client.update_organizational_unit(OrganizationalUnitId=blue, Name="navy")

    assert "AccessDeniedException" in refusal(client.update_organizational_unit, OrganizationalUnitId=red, Name="navy too")
