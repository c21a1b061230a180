"""The list of all accounts of an organization: found, sorted, kept as a file, and several of them changed at once."""

from __future__ import annotations

import csv
import io

import pytest
from tests.console.forms import follow, send
from tests.fixtures.crown import Account, Crowns
from tests.fixtures.organization import Organization, deny
from tests.signin.browser import Browser, signed_in

HOME = "/console/organization/accounts"
REVIEW, APPLY = "/console/account-list/review", "/console/account-list/apply"


@pytest.fixture
def organization(crowns: Crowns) -> Organization:
    """An organization of its own in the shared server."""
    return Organization(crowns.shared("sqlite"))


@pytest.fixture
def member(organization: Organization) -> Account:
    """A member of the organization."""
    return organization.invited()


@pytest.fixture
def browser(organization: Organization) -> Browser:
    """The browser of the administrator of the management account."""
    return signed_in(organization.management, user="admin")


def test_accounts_are_found_sorted_and_kept_as_a_file(organization: Organization, browser: Browser, member: Account):
    page = browser.get(HOME).text
    found = browser.get(f"{HOME}?name={member.id[2:9]}&sort=-joined").text
    only = browser.get(f"{HOME}?unit={organization.unit('Empty')}").text
    rows = list(csv.DictReader(io.StringIO(browser.get("/console/account-list/download").text)))

    assert member.id in page
    assert organization.management.id in page
    assert f'value="{member.id}"' in found
    assert f'value="{organization.management.id}"' not in found
    assert "No accounts are here" in only
    assert {member.id: "1 access keys", organization.management.id: "1 access keys"} == {
        each["id"]: each["credentials"] for each in rows
    }


def test_several_accounts_are_moved_after_a_review_and_back_by_an_undo(
    organization: Organization, browser: Browser, member: Account
):
    unit, other = organization.unit("Inner", under=organization.unit("Outer")), organization.invited()
    names = {each["Id"]: each["Name"] for each in organization.client.list_accounts()["Accounts"]}
    organization.move(other.id, to=unit)
    fields: dict[str, str | list[str]] = {"chosen": [member.id, other.id], "act": "move", "unit": unit}

    review = send(browser, HOME, REVIEW, **fields).text
    before = organization.client.list_parents(ChildId=member.id)["Parents"][0]["Id"]
    moved = follow(browser, send(browser, HOME, APPLY, **fields))

    assert f"1 account would be moved to Inner ({unit})" in review
    assert f"<li>{names[member.id]} <span" in review
    assert f"There already: {names[other.id]}." in review
    assert organization.root_id == before
    assert "Undo" in moved
    assert unit == organization.client.list_parents(ChildId=member.id)["Parents"][0]["Id"]


def test_several_accounts_are_tagged_and_get_a_policy_and_lose_it(organization: Organization, browser: Browser, member: Account):
    policy = organization.policy(deny("s3:DeleteBucket"))

    send(browser, HOME, APPLY, chosen=[member.id], act="tag", key="team", value="red")
    review = send(browser, HOME, REVIEW, chosen=[member.id], act="attach", policy=policy).text
    send(browser, HOME, APPLY, chosen=[member.id], act="attach", policy=policy)
    attached = organization.client.list_policies_for_target(TargetId=member.id, Filter="SERVICE_CONTROL_POLICY")["Policies"]
    send(browser, HOME, APPLY, chosen=[member.id], act="detach", policy=policy)
    left = organization.client.list_policies_for_target(TargetId=member.id, Filter="SERVICE_CONTROL_POLICY")["Policies"]

    assert [{"Key": "team", "Value": "red"}] == organization.client.list_tags_for_resource(ResourceId=member.id)["Tags"]
    name = organization.client.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Name"]
    assert f"The policy {name} ({policy}) would be attached to 1 account" in review
    assert policy in [each["Id"] for each in attached]
    assert policy not in [each["Id"] for each in left]


def test_a_member_s_administrator_lists_no_accounts_and_moves_none(organization: Organization, member: Account):
    browser = signed_in(member, user="admin")

    page = browser.get(HOME).text
    applied = send(browser, "/console", APPLY, chosen=[member.id], act="tag", key="team", value="red")

    assert organization.management.id not in page
    assert 403 == applied.status


def test_the_credential_report_of_all_accounts_is_shown_and_kept_as_a_file(
    organization: Organization, browser: Browser, member: Account
):
    member.client("iam").create_user(UserName="=formula")
    page = browser.get("/console/organization/credential-report").text
    file = browser.get("/console/organization/credential-report/download").text
    rows = list(csv.DictReader(io.StringIO(file)))
    other = signed_in(member, user="admin").get("/console/organization/credential-report").text

    assert member.id in page.replace("-", "")
    assert "<td>2</td><td>0</td>" in page
    assert {(organization.management.id, "admin"), (member.id, "admin"), (member.id, "'=formula")} <= {
        (each["account_id"], each["user"]) for each in rows
    }
    assert organization.management.id not in other.replace("-", "")
