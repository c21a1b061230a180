"""The organization's pages: the tree, accounts, units, policies and invitations, and what members see of them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from tests.console.forms import follow, send
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.organization import SCP, Organization, deny
from tests.signin.browser import Browser, signed_in

from crownkeep import clock
from crownkeep.catalogue import organization_presets
from crownkeep.signin.sessions import FRESH_FOR

HOME = "/console/organization"


@pytest.fixture
def organization(crowns: Crowns) -> Organization:
    """An organization of its own in the shared server."""
    return Organization(crowns.shared("sqlite"))


@pytest.fixture
def browser(organization: Organization) -> Browser:
    """The browser of the administrator of the management account."""
    return signed_in(organization.management, user="admin")


def test_an_account_in_no_organization_creates_one_and_sees_its_tree(crowns: Crowns):
    account = crowns.shared("sqlite").account()
    browser = signed_in(account, user="admin")

    before = browser.get(HOME).text
    after = follow(browser, send(browser, HOME, f"{HOME}/create"))

    assert "in no organization" in before
    assert "organizations:CreateOrganization" in after
    assert "Accounts in the root" in after
    assert "Management" in after
    assert "Not readable here" not in after


def test_units_are_created_renamed_and_deleted(organization: Organization, browser: Browser):
    page = follow(browser, send(browser, HOME, f"{HOME}/units/create", parent=organization.root_id, name="Workloads"))
    unit = organization.client.list_organizational_units_for_parent(ParentId=organization.root_id)["OrganizationalUnits"][0]["Id"]
    here = f"{HOME}?under={unit}"
    renamed = follow(browser, send(browser, here, f"{HOME}/units/rename", unit=unit, name="Production", before="Workloads"))
    deleted = follow(
        browser, send(browser, here, f"{HOME}/units/delete", unit=unit, parent=organization.root_id, typed="Production")
    )

    assert "Workloads" in page
    assert "Undo" in page
    assert "<h1>Production</h1>" in renamed
    assert "Production" not in deleted


def test_an_account_is_created_moved_and_closed_once_its_name_is_typed(organization: Organization, browser: Browser):
    email = f"new-{organization.id}@test.example"
    unit = organization.unit("Workloads")
    created = follow(
        browser, send(browser, f"{HOME}/create-account", f"{HOME}/create-account", name="shipping", email=email, role="")
    )
    account_id = next(each["Id"] for each in organization.client.list_accounts()["Accounts"] if each["Name"] == "shipping")
    here = f"{HOME}/account?id={account_id}"
    fields = {"account": account_id, "from": organization.root_id, "to": unit}

    review = f"{HOME}/accounts/move?account={account_id}&to={unit}"
    reviewed = browser.get(review)
    moved = follow(browser, send(browser, review, f"{HOME}/accounts/move", **fields))
    again = browser.get(review)
    mistyped = send(browser, here, f"{HOME}/accounts/close", account=account_id, typed="shiping")
    closed = follow(browser, send(browser, here, f"{HOME}/accounts/close", account=account_id, typed="shipping"))

    assert "<h1>shipping</h1>" in created
    assert "Move shipping to Workloads?" in reviewed.text
    assert "the unit Workloads" in moved
    assert "shipping is in Workloads already" in again.text
    assert "Undo" in moved
    assert 400 == mistyped.status
    assert "Nothing was changed" in mistyped.text
    assert "Closed" in closed
    assert "SUSPENDED" == organization.client.describe_account(AccountId=account_id)["Account"]["Status"]


def test_an_invitation_is_sent_seen_by_the_account_and_accepted(organization: Organization, browser: Browser):
    account = organization.crown.account()
    guest = signed_in(account, user="admin")

    sent = follow(browser, send(browser, f"{HOME}/invite", f"{HOME}/invite", target=account.id, notes="Join us"))
    invitation = guest.get(HOME).text
    handshake = re.search(r'name="handshake" value="([^"]+)"', invitation)
    assert handshake is not None, invitation
    joined = follow(guest, send(guest, HOME, f"{HOME}/invitations/accept", handshake=handshake[1]))

    assert "Join the organization" in sent
    assert "Cancel" in sent
    assert "Managed by account" in joined
    assert account.id in [each["Id"] for each in organization.client.list_accounts()["Accounts"]]


def test_an_invitation_is_taken_back_and_another_is_declined(organization: Organization, browser: Browser):
    first, second = organization.crown.account(), organization.crown.account()
    canceled, declined = organization.invite(first), organization.invite(second)
    guest = signed_in(second, user="admin")

    follow(browser, send(browser, f"{HOME}/invitations", f"{HOME}/invitations/cancel", handshake=canceled))
    follow(guest, send(guest, HOME, f"{HOME}/invitations/decline", handshake=declined))

    states = {each["Id"]: each["State"] for each in organization.client.list_handshakes_for_organization()["Handshakes"]}
    assert {canceled: "CANCELED", declined: "DECLINED"} == states


def test_a_ready_made_policy_is_saved_attached_and_shown_as_inherited(organization: Organization, browser: Browser):
    unit = organization.unit("Workloads")
    member = organization.invited(under=unit)
    opened = browser.get(f"{HOME}/policies/create?preset=deny-leaving").text
    document = organization_presets.preset("deny-leaving")
    assert document is not None
    entered = {"id": "", "type": SCP, "name": "stay", "description": "", "document": document.content}

    saved = follow(browser, send(browser, f"{HOME}/policies/create", f"{HOME}/policies/create", **entered))
    policy = next(each["Id"] for each in organization.client.list_policies(Filter=SCP)["Policies"] if each["Name"] == "stay")
    review = browser.get(f"{HOME}/policies/attach?policy={policy}&target={unit}").text
    attached = follow(browser, send(browser, HOME, f"{HOME}/policies/attach", policy=policy, target=unit))
    inherited = browser.get(f"{HOME}/account?id={member.id}&tab=policies").text

    assert "organizations:LeaveOrganization" in opened
    assert "<h1>stay</h1>" in saved
    assert "Attach stay to Workloads?" in review
    assert "Attached here" in attached
    assert "Undo" in attached
    assert "Inherited" in inherited
    assert "Denied by stay" in inherited


def test_an_error_in_a_control_policy_is_shown_and_not_saved(organization: Organization, browser: Browser):
    broken = {"id": "", "type": SCP, "name": "broken", "description": "", "document": '{"Version": "2012-10-17"'}

    page = send(browser, f"{HOME}/policies/create", f"{HOME}/policies/create", **broken)

    assert 200 == page.status
    assert 'data-type="ERROR"' in page.text
    assert "Save all the same" not in page.text
    assert ["FullAWSAccess"] == [each["Name"] for each in organization.client.list_policies(Filter=SCP)["Policies"]]


def test_a_service_is_trusted_and_root_access_and_an_administrator_are_switched_on(organization: Organization, browser: Browser):
    member, settings = organization.invited(), f"{HOME}/settings"
    service = {"service": "iam.amazonaws.com"}

    follow(browser, send(browser, settings, f"{settings}/service", **service))
    follow(browser, send(browser, settings, f"{settings}/feature", feature="RootCredentialsManagement"))
    page = follow(browser, send(browser, settings, f"{settings}/delegate", account=member.id, **service))

    off = follow(browser, send(browser, settings, f"{settings}/delegate-off", account=member.id, **service))
    follow(browser, send(browser, settings, f"{settings}/delegate", account=member.id, **service))

    assert "Deregister" in page
    assert "Deregister" not in off.partition("<h2>Delegated administrators</h2>")[2].partition("</section>")[0]
    assert "Switch off" in page
    assert member.id in [each["Id"] for each in organization.client.list_delegated_administrators()["DelegatedAdministrators"]]
    features = organization.management.client("iam").list_organizations_features()["EnabledFeatures"]
    assert ["RootCredentialsManagement"] == features


@pytest.fixture
def member(organization: Organization) -> Account:
    """A member of the organization."""
    return organization.invited()


def test_an_administrator_of_a_member_reaches_nothing_of_the_management(organization: Organization, member: Account):
    browser = signed_in(member, user="admin")
    unit, policy = organization.unit("Workloads"), organization.policy(deny("s3:*"))
    forms = {
        "units/create": {"parent": organization.root_id, "name": "Mine"},
        "units/delete": {"unit": unit, "parent": organization.root_id, "typed": unit},
        "accounts/move": {"account": member.id, "from": organization.root_id, "to": unit},
        "policies/attach": {"policy": policy, "target": organization.management.id},
        "policies/delete": {"policy": policy, "typed": policy},
        "settings/service": {"service": "iam.amazonaws.com"},
        "create-account": {"name": "x", "email": "x@test.example", "role": ""},
        "invite": {"target": "111122223333", "notes": ""},
    }

    answers = {path: send(browser, HOME, f"{HOME}/{path}", **fields).status for path, fields in forms.items()}
    pages = [browser.get(each).text for each in (HOME, f"{HOME}?under={unit}", f"{HOME}/account?id={organization.management.id}")]

    assert dict.fromkeys(forms, 403) == answers
    assert not any("Workloads" in each for each in pages)
    assert [unit] == [
        each["Id"]
        for each in organization.client.list_organizational_units_for_parent(ParentId=organization.root_id)["OrganizationalUnits"]
    ]


def test_a_member_s_root_credentials_are_deleted_and_recovery_is_allowed_by_its_typed_name(
    organization: Organization, browser: Browser, member: Account
):
    organization.trust_iam("RootCredentialsManagement")
    name = organization.client.describe_account(AccountId=member.id)["Account"]["Name"]
    here, root = f"{HOME}/root?id={member.id}", f"{HOME}/root"

    mistyped = send(browser, here, f"{root}/delete", account=member.id, typed="something else")
    kept = organization.management.client("account-security").list_member_security(AccountIds=[member.id])["Members"][0]
    deleted = send(browser, here, f"{root}/delete", account=member.id, typed=name)
    gone = organization.management.client("account-security").list_member_security(AccountIds=[member.id])["Members"][0]
    allowed = send(browser, here, f"{root}/allow-recovery", account=member.id, typed=name)
    after = organization.management.client("account-security").list_member_security(AccountIds=[member.id])["Members"][0]

    assert (400, 1) == (mistyped.status, kept["RootAccessKeys"])
    assert "Root has no credentials any more" in deleted.text
    assert (0, False) == (gone["RootAccessKeys"], gone["RootHasPassword"])
    assert {"DeleteAccessKey", "CreateLoginProfile"} <= {each["eventName"] for each in member.records(limit=20)}
    assert "can be recovered" in allowed.text
    assert after["RootMayRecover"]


def test_an_unattended_browser_deletes_no_root_credentials_and_closes_no_account(crown: Crown):
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement")
    member, browser = organization.invited(), signed_in(organization.management, user="admin")
    name = organization.client.describe_account(AccountId=member.id)["Account"]["Name"]
    here, fields = f"{HOME}/account?id={member.id}", {"account": member.id, "typed": name}

    with time_machine.travel(clock.now() + FRESH_FOR + timedelta(seconds=1)):
        answers = [
            send(browser, here, f"{HOME}/{path}", **fields) for path in ("root/delete", "root/allow-recovery", "accounts/close")
        ]

    assert [303] * 3 == [each.status for each in answers]
    assert all((each.header("location") or "").startswith("/console/confirm") for each in answers)


def test_a_control_policy_that_denies_is_honoured_by_the_pages(organization: Organization, member: Account):
    organization.bind(deny("organizations:LeaveOrganization"), member.id)
    browser = signed_in(member, user="admin")

    page = send(browser, HOME, f"{HOME}/leave", typed=member.id)

    assert 403 == page.status
    assert "organizations:LeaveOrganization" in page.text
    assert member.id in [each["Id"] for each in organization.client.list_accounts()["Accounts"]]


def test_a_member_sees_what_binds_it_and_by_whom(organization: Organization, member: Account):
    policy = organization.bind(deny("s3:DeleteBucket"), organization.root_id)
    name = organization.client.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Name"]

    browser = signed_in(member, user="admin")
    page, home = browser.get(HOME).text, browser.get("/console").text

    assert "What binds this account" in home
    assert name in page
    assert "All accounts of the organization" in page
    assert f"{organization.management.id[:4]}-{organization.management.id[4:8]}" in page


def test_a_large_unit_is_shown_a_page_at_a_time(organization: Organization, browser: Browser):
    for number in range(22):
        organization.unit(f"Unit {number:02}")

    page = browser.get(HOME).text
    more = re.search(r'href="([^"]+units=[^"]+)"', page)

    assert more is not None
    assert 20 == page.count("Unit ")
    assert 2 == browser.get(more[1].replace("&amp;", "&")).text.count("Unit ")
