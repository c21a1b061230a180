"""Single sign-on's pages: enabled, people, groups, permission sets and assignments, all by operations."""

from __future__ import annotations

import html
import re

import pytest
from tests.alerts.office import Mailbox, link_in
from tests.console.forms import follow, reader, send
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.organization import Organization
from tests.fixtures.single_sign_on import SingleSignOn, document
from tests.signin.browser import Browser, signed_in

HOME = "/console/single-sign-on"
PEOPLE, GROUPS, SETS, ASSIGNMENTS = (f"{HOME}/{each}" for each in ("people", "groups", "permission-sets", "assignments"))


@pytest.fixture
def shared(crowns: Crowns) -> Crown:
    return crowns.shared("sqlite")


@pytest.fixture
def sso(shared: Crown) -> SingleSignOn:
    """An instance of its own in the shared server."""
    return SingleSignOn(shared)


@pytest.fixture
def browser(sso: SingleSignOn) -> Browser:
    """The browser of the administrator of the management account."""
    return signed_in(sso.management, user="admin")


def test_single_sign_on_is_enabled_and_its_rules_are_changed_on_its_page(shared: Crown):
    account = Organization(shared).management
    browser = signed_in(account, user="admin")

    before = browser.get(HOME).text
    enabled = follow(browser, send(browser, HOME, f"{HOME}/enable"))
    wrong = send(browser, HOME, f"{HOME}/rules", mfa="ALWAYS", without="REGISTER", hours="0", age="0").text
    ruled = follow(browser, send(browser, HOME, f"{HOME}/rules", mfa="ALWAYS", without="REGISTER", hours="12", age="90"))

    assert "Enable single sign-on" in before
    assert f"{shared.settings.url}/start/d-" in enabled
    assert "Nothing was changed" in wrong
    assert "sso:PutMfaDeviceManagementForDirectory" in ruled or "sso-directory:PutSignInRules" in ruled
    assert 'value="12"' in ruled


def test_somebody_is_added_invited_found_and_kept_out(sso: SingleSignOn, browser: Browser, shared: Crown):
    mailbox = Mailbox(shared, "zoe-pages@people.example")
    fields = {"name": "zoe", "given": "Zoë", "family": "<b>Lee", "email": "zoe-pages@people.example", "invite": "1"}

    added = follow(browser, send(browser, f"{PEOPLE}/create", f"{PEOPLE}/create", **fields))
    again = send(browser, f"{PEOPLE}/create", f"{PEOPLE}/create", **{**fields, "name": "ZOE"}).text
    listed = browser.get(f"{PEOPLE}?q=lee").text
    user_id = sso.people.list_users(**sso.store)["Users"][0]["UserId"]
    here = f"{PEOPLE}/one?id={user_id}&tab=sign-in"
    disabled = follow(browser, send(browser, here, f"{PEOPLE}/act", id=user_id, act="disable"))
    password = send(browser, here, f"{PEOPLE}/password", id=user_id).text

    assert "Zoë &lt;b&gt;Lee" in added
    assert "/set-password?token=" in link_in(mailbox.wait("Choose a password"))
    assert "Duplicate UserName" in again
    assert ">zoe</a>" in listed
    assert "No password yet" in listed
    assert "<b>Lee" not in listed
    assert "disabled: can't sign in" in html.unescape(disabled)
    assert "Shown this once" in password
    assert 404 == browser.get(f"{PEOPLE}/one?id={'0' * 8}-0000-0000-0000-{'0' * 12}").status


def test_a_group_gets_people_and_what_it_may_take_shows_why(sso: SingleSignOn, browser: Browser):
    member = sso.organization.invited()
    ann = sso.user("ann")

    made = follow(browser, send(browser, GROUPS, f"{GROUPS}/create", name="ops", description="on call"))
    group_id = sso.people.list_groups(**sso.store)["Groups"][0]["GroupId"]
    here = f"{GROUPS}/one?id={group_id}"
    joined = follow(browser, send(browser, here, f"{GROUPS}/join", id=group_id, name="ann"))
    nobody = send(browser, here, f"{GROUPS}/join", id=group_id, name="nobody").text
    created = follow(browser, send(browser, SETS, f"{SETS}/create", name="Rulers", policy="AdministratorAccess", hours="2"))
    arn = sso.admin.list_permission_sets(**sso.instance)["PermissionSets"][0]
    assigned = follow(
        browser,
        send(browser, ASSIGNMENTS, f"{ASSIGNMENTS}/add", set=arn, account=member.id, kind="GROUP", who="ops"),
    )
    why = browser.get(f"{PEOPLE}/one?id={ann}").text
    ruling = browser.get(f"{ASSIGNMENTS}?administrators=1&who=ann").text
    removed = follow(
        browser, send(browser, ASSIGNMENTS, f"{ASSIGNMENTS}/remove", set=arn, account=member.id, kind="GROUP", id=group_id)
    )
    left = follow(browser, send(browser, here, f"{GROUPS}/leave", id=group_id, user=ann))

    assert "<h1>ops</h1>" in made
    assert ">ann</a>" in joined
    assert "USER not found" in nobody
    assert "<h1>Rulers</h1>" in created
    assert "AdministratorAccess" in created
    assert "Administrator</span>" in assigned
    assert "Group <a" in why
    assert "Administrator</span>" in ruling
    assert "Undo" in removed
    assert (
        [] == sso.admin.list_account_assignments(**sso.instance, PermissionSetArn=arn, AccountId=member.id)["AccountAssignments"]
    )
    assert "Nobody is in it" in left


