"""Accounts of an organization: created, seen, moved, closed and taken out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal
from tests.services.organizations.asking import service_events

from crownkeep import clock
from crownkeep.services.organizations import quotas
from crownkeep.storage.database import Database
from crownkeep.storage.organizations import organization_accounts, organizations
from crownkeep.storage.organizations.organization_accounts import MemberRow

DENIED = "AccessDeniedException: You don't have permissions to access this resource."
NO_ACCOUNT = "AccountNotFoundException: You specified an account that doesn't exist."


def test_a_created_account_is_a_member_at_once(organization: Organization):
    email = f"new-of-{organization.management.id}@test.example"

    status = organization.client.create_account(Email=email, AccountName="New")["CreateAccountStatus"]

    assert ("SUCCEEDED", "New") == (status["State"], status["AccountName"])
    account = organization.client.describe_account(AccountId=status["AccountId"])["Account"]
    arn = f"arn:aws:organizations::{organization.management.id}:account/{organization.id}/{status['AccountId']}"
    assert {
        "Id": status["AccountId"],
        "Arn": arn,
        "Email": email,
        "Name": "New",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "Paths": [f"{organization.id}/{organization.root_id}/{status['AccountId']}/"],
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": account["JoinedTimestamp"],
    } == account


def test_the_management_account_enters_a_created_account_by_its_role(organization: Organization):
    member = organization.created()

    iam = organization.administrator_of(member, "iam")
    role = iam.get_role(RoleName="OrganizationAccountAccessRole")["Role"]

    trusted = {"AWS": f"arn:aws:iam::{organization.management.id}:root"}
    statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    assert {"Version": "2012-10-17", "Statement": [statement]} == role["AssumeRolePolicyDocument"]
    attached = iam.list_attached_role_policies(RoleName="OrganizationAccountAccessRole")["AttachedPolicies"]
    assert ["AdministratorAccess"] == [policy["PolicyName"] for policy in attached]
    assert 0 == iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"]
    assert 0 == iam.get_account_summary()["SummaryMap"].get("AccountPasswordPresent", 0)
    assert "AWSServiceRoleForOrganizations" in [each["RoleName"] for each in iam.list_roles()["Roles"]]


def test_the_role_may_have_another_name_but_no_services(organization: Organization):
    email = f"named-of-{organization.management.id}@test.example"
    refused = refusal(organization.client.create_account, Email=email, AccountName="x", RoleName="AWSServiceRoleForMischief")

    status = organization.client.create_account(Email=email, AccountName="x", RoleName="Enter")["CreateAccountStatus"]

    assert refused.startswith("InvalidInputException: You provided a role name that isn't valid.")
    role = f"arn:aws:iam::{status['AccountId']}:role/Enter"
    organization.management.client("sts").assume_role(RoleArn=role, RoleSessionName="entering")


def test_a_member_is_not_called_by_blanks(organization: Organization):
    answer = refusal(organization.client.create_account, Email="blank@test.example", AccountName="  ")

    assert answer.startswith("InvalidInputException: ")


def test_an_address_that_is_taken_fails_the_request_and_says_why(organization: Organization):
    failed = organization.client.create_account(Email=organization.management.email, AccountName="Twin")["CreateAccountStatus"]
    organization.created()

    described = organization.client.describe_create_account_status(CreateAccountRequestId=failed["Id"])["CreateAccountStatus"]

    assert ("FAILED", "EMAIL_ALREADY_EXISTS") == (described["State"], described["FailureReason"])
    assert "AccountId" not in described
    listed = organization.client.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert [failed["Id"]] == [each["Id"] for each in listed]
    assert 2 == len(organization.client.list_create_account_status()["CreateAccountStatuses"])
    assert "CreateAccountStatusNotFoundException" in refusal(
        organization.client.describe_create_account_status, CreateAccountRequestId="car-00000000"
    )


def test_addresses_are_not_found_out_by_the_hundred_by_creating_accounts(organization: Organization):
    taken = organization.management.email
    for _ in range(20):
        organization.client.create_account(Email=taken, AccountName="Twin")

    said = refusal(organization.client.create_account, Email=taken, AccountName="Twin")

    assert "ConstraintViolationException: You attempted to exceed the number of accounts that you can create in one day." == said


def test_creating_and_closing_are_told_of_by_the_service_as_well(organization: Organization):
    member = organization.created()
    organization.client.close_account(AccountId=member)

    (created,) = service_events(organization.management, "CreateAccountResult")
    (closed,) = service_events(organization.management, "CloseAccountResult")

    status = created["createAccountStatus"]
    assert (member, "SUCCEEDED") == (status["accountId"], status["state"])
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" == status["accountName"]
    assert (member, "SUCCEEDED") == (closed["closeAccountStatus"]["accountId"], closed["closeAccountStatus"]["state"])


def test_an_organization_has_ten_accounts_unless_the_setting_says_more(fresh_crown: Callable[..., Crown]):
    small = Organization(fresh_crown(accounts_per_organization=2))
    small.created()

    said = refusal(small.client.create_account, Email="two@test.example", AccountName="two")
    invited = refusal(small.client.invite_account_to_organization, Target={"Type": "ACCOUNT", "Id": "000000000001"})

    assert "ConstraintViolationException: You have exceeded the allowed number of AWS accounts." == said
    assert "HandshakeConstraintViolationException: You have exceeded the allowed number of AWS accounts." == invited


def test_accounts_are_listed_by_id_page_by_page(organization: Organization):
    members = [organization.created() for name in ("one", "two", "three")]
    unit = organization.unit("unit")
    organization.client.move_account(AccountId=members[0], SourceParentId=organization.root_id, DestinationParentId=unit)

    pages = organization.client.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 1})

    assert sorted([organization.management.id, *members]) == [each["Id"] for page in pages for each in page["Accounts"]]
    (inside,) = organization.client.list_accounts_for_parent(ParentId=unit)["Accounts"]
    assert [f"{organization.id}/{organization.root_id}/{unit}/{members[0]}/"] == inside["Paths"]


def test_an_account_is_moved_from_where_it_is_to_where_it_is_not(organization: Organization):
    member = organization.created()
    unit = organization.unit("unit")
    move = organization.client.move_account
    root = organization.root_id

    move(AccountId=member, SourceParentId=root, DestinationParentId=unit)

    assert "DuplicateAccountException: That account is already present in the specified destination." == refusal(
        move, AccountId=member, SourceParentId=unit, DestinationParentId=unit
    )
    assert NO_ACCOUNT == refusal(move, AccountId=member, SourceParentId=root, DestinationParentId=root)
    nowhere = "ou-0000-00000000"
    assert "SourceParentNotFoundException" in refusal(move, AccountId=member, SourceParentId=nowhere, DestinationParentId=root)
    assert "DestinationParentNotFoundException" in refusal(
        move, AccountId=member, SourceParentId=unit, DestinationParentId=nowhere
    )
    assert NO_ACCOUNT == refusal(move, AccountId="000000000001", SourceParentId=root, DestinationParentId=unit)


def test_moving_needs_permission_for_the_account_and_both_places(organization: Organization):
    member = organization.created()
    unit = organization.unit("unit")
    arn = f"arn:aws:organizations::{organization.management.id}"
    half = organization.management.user("half", policy=allow("organizations:MoveAccount", on=f"{arn}:account/*"))

    said = refusal(
        half.client("organizations").move_account,
        AccountId=member,
        SourceParentId=organization.root_id,
        DestinationParentId=unit,
    )

    assert f"organizations:MoveAccount on resource: {arn}:root/{organization.id}/{organization.root_id}" in said


def test_a_closed_account_can_do_nothing_and_stays_listed(organization: Organization):
    member = organization.created()
    inside = organization.administrator_of(member, "iam")
    inside.list_users()

    organization.client.close_account(AccountId=member)

    with pytest.raises(ClientError):
        inside.list_users()
    described = organization.client.describe_account(AccountId=member)["Account"]
    assert ("SUSPENDED", "CLOSED") == (described["Status"], described["State"])
    assert "AccountAlreadyClosedException: The provided account is already closed." == refusal(
        organization.client.close_account, AccountId=member
    )


def test_the_management_account_is_not_closed_by_itself(organization: Organization):
    said = refusal(organization.client.close_account, AccountId=organization.management.id)

    assert "ConstraintViolationException: You attempted to close the management account." == said


def test_a_removed_account_stands_alone_with_all_it_has(organization: Organization):
    member = organization.invited()
    member.client("iam").create_user(UserName="stays")
    organization.client.tag_resource(ResourceId=member.id, Tags=[{"Key": "team", "Value": "blue"}])

    organization.client.remove_account_from_organization(AccountId=member.id)

    assert "stays" in [user["UserName"] for user in member.client("iam").list_users()["Users"]]
    assert NO_ACCOUNT == refusal(organization.client.describe_account, AccountId=member.id)
    member.client("organizations").accept_handshake(HandshakeId=organization.invite(member))
    assert [] == organization.client.list_tags_for_resource(ResourceId=member.id)["Tags"]


def test_whom_nobody_knows_and_whoever_is_elsewhere_are_not_told_apart(organization: Organization, crown: Crown):
    elsewhere = crown.account()

    for account_id in (elsewhere.id, "000000000001"):
        assert NO_ACCOUNT == refusal(organization.client.describe_account, AccountId=account_id)
        assert NO_ACCOUNT == refusal(organization.client.close_account, AccountId=account_id)
        assert NO_ACCOUNT == refusal(organization.client.remove_account_from_organization, AccountId=account_id)
    assert elsewhere.client("iam").list_users()["Users"]


def test_a_member_cannot_enumerate_the_accounts_of_its_organization(organization: Organization):
    member = organization.invited()
    other = organization.created()
    client = member.client("organizations")

    asked = [
        refusal(client.describe_account, AccountId=other),
        refusal(client.describe_account, AccountId="000000000001"),
        refusal(client.list_accounts),
        refusal(client.list_children, ParentId=organization.root_id, ChildType="ACCOUNT"),
        refusal(client.list_parents, ChildId=other),
        refusal(client.list_delegated_services_for_account, AccountId=other),
        refusal(client.list_tags_for_resource, ResourceId=other),
    ]

    assert {DENIED} == set(asked)


def test_accounts_are_created_by_two_at_once_with_one_address_once(organization: Organization):
    def create(_: int) -> str:
        client = organization.management.client("organizations")
        email = f"same-of-{organization.management.id}@test.example"
        return str(client.create_account(Email=email, AccountName="same")["CreateAccountStatus"]["State"])

    with ThreadPoolExecutor(4) as pool:
        states = sorted(pool.map(create, range(4)))

    assert ["FAILED", "FAILED", "FAILED", "SUCCEEDED"] == states


def test_the_management_account_of_others_is_neither_purged_nor_closed_by_the_operator(organization: Organization):
    member = organization.created()
    crown, management = organization.management.crown, organization.management.id

    purged = crown.operator("DELETE", f"/accounts/{management}")
    closed = crown.operator("POST", f"/accounts/{management}/close")

    sentence = f"account `{management}` manages organization `{organization.id}` with 1 other account"
    assert (409, True) == (purged.status, sentence in purged.text)
    assert (409, True) == (closed.status, sentence in closed.text)
    crown.operator("DELETE", f"/accounts/{member}")
    assert 204 == crown.operator("DELETE", f"/accounts/{management}").status


def test_nobody_joins_an_organization_while_its_management_account_is_purged(organization: Organization):
    crown, joining = organization.crown, organization.crown.account()
    database = Database(crown.settings.database_url)
    row = MemberRow(joining.id, organization.id, organization.management.id, organization.root_id, "INVITED", clock.now())
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as db:
            organizations.hold(db, organization.id)
            organization_accounts.add(db, row)
            purge = pool.submit(crown.operator, "DELETE", f"/accounts/{organization.management.id}")
            with suppress(TimeoutError):
                purge.result(timeout=1)
        answer = purge.result(timeout=30)
    database.close()

    assert 409 == answer.status
    assert joining.id in [each["Id"] for each in organization.client.list_accounts()["Accounts"]]


def test_a_purged_member_leaves_and_whoever_has_its_id_next_is_nobody(organization: Organization):
    crown = organization.management.crown
    member = organization.invited()
    invited = crown.account()
    organization.invite(invited)
    for account in (member, invited):
        crown.operator("DELETE", f"/accounts/{account.id}")

    again = [crown.account(account_id=account.id) for account in (member, invited)]

    assert [organization.management.id] == [each["Id"] for each in organization.client.list_accounts()["Accounts"]]
    for account in again:
        client = account.client("organizations")
        assert "AWSOrganizationsNotInUseException" in refusal(client.describe_organization)
        assert [] == client.list_handshakes_for_account()["Handshakes"]
    (event,) = service_events(organization.management, "AccountDepartedOrganization")
    assert (member.id, "CLEANED") == (event["accountId"], event["departureMethod"])


def test_a_closed_account_of_an_organization_is_opened_by_the_operator_again(organization: Organization):
    member = organization.created()
    organization.client.close_account(AccountId=member)

    organization.management.crown.operator("POST", f"/accounts/{member}/reopen")

    assert "ACTIVE" == organization.client.describe_account(AccountId=member)["Account"]["Status"]
    organization.administrator_of(member, "iam").list_users()


def test_no_more_accounts_are_closed_in_thirty_days_than_the_quota_allows(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(quotas, "closures", lambda members: 1)
    first, second = organization.created(), organization.created()
    organization.client.close_account(AccountId=first)

    refused = refusal(organization.client.close_account, AccountId=second)
    with time_machine.travel(clock.now() + timedelta(days=31), tick=True):
        organization.client.close_account(AccountId=second)

    assert "ConstraintViolationException: You have exceeded close account quota for the past 30 days." == refused


def test_a_created_account_may_be_tagged_from_the_start(organization: Organization):
    email = f"tagged-of-{organization.management.id}@test.example"

    status = organization.client.create_account(Email=email, AccountName="x", Tags=[{"Key": "env", "Value": "test"}])

    account_id = status["CreateAccountStatus"]["AccountId"]
    tags = organization.client.list_tags_for_resource(ResourceId=account_id)["Tags"]
    assert [{"Key": "env", "Value": "test"}] == tags
    policy = allow("organizations:DescribeAccount", StringEquals={"aws:ResourceTag/env": "test"})
    reader = organization.management.user("reader", policy=policy).client("organizations")
    assert account_id == reader.describe_account(AccountId=account_id)["Account"]["Id"]
    assert "AccessDeniedException" in refusal(reader.describe_account, AccountId=organization.management.id)
