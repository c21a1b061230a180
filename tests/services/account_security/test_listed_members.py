"""Accounts of an organization for a list: in several orders, and nothing that the caller may not know."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal


@pytest.fixture
def organization(crown: Crown) -> Organization:
    """An organization with two members, one of them in a unit."""
    made = Organization(crown)
    made.invited(under=made.unit("Workloads"))
    made.created()
    return made


def ids(answer: Any) -> list[str]:
    return [each["AccountId"] for each in answer["Members"]]


def test_accounts_are_listed_with_their_unit_and_found_by_name_address_or_id(organization: Organization):
    security = organization.management.client("account-security")

    listed = security.describe_members(Include=["Security", "Tags"])["Members"]

    (member,) = (each for each in listed if each["Name"] == "member")
    assert 3 == len(listed)
    assert {"Workloads", None} == {each.get("UnitName") for each in listed}
    assert {"ACTIVE"} == {each["Status"] for each in listed}
    assert not member["Security"]["RootHasPassword"]
    assert [] == member["Tags"]
    for text in ("EMBE", member["AccountId"][3:9], member["Email"][:9].upper()):
        assert member["AccountId"] in ids(security.describe_members(Text=text))
    assert [] == ids(security.describe_members(Text="%"))


@pytest.mark.parametrize("order", ["Name", "Joined", "State", "RootLastUsed", "LastAudit"])
def test_pages_of_every_order_come_to_each_account_once(organization: Organization, order: str):
    security = organization.management.client("account-security")
    for backwards in (False, True):
        asked: dict[str, Any] = {"SortBy": order, "Descending": backwards}
        page = security.describe_members(**asked, MaxItems=2)
        found = ids(page) + ids(security.describe_members(**asked, MaxItems=2, Marker=page["Marker"]))

        assert ids(security.describe_members(**asked)) == found
        assert 3 == len(set(found))


def test_accounts_of_one_unit_or_these_alone_are_listed(organization: Organization):
    security = organization.management.client("account-security")
    inside = next(each for each in security.describe_members()["Members"] if each.get("UnitName"))

    assert [inside["AccountId"]] == ids(security.describe_members(ParentId=inside["ParentId"]))
    assert [inside["AccountId"]] == ids(security.describe_members(AccountIds=[inside["AccountId"], "000000000000"]))


def test_what_a_caller_may_not_ask_for_is_not_told_and_orders_nothing(organization: Organization):
    lister = organization.management.user("lister", policy=allow("organizations:ListAccounts")).client("account-security")

    listed = lister.describe_members(Include=["Credentials", "Security", "Tags"])

    assert 3 == len(ids(listed))
    assert [
        "account-security:ListMemberCredentials",
        "account-security:ListMemberSecurity",
        "organizations:ListTagsForResource",
    ] == listed["NotPermitted"]
    assert not any({"Credentials", "Security", "Tags"} & set(each) for each in listed["Members"])
    assert "AccessDenied" in refusal(lister.describe_members, SortBy="LastAudit")


def test_a_member_and_a_stranger_list_no_accounts(organization: Organization, crown: Crown):
    for account in (organization.invited(), crown.account()):
        assert "AccessDenied" in refusal(account.client("account-security").describe_members)


def test_the_credential_reports_of_all_accounts_are_those_of_iam(organization: Organization):
    member = organization.invited()
    iam = member.client("iam")
    iam.create_user(UserName="alice", Path="/a,b/")
    iam.generate_credential_report()
    own = iam.get_credential_report()["Content"].decode()
    security = organization.management.client("account-security")

    (report,) = security.list_member_credentials(AccountIds=[member.id, "000000000000"])["Reports"]

    assert member.id == report["AccountId"]
    assert own.splitlines()[0] == report["Content"].splitlines()[0]
    assert [line.partition(",")[0] for line in own.splitlines()] == [
        line.partition(",")[0] for line in report["Content"].splitlines()
    ]


def test_credentials_of_accounts_are_counted_in_the_list(organization: Organization):
    member = organization.invited()
    iam = member.client("iam")
    iam.create_user(UserName="alice")
    iam.create_login_profile(UserName="alice", Password="correct horse 7 Battery")

    (listed,) = organization.management.client("account-security").describe_members(
        AccountIds=[member.id], Include=["Credentials"]
    )["Members"]

    # Root has a key, and `admin` one.
    assert {
        "Users": 2,
        "Passwords": 1,
        "WithoutMfa": 1,
        "ActiveAccessKeys": 2,
        "WithOldCredentials": 0,
        "WithUnusedCredentials": 0,
        "RootCanSignIn": True,
    } == listed["Credentials"]


def test_a_member_a_stranger_and_a_reader_get_no_credential_reports(organization: Organization, crown: Crown):
    member, stranger = organization.invited(), crown.account()
    reader = organization.management.user("reader", policy=allow("account-security:ListMemberSecurity"))

    for client in (each.client("account-security") for each in (member, stranger, reader)):
        assert "AccessDenied" in refusal(client.list_member_credentials, AccountIds=[member.id])
    outside = organization.management.client("account-security").list_member_credentials(AccountIds=[stranger.id])
    assert [] == outside["Reports"]
