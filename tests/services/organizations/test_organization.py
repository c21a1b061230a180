"""The organization itself: made, described, left and deleted."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal
from tests.services.organizations.asking import service_events

from crownkeep import clock

NOT_IN_USE = "AWSOrganizationsNotInUseException: Your account is not a member of an organization."


def test_a_new_organization_is_described_to_its_management_account(account: Account):
    client = account.client("organizations")

    made = client.create_organization()["Organization"]

    arn = f"arn:aws:organizations::{account.id}"
    assert {
        "Id": made["Id"],
        "Arn": f"{arn}:organization/{made['Id']}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"{arn}:account/{made['Id']}/{account.id}",
        "MasterAccountId": account.id,
        "MasterAccountEmail": account.email,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    } == made
    assert made == client.describe_organization()["Organization"]


def test_an_organization_for_bills_only_has_no_policy_types(crown: Crown):
    organization = Organization(crown, FeatureSet="CONSOLIDATED_BILLING")

    described = organization.client.describe_organization()["Organization"]
    root = organization.client.list_roots()["Roots"][0]

    assert ("CONSOLIDATED_BILLING", []) == (described["FeatureSet"], described["AvailablePolicyTypes"])
    assert [] == root["PolicyTypes"]


def test_an_account_is_in_one_organization_at_most(organization: Organization):
    member = organization.invited()

    for client in (organization.client, member.client("organizations")):
        assert "AlreadyInOrganizationException: The provided account is already a member of an organization." == refusal(
            client.create_organization
        )


def test_an_account_outside_of_organizations_is_told_so(account: Account):
    client = account.client("organizations")

    for operation in (client.describe_organization, client.list_accounts, client.delete_organization, client.leave_organization):
        assert NOT_IN_USE == refusal(operation)


def test_making_an_organization_links_the_service_with_the_account(organization: Organization):
    iam = organization.management.client("iam")

    role = iam.get_role(RoleName="AWSServiceRoleForOrganizations")["Role"]

    assert "/aws-service-role/organizations.amazonaws.com/" == role["Path"]


def test_whoever_may_not_link_the_service_makes_no_organization(account: Account):
    user = account.user("founder", policy=allow("organizations:CreateOrganization"))

    said = refusal(user.client("organizations").create_organization)

    assert said.startswith("AccessDeniedForDependencyException: The operation that you attempted requires you to have the iam:")
    assert NOT_IN_USE == refusal(account.client("organizations").describe_organization)


def test_a_member_sees_the_organization_and_leaves_it(organization: Organization):
    member = organization.invited()
    client = member.client("organizations")

    seen = client.describe_organization()["Organization"]
    client.leave_organization()

    assert organization.id == seen["Id"]
    assert NOT_IN_USE == refusal(client.describe_organization)
    assert [organization.management.id] == [each["Id"] for each in organization.client.list_accounts()["Accounts"]]
    (event,) = service_events(organization.management, "AccountDepartedOrganization")
    assert (member.id, "LEFT") == (event["accountId"], event["departureMethod"])


def test_the_management_account_cannot_leave(organization: Organization):
    said = refusal(organization.client.leave_organization)

    assert said.startswith("MasterCannotLeaveOrganizationException: You can't remove a management account from an organization.")


def test_a_created_account_stays_for_four_days(organization: Organization):
    member = organization.created()

    early = refusal(organization.administrator_of(member, "organizations").leave_organization)
    with time_machine.travel(clock.now() + timedelta(days=4, minutes=1), tick=True):
        organization.administrator_of(member, "organizations").leave_organization()

    assert early.startswith("ConstraintViolationException: After you create an account, you must wait until")
    assert [organization.management.id] == [each["Id"] for each in organization.client.list_accounts()["Accounts"]]


def test_an_organization_is_deleted_once_it_is_empty_and_leaves_nothing_behind(organization: Organization):
    member = organization.invited()
    unit = organization.unit("left over")
    not_empty = refusal(organization.client.delete_organization)
    organization.client.remove_account_from_organization(AccountId=member.id)

    organization.client.delete_organization()

    assert not_empty.startswith(
        "OrganizationNotEmptyException: To delete an organization you must first remove all member accounts"
    )
    assert NOT_IN_USE == refusal(organization.client.describe_organization)
    again = organization.client.create_organization()["Organization"]
    assert again["Id"] != organization.id
    assert "OrganizationalUnitNotFoundException" in refusal(
        organization.client.describe_organizational_unit, OrganizationalUnitId=unit
    )


def test_a_member_makes_no_change_and_reads_only_the_organization_itself(organization: Organization):
    member = organization.invited()
    client = member.client("organizations")
    unit = organization.unit("unit")
    denied = "AccessDeniedException: You don't have permissions to access this resource."

    refused = [
        refusal(client.delete_organization),
        refusal(client.create_account, Email="x@test.example", AccountName="x"),
        refusal(client.list_accounts),
        refusal(client.list_roots),
        refusal(client.describe_account, AccountId=organization.management.id),
        refusal(client.create_organizational_unit, ParentId=organization.root_id, Name="mine"),
        refusal(client.delete_organizational_unit, OrganizationalUnitId=unit),
        refusal(client.move_account, AccountId=member.id, SourceParentId=organization.root_id, DestinationParentId=unit),
        refusal(client.close_account, AccountId=organization.management.id),
        refusal(client.remove_account_from_organization, AccountId=member.id),
        refusal(client.enable_aws_service_access, ServicePrincipal="iam.amazonaws.com"),
        refusal(client.register_delegated_administrator, AccountId=member.id, ServicePrincipal="iam.amazonaws.com"),
        refusal(client.put_resource_policy, Content="{}"),
        refusal(client.enable_all_features),
        refusal(client.invite_account_to_organization, Target={"Type": "ACCOUNT", "Id": "000000000001"}),
        refusal(client.list_handshakes_for_organization),
        refusal(client.tag_resource, ResourceId=member.id, Tags=[{"Key": "a", "Value": "b"}]),
    ]

    assert {denied} == set(refused)
    assert organization.id == client.describe_organization()["Organization"]["Id"]


def test_a_user_without_permission_is_refused_before_anything_is_looked_at(organization: Organization):
    account = organization.management
    user = account.user("powerless").client("organizations")

    said = refusal(user.list_accounts_for_parent, ParentId=organization.root_id)

    assert (
        f"AccessDeniedException: User: arn:aws:iam::{account.id}:user/powerless is not authorized to perform: "
        f"organizations:ListAccountsForParent on resource: arn:aws:organizations::{account.id}:root/{organization.id}/"
        f"{organization.root_id} because no identity-based policy allows the organizations:ListAccountsForParent action" == said
    )
