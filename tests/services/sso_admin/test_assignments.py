"""Assignments: a permission set becomes a protected role where somebody may take it, and goes with the last of them."""

from __future__ import annotations

from tests.fixtures.organization import deny
from tests.fixtures.single_sign_on import SingleSignOn, document, reserved_roles, target
from tests.services.iam.asking import refusal

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_the_first_assignment_makes_a_role_as_the_permission_set_says(sso: SingleSignOn):
    member = sso.organization.invited()
    found = sso.permission_set("ReadOnlyAccess", Name="Reader", SessionDuration="PT2H", Description="Reads")
    sso.admin.put_inline_policy_to_permission_set(**found, InlinePolicy=document("iam:ListUsers"))

    status = sso.assign(found, member.id, user=sso.user("ann"))

    assert ("SUCCEEDED", member.id) == (status["Status"], status["TargetId"])
    iam = member.client("iam")
    (role,) = reserved_roles(iam)
    assert role["RoleName"].startswith("AWSReservedSSO_Reader_")
    assert 16 == len(role["RoleName"].rpartition("_")[2])
    assert (7200, "Reads") == (role["MaxSessionDuration"], role["Description"])
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert [READ] == [each["PolicyArn"] for each in attached]
    assert ["AwsSSOInlinePolicy"] == iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]


def test_an_assignment_made_twice_is_one(sso: SingleSignOn):
    member, found, ann = sso.organization.invited(), sso.permission_set(), sso.user("ann")

    statuses = [sso.assign(found, member.id, user=ann)["Status"] for _ in range(2)]

    assert ["SUCCEEDED"] * 2 == statuses
    listed = sso.admin.list_account_assignments(**found, AccountId=member.id)["AccountAssignments"]
    assert [ann] == [each["PrincipalId"] for each in listed]
    assert 1 == len(reserved_roles(member.client("iam")))


def test_the_role_goes_with_the_last_assignment(sso: SingleSignOn):
    member, found = sso.organization.invited(), sso.permission_set()
    ann, ops = sso.user("ann"), sso.group("ops")
    sso.assign(found, member.id, user=ann)
    sso.assign(found, member.id, group=ops)

    sso.unassign(found, member.id, user=ann)
    left = len(reserved_roles(member.client("iam")))
    status = sso.unassign(found, member.id, group=ops)

    assert (1, 0, "SUCCEEDED") == (left, len(reserved_roles(member.client("iam"))), status["Status"])
    request = {"AccountAssignmentDeletionRequestId": status["RequestId"]}
    said = sso.admin.describe_account_assignment_deletion_status(**sso.instance, **request)["AccountAssignmentDeletionStatus"]
    assert status == said


def test_what_cannot_be_assigned_says_why_and_leaves_nothing(sso: SingleSignOn):
    member, found, ann = sso.organization.invited(), sso.permission_set(), sso.user("ann")
    reference = {"CustomerManagedPolicyReference": {"Name": "Billing", "Path": "/"}}

    stranger = sso.assign(found, "123456789012", user=ann)
    nobody = sso.assign(found, member.id, user="00000000-0000-4000-8000-000000000000")
    sso.admin.attach_customer_managed_policy_reference_to_permission_set(**found, **reference)
    without_policy = sso.assign(found, member.id, user=ann)

    assert ["FAILED"] * 3 == [each["Status"] for each in (stranger, nobody, without_policy)]
    assert "The account 123456789012 is not in the organization." == stranger["FailureReason"]
    assert nobody["FailureReason"].startswith("The user 00000000-")
    assert without_policy["FailureReason"].startswith("The customer managed policy /Billing does not exist in account")
    assert [] == reserved_roles(member.client("iam"))
    listed = sso.admin.list_account_assignment_creation_status(**sso.instance, Filter={"Status": "FAILED"})
    assert 3 == len(listed["AccountAssignmentsCreationStatus"])


def test_a_customer_managed_policy_is_each_accounts_own(sso: SingleSignOn):
    member, found = sso.organization.invited(), sso.permission_set()
    policy = member.client("iam").create_policy(PolicyName="Billing", PolicyDocument=document("iam:ListUsers"))["Policy"]["Arn"]
    reference = {"CustomerManagedPolicyReference": {"Name": "Billing"}}
    sso.admin.attach_customer_managed_policy_reference_to_permission_set(**found, **reference)
    sso.admin.put_permissions_boundary_to_permission_set(**found, PermissionsBoundary={"ManagedPolicyArn": READ})

    sso.assign(found, member.id, user=sso.user("ann"))

    iam = member.client("iam")
    name = reserved_roles(iam)[0]["RoleName"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy] == [each["PolicyArn"] for each in attached]
    assert READ == iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]