def test_an_assignment_that_can_not_be_made_says_why(sso: SingleSignOn, browser: Browser):
    sso.group("ops")
    found = sso.permission_set("ReadOnlyAccess")

    page = send(
        browser, ASSIGNMENTS, f"{ASSIGNMENTS}/add", set=found["PermissionSetArn"], account="999999999999", kind="GROUP", who="ops"
    ).text

    assert "The account 999999999999 is not in the organization." in page
    assert 'value="999999999999"' in page


def test_a_permission_set_is_changed_and_its_roles_are_brought_up_to_date(sso: SingleSignOn, browser: Browser):
    found = sso.permission_set("ReadOnlyAccess")
    sso.assign(found, sso.organization.invited().id, group=sso.group("ops"))
    arn = found["PermissionSetArn"]
    here = f"{SETS}/one?arn={arn}"

    def change(act: str, value: str = "") -> str:
        return follow(browser, send(browser, here, f"{SETS}/change", arn=arn, act=act, value=value, document=value))

    change("attach", "SecurityAudit")
    change("boundary", "PowerUserAccess")
    change("session", "4")
    outdated = change("inline", document("s3:GetObject"))
    listed = browser.get(SETS).text
    current = change("provision")
    change("detach", "arn:aws:iam::aws:policy/SecurityAudit")
    change("inline")
    bare = change("boundary")
    wrong = send(browser, here, f"{SETS}/change", arn=arn, act="inline", document="nonsense").text

    assert "Roles are out of date in 1 account" in outdated
    assert "Out of date in 1" in listed
    assert "PowerUserAccess" in outdated
    assert "Roles are out of date" not in current
    assert "No boundary" in bare
    assert "nonsense" in wrong


def test_a_user_without_permissions_sees_which_they_lack(sso: SingleSignOn):
    page = reader(sso.management, "iam:ListUsers").get(HOME).text

    assert "sso:ListInstances" in page


def test_a_group_is_entitled_to_an_existing_role_seen_page_by_page_and_entitled_no_more(
    sso: SingleSignOn, browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    member, here = sso.organization.invited(), f"{HOME}/existing-roles"
    trust = document("sts:AssumeRole").replace('"Resource": "*"', f'"Principal": {{"AWS": "{member.id}"}}')
    roles = []
    for name in ("support", "repair"):
        made = member.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        roles.append(made["Role"]["Arn"])
    sso.group("ops")
    monkeypatch.setattr("crownkeep.console.kit.parts.ROWS", 1)

    off = browser.get(here).text
    follow(browser, send(browser, here, f"{here}/enable"))
    nobody = send(browser, here, f"{here}/add", role=roles[0], kind="GROUP", who="nobody").text
    for role in roles:
        made = follow(browser, send(browser, here, f"{here}/add", role=role, kind="GROUP", who="ops"))
    first = browser.get(here).text
    more = re.search(r'href="([^"]+marker=[^"]+)"', first)
    assert more is not None
    second = browser.get(html.unescape(more[1])).text
    form = dict(re.findall(r'name="(entitlement|role|kind|id)" value="([^"]*)"', first))
    gone = follow(browser, send(browser, here, f"{here}/remove", **form))

    assert "Account access is off" in off
    assert 'value="nobody"' in nobody
    assert "Undo" in made
    assert {True, False} == {"<td>support" in page for page in (first, second)}
    assert "Undo" in gone
    assert form["role"] not in browser.get(here).text


def test_somebody_who_may_entitle_nobody_entitles_nobody(sso: SingleSignOn):
    sso.management.client("account-access").create_application(identitySource={"identityCenter": {"instanceArn": sso.arn}})
    sso.group("ops")
    person = reader(sso.management, "sso:List*", "sso:Describe*", "identitystore:*", "account-access:List*")
    here, role = f"{HOME}/existing-roles", f"arn:aws:iam::{sso.management.id}:role/x"

    answer = send(person, here, f"{here}/add", role=role, kind="GROUP", who="ops")

    assert 403 == answer.status
    assert "account-access:CreateEntitlement" in answer.text
