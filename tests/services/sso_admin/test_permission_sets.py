"""Permission sets: made, described, filled with policies, and deleted when nobody has them any more."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.single_sign_on import SingleSignOn, document
from tests.services.iam.asking import refusal

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_a_permission_set_is_described_as_it_was_made(sso: SingleSignOn):
    said = {"Description": "Reads", "SessionDuration": "PT4H", "RelayState": "https://acme.example"}
    made = sso.admin.create_permission_set(**sso.instance, Name="Reader", **said)["PermissionSet"]

    found = sso.admin.describe_permission_set(**sso.instance, PermissionSetArn=made["PermissionSetArn"])["PermissionSet"]

    assert made == found
    assert {"Name": "Reader", **said}.items() <= found.items()
    assert made["PermissionSetArn"].startswith(f"arn:aws:sso:::permissionSet/{sso.arn.rpartition('/')[2]}/ps-")
    assert [made["PermissionSetArn"]] == sso.admin.list_permission_sets(**sso.instance)["PermissionSets"]


def test_a_name_is_used_once_whatever_its_case(sso: SingleSignOn):
    sso.permission_set(Name="Admin")

    said = refusal(sso.admin.create_permission_set, **sso.instance, Name="ADMIN")

    assert "ConflictException: PermissionSet with name ADMIN already exists." == said


@pytest.mark.parametrize("duration", ["PT30M", "PT13H", "P1D", "PT"])
def test_a_session_lasts_from_one_hour_to_twelve(sso: SingleSignOn, duration: str):
    said = refusal(sso.admin.create_permission_set, **sso.instance, Name="x", SessionDuration=duration)

    assert said.startswith("ValidationException: ")
    assert [] == sso.admin.list_permission_sets(**sso.instance)["PermissionSets"]


def test_managed_policies_are_attached_once_listed_and_detached(sso: SingleSignOn):
    found = sso.permission_set("ReadOnlyAccess")

    again = refusal(sso.admin.attach_managed_policy_to_permission_set, **found, ManagedPolicyArn=READ)
    unknown = refusal(sso.admin.attach_managed_policy_to_permission_set, **found, ManagedPolicyArn=READ + "x")

    assert again.startswith("ConflictException: Permission set with id ps-")
    assert f"ResourceNotFoundException: Policy does not exist with ARN: {READ}x" == unknown
    listed = sso.admin.list_managed_policies_in_permission_set(**found)["AttachedManagedPolicies"]
    assert [{"Name": "ReadOnlyAccess", "Arn": READ}] == listed
    sso.admin.detach_managed_policy_from_permission_set(**found, ManagedPolicyArn=READ)
    gone = refusal(sso.admin.detach_managed_policy_from_permission_set, **found, ManagedPolicyArn=READ)
    assert f"ResourceNotFoundException: Could not find ManagedPolicy with arn {READ}" == gone


def test_customer_managed_policies_are_named_with_their_path(sso: SingleSignOn):
    found = sso.permission_set()
    reference = {"CustomerManagedPolicyReference": {"Name": "Billing", "Path": "/teams/"}}

    sso.admin.attach_customer_managed_policy_reference_to_permission_set(**found, **reference)

    listed = sso.admin.list_customer_managed_policy_references_in_permission_set(**found)
    assert [{"Name": "Billing", "Path": "/teams/"}] == listed["CustomerManagedPolicyReferences"]
    again = refusal(sso.admin.attach_customer_managed_policy_reference_to_permission_set, **found, **reference)
    assert "ConflictException: Given customer managed policy with name: Billing  and path /teams/ already attached" == again
    sso.admin.detach_customer_managed_policy_reference_from_permission_set(**found, **reference)
    listed = sso.admin.list_customer_managed_policy_references_in_permission_set(**found)
    assert [] == listed["CustomerManagedPolicyReferences"]


def test_an_inline_policy_is_kept_byte_for_byte_and_a_malformed_one_is_refused(sso: SingleSignOn):
    found, text = sso.permission_set(), document("iam:ListUsers")

    sso.admin.put_inline_policy_to_permission_set(**found, InlinePolicy=text)

    assert text == sso.admin.get_inline_policy_for_permission_set(**found)["InlinePolicy"]
    said = refusal(sso.admin.put_inline_policy_to_permission_set, **found, InlinePolicy='{"Version": "2012-10-17"}')
    assert said.startswith("ValidationException: InlinePolicy is malformed: ")
    sso.admin.delete_inline_policy_from_permission_set(**found)
    assert "" == sso.admin.get_inline_policy_for_permission_set(**found)["InlinePolicy"]


def test_a_boundary_is_one_policy_of_one_kind(sso: SingleSignOn):
    found, put = sso.permission_set(), sso.admin.put_permissions_boundary_to_permission_set
    both = {"ManagedPolicyArn": READ, "CustomerManagedPolicyReference": {"Name": "x"}}

    put(**found, PermissionsBoundary={"ManagedPolicyArn": READ})

    assert {"ManagedPolicyArn": READ} == sso.admin.get_permissions_boundary_for_permission_set(**found)["PermissionsBoundary"]
    assert refusal(put, **found, PermissionsBoundary=both).startswith("ValidationException: ")
    sso.admin.delete_permissions_boundary_from_permission_set(**found)
    missing = refusal(sso.admin.get_permissions_boundary_for_permission_set, **found)
    assert missing.startswith("ResourceNotFoundException: Could not find PermissionsBoundary")


def test_tags_of_a_permission_set_decide_who_may_change_it(sso: SingleSignOn):
    found = sso.permission_set(Tags=[{"Key": "team", "Value": "red"}])
    resource = {"ResourceArn": found["PermissionSetArn"], **sso.instance}
    sso.admin.tag_resource(**resource, Tags=[{"Key": "cost", "Value": "1"}])
    sso.admin.untag_resource(**resource, TagKeys=["cost"])

    listed = sso.admin.list_tags_for_resource(**resource)["Tags"]

    assert [{"Key": "team", "Value": "red"}] == listed
    statement = {"Effect": "Allow", "Action": "sso:*", "Resource": "*"}
    condition = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}, "Effect": "Deny"}
    policy = {"Version": "2012-10-17", "Statement": [statement, {**statement, **condition}]}
    carol = sso.management.user("carol", policy=policy).client("sso-admin")
    assert refusal(carol.delete_permission_set, **found).startswith("AccessDeniedException: ")


def test_an_account_of_its_own_has_an_instance_without_permission_sets(crown: Crown):
    admin = crown.account().client("sso-admin")
    arn = admin.create_instance(Name="alone")["InstanceArn"]

    said = refusal(admin.create_permission_set, InstanceArn=arn, Name="x")

    assert said.startswith("ValidationException: Permission sets are not supported by an account instance")
    assert "ACTIVE" == admin.list_instances()["Instances"][0]["Status"]
    again = refusal(admin.create_instance, Name="more")
    assert "ConflictException: An instance of IAM Identity Center already exists in this account." == again
    admin.delete_instance(InstanceArn=arn)
    assert [] == admin.list_instances()["Instances"]


def test_an_instance_is_administered_by_its_owner_and_its_delegate_alone(sso: SingleSignOn, crown: Crown):
    delegate, stranger = sso.organization.invited(), crown.account()
    organizations = sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    before = refusal(delegate.client("sso-admin").list_permission_sets, **sso.instance)
    organizations.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="sso.amazonaws.com")

    found = delegate.client("sso-admin").list_permission_sets(**sso.instance)

    assert before.startswith("AccessDeniedException: No instance ")
    assert [] == found["PermissionSets"]
    assert [sso.arn] == [each["InstanceArn"] for each in delegate.client("sso-admin").list_instances()["Instances"]]
    assert refusal(stranger.client("sso-admin").describe_instance, **sso.instance).startswith(
        "AccessDeniedException: No instance"
    )
    assert refusal(delegate.client("sso-admin").delete_instance, **sso.instance).startswith(
        "AccessDeniedException: Only the account"
    )