def test_an_account_administrator_can_neither_change_nor_delete_a_reserved_role_nor_its_trust(sso: SingleSignOn):
    member, found = sso.organization.invited(), sso.permission_set()
    sso.assign(found, member.id, user=sso.user("ann"))
    iam = member.client("iam")
    name = reserved_roles(iam)[0]["RoleName"]
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"

    said = [
        refusal(iam.attach_role_policy, RoleName=name, PolicyArn=admin),
        refusal(iam.put_role_policy, RoleName=name, PolicyName="x", PolicyDocument=document("*")),
        refusal(iam.update_assume_role_policy, RoleName=name, PolicyDocument=document("sts:AssumeRole")),
        refusal(iam.update_role, RoleName=name, MaxSessionDuration=3600),
        refusal(iam.put_role_permissions_boundary, RoleName=name, PermissionsBoundary=admin),
        refusal(iam.tag_role, RoleName=name, Tags=[{"Key": "a", "Value": "b"}]),
        refusal(iam.delete_role, RoleName=name),
    ]

    protected = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    assert [f"UnmodifiableEntity: {protected}"] * 7 == said
    assert refusal(iam.delete_service_linked_role, RoleName=name).startswith("NoSuchEntity")


def test_roles_follow_their_permission_set_when_it_is_provisioned(sso: SingleSignOn):
    members, found, ann = [sso.organization.invited() for _ in range(2)], sso.permission_set(), sso.user("ann")
    for each in members:
        sso.assign(found, each.id, user=ann)
    sso.admin.attach_managed_policy_to_permission_set(**found, ManagedPolicyArn=READ)
    sso.admin.update_permission_set(**found, SessionDuration="PT8H")
    stale = sso.admin.list_accounts_for_provisioned_permission_set(
        **found, ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED"
    )["AccountIds"]

    status = sso.admin.provision_permission_set(**found, TargetType="ALL_PROVISIONED_ACCOUNTS")["PermissionSetProvisioningStatus"]

    assert "SUCCEEDED" == status["Status"]
    assert sorted(each.id for each in members) == stale
    for each in members:
        iam = each.client("iam")
        (role,) = reserved_roles(iam)
        attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        assert (28_800, [READ]) == (role["MaxSessionDuration"], [policy["PolicyArn"] for policy in attached])
    asked = {"ProvisioningStatus": "LATEST_PERMISSION_SET_NOT_PROVISIONED", "AccountId": members[0].id}
    assert [] == sso.admin.list_permission_sets_provisioned_to_account(**sso.instance, **asked)["PermissionSets"]


def test_a_delegated_administrator_does_not_raise_itself_to_the_management_account(sso: SingleSignOn):
    delegate, found, ann = sso.organization.invited(), sso.permission_set("AdministratorAccess"), sso.user("ann")
    organizations = sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="sso.amazonaws.com")
    admin = delegate.client("sso-admin")

    said = refusal(admin.create_account_assignment, **found, **target(sso.management.id, user=ann))
    elsewhere = admin.create_account_assignment(**found, **target(delegate.id, user=ann))

    assert said.startswith("AccessDeniedException: A delegated administrator")
    assert [] == reserved_roles(sso.management.client("iam"))
    assert "SUCCEEDED" == elsewhere["AccountAssignmentCreationStatus"]["Status"]


def test_a_delegated_administrator_does_not_raise_itself_by_provisioning_in_the_management_account(sso: SingleSignOn):
    delegate, found = sso.organization.invited(), sso.permission_set()
    sso.assign(found, sso.management.id, user=sso.user("ann"))
    organizations = sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="sso.amazonaws.com")
    admin = delegate.client("sso-admin")

    said = [
        refusal(admin.attach_managed_policy_to_permission_set, **found, ManagedPolicyArn=READ),
        refusal(admin.put_inline_policy_to_permission_set, **found, InlinePolicy=document("*")),
        refusal(admin.provision_permission_set, **found, TargetType="ALL_PROVISIONED_ACCOUNTS"),
        refusal(admin.delete_permission_set, **found),
    ]

    assert all(each.startswith("AccessDeniedException: ") for each in said), said


def test_a_delegated_administrator_does_not_raise_itself_by_people_and_groups_of_the_management_account(sso: SingleSignOn):
    delegate, found = sso.organization.invited(), sso.permission_set("AdministratorAccess")
    ann, mallory = sso.user("ann"), sso.user("mallory")
    ops = sso.group("ops", ann)
    sso.assign(found, sso.management.id, group=ops)
    organizations = sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="sso.amazonaws.com")
    people = delegate.client("identitystore")
    taken_over = [{"AttributePath": "emails", "AttributeValue": [{"value": "mallory@acme.example"}]}]

    said = [
        refusal(people.create_group_membership, **sso.store, GroupId=ops, MemberId={"UserId": mallory}),
        refusal(people.update_user, **sso.store, UserId=ann, Operations=taken_over),
        refusal(people.delete_user, **sso.store, UserId=ann),
        refusal(people.delete_group, **sso.store, GroupId=ops),
    ]

    assert all(each.startswith("AccessDeniedException: A delegated administrator") for each in said), said
    people.update_user(**sso.store, UserId=mallory, Operations=taken_over)


def test_a_deleted_person_or_group_leaves_no_role_behind(sso: SingleSignOn):
    member, found = sso.organization.invited(), sso.permission_set()
    ann, ops = sso.user("ann"), sso.group("ops")
    sso.assign(found, member.id, user=ann)
    sso.assign(found, member.id, group=ops)

    sso.people.delete_user(**sso.store, UserId=ann)
    sso.people.delete_group(**sso.store, GroupId=ops)

    assert [] == sso.admin.list_account_assignments(**found, AccountId=member.id)["AccountAssignments"]
    assert [] == reserved_roles(member.client("iam"))


def test_an_account_that_leaves_keeps_no_role_of_the_organizations(sso: SingleSignOn):
    member, found, ann = sso.organization.invited(), sso.permission_set("AdministratorAccess"), sso.user("ann")
    sso.assign(found, member.id, user=ann)

    sso.organization.client.remove_account_from_organization(AccountId=member.id)

    assert [] == reserved_roles(member.client("iam"))
    mine = sso.admin.list_account_assignments_for_principal(**sso.instance, PrincipalId=ann, PrincipalType="USER")
    assert [] == mine["AccountAssignments"]


def test_what_a_person_may_take_includes_what_its_groups_may(sso: SingleSignOn):
    members, found = [sso.organization.invited() for _ in range(2)], sso.permission_set()
    ann = sso.user("ann")
    ops = sso.group("ops", ann)
    sso.assign(found, members[0].id, user=ann)
    sso.assign(found, members[1].id, group=ops)
    asked = {**sso.instance, "PrincipalId": ann, "PrincipalType": "USER"}

    pages = sso.admin.get_paginator("list_account_assignments_for_principal").paginate(**asked, PaginationConfig={"PageSize": 1})

    found_all = {(each["AccountId"], each["PrincipalType"]) for page in pages for each in page["AccountAssignments"]}
    assert {(members[0].id, "USER"), (members[1].id, "GROUP")} == found_all
    one = sso.admin.list_account_assignments_for_principal(**asked, Filter={"AccountId": members[1].id})
    assert [members[1].id] == [each["AccountId"] for each in one["AccountAssignments"]]


def test_service_control_policies_bind_reserved_roles(sso: SingleSignOn):
    member, found = sso.organization.invited(), sso.permission_set("AdministratorAccess")
    sso.assign(found, member.id, user=sso.user("ann"))
    sso.organization.bind(deny("iam:CreateUser"), member.id)
    role = reserved_roles(member.client("iam"))[0]["Arn"]

    asked = {"PolicySourceArn": role, "ActionNames": ["iam:CreateUser", "iam:ListUsers"]}
    results = member.client("iam").simulate_principal_policy(**asked)["EvaluationResults"]

    assert [False, True] == [each["OrganizationsDecisionDetail"]["AllowedByOrganizations"] for each in results]


def test_a_permission_set_that_somebody_may_take_is_not_deleted(sso: SingleSignOn):
    member, found, ann = sso.organization.invited(), sso.permission_set(), sso.user("ann")
    sso.assign(found, member.id, user=ann)

    said = refusal(sso.admin.delete_permission_set, **found)
    sso.unassign(found, member.id, user=ann)
    sso.admin.delete_permission_set(**found)

    assert said.startswith("ConflictException: PermissionSet with id ps-")
    assert [] == sso.admin.list_permission_sets(**sso.instance)["PermissionSets"]


def test_a_deleted_instance_takes_its_roles_along(sso: SingleSignOn):
    member, found = sso.organization.invited(), sso.permission_set()
    sso.assign(found, member.id, user=sso.user("ann"))

    sso.admin.delete_instance(**sso.instance)

    assert [] == reserved_roles(member.client("iam"))
    assert [] == sso.people.list_identity_stores()["IdentityStores"]


def test_attributes_for_access_control_are_configured_once_changed_and_deleted(sso: SingleSignOn):
    def configuration(key: str) -> dict[str, object]:
        attribute = {"Key": key, "Value": {"Source": ["${path:enterprise.costCenter}"]}}
        return {"InstanceAccessControlAttributeConfiguration": {"AccessControlAttributes": [attribute]}}

    sso.admin.create_instance_access_control_attribute_configuration(**sso.instance, **configuration("CostCenter"))
    sso.admin.update_instance_access_control_attribute_configuration(**sso.instance, **configuration("Team"))

    described = sso.admin.describe_instance_access_control_attribute_configuration
    found = described(**sso.instance)
    assert ("ENABLED", configuration("Team")["InstanceAccessControlAttributeConfiguration"]) == (
        found["Status"],
        found["InstanceAccessControlAttributeConfiguration"],
    )
    again = refusal(
        sso.admin.create_instance_access_control_attribute_configuration, **sso.instance, **configuration("CostCenter")
    )
    assert again.startswith("ConflictException: ")
    sso.admin.delete_instance_access_control_attribute_configuration(**sso.instance)
    assert refusal(described, **sso.instance).startswith("ResourceNotFoundException: ")
