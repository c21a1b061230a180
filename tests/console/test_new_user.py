"""A new user: reviewed before anything is done, made once, with a password that is shown once and MFA at the first sign-in."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Page, expect
from tests.console.members import ADMINISTRATOR, MARKUP, READER, Served
from tests.fixtures.asgi import Response
from tests.fixtures.browsing import Browser as Visitor
from tests.fixtures.crown import Account
from tests.fixtures.process import Process
from tests.signin import people
from tests.signin.browser import Browser, hidden, signed_in

Visit = Callable[..., Page]
CREATE = "/console/create-user"
PASSWORD = "correct Horse battery 9"
SECRET = re.compile(r'<dd class="secret">([^<]+)</dd>')


@pytest.fixture
def browser(account: Account) -> Browser:
    return signed_in(account, user="admin")


@pytest.fixture
def iam(account: Account) -> Any:
    return account.client("iam")


def send(browser: Browser, path: str, /, **fields: str) -> Response:
    """Send a form with the token of the browser's own session."""
    token = hidden(browser.get(CREATE))["csrf"]
    return browser.post(path, {"csrf": token, **fields}, origin=browser.crown.settings.url, sec_fetch_site="same-origin")


def review(browser: Browser, /, **fields: str) -> Response:
    """Fill in the first page and go on to the second."""
    return send(browser, f"{CREATE}/review", **{"name": "bob", "path": "/", **fields})


def make(browser: Browser, reviewed: Response, /, **fields: str) -> Response:
    """Create what was reviewed."""
    return browser.submit(reviewed, f"{CREATE}/make", **fields)


def made_of(account: Account, *names: str) -> list[dict[str, Any]]:
    """Return the trail's records of calls by these names."""
    return [each for each in account.records() if each["eventName"] in names]


def test_nothing_is_done_before_it_was_reviewed(account: Account, browser: Browser):
    page = review(browser, access="generated", reset="on", policy=ADMINISTRATOR).text

    assert "iam:CreateUser" in page
    assert "IAMUserChangePassword" in page
    assert "--password PASSWORD" in unescape(page)
    assert [] == made_of(account, "CreateUser", "CreateLoginProfile")[:-1]


def test_the_review_says_what_policies_and_the_boundary_grant(browser: Browser):
    aws = "arn:aws:iam::aws:policy/"

    page = review(browser, name="carol", policy=f"{aws}IAMReadOnlyAccess", boundary=f"{aws}PowerUserAccess").text

    assert "Boundary: PowerUserAccess" in page
    assert "IAMReadOnlyAccess</h2>" in page
    assert "Allowed" in page


def test_a_user_is_made_as_it_was_reviewed(account: Account, iam: Any, browser: Browser):
    iam.create_group(GroupName="staff")
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"

    reviewed = review(browser, path="/people/", policy=ADMINISTRATOR, group="staff", boundary=boundary, tags="team=ops\nempty=")
    page = make(browser, reviewed).text

    bob = iam.get_user(UserName="bob")["User"]
    assert ("/people/", boundary) == (bob["Path"], bob["PermissionsBoundary"]["PermissionsBoundaryArn"])
    assert {("team", "ops"), ("empty", "")} == {(each["Key"], each["Value"]) for each in bob["Tags"]}
    assert [ADMINISTRATOR] == [each["PolicyArn"] for each in iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]]
    assert ["staff"] == [each["GroupName"] for each in iam.list_groups_for_user(UserName="bob")["Groups"]]
    assert all(each["eventID"] in page for each in made_of(account, "AddUserToGroup", "AttachUserPolicy")[:2])


def test_a_generated_password_is_shown_once_and_is_nowhere_else(account: Account, browser: Browser):
    page = make(browser, review(browser, access="generated", mfa="on")).text

    found = SECRET.search(page)
    assert found is not None
    password = unescape(found[1])
    file = re.search(r'href="data:text/csv;base64,([^"]+)"', page)
    letter = re.search(r'href="(mailto:[^"]+)"', page)
    assert file is not None
    assert letter is not None
    rows = list(csv.reader(io.StringIO(base64.b64decode(unescape(file[1])).decode())))
    assert ["User name", "Password", "Console sign-in URL"] == rows[0]
    assert ["bob", password] == rows[1][:2]
    assert password not in unquote(unescape(letter[1]))
    assert password not in json.dumps(account.records())
    assert password not in browser.get("/console/users/bob?tab=security").text
    visitor = Visitor(account.crown)
    people.sign_in_user(visitor, account.id, "bob", password=password)
    assert "MFA" in visitor.page.text


def test_who_may_do_nothing_else_sets_up_mfa_at_the_first_sign_in_and_then_comes_in(account: Account, browser: Browser):
    make(browser, review(browser, access="chosen", mfa="on"), password=PASSWORD)
    visitor = Visitor(account.crown)
    people.sign_in_user(visitor, account.id, "bob", password=PASSWORD)
    asked = visitor.page.title

    people.enrol_app(visitor)

    assert "Register an MFA device" == asked
    assert "Recovery codes" == visitor.page.title
    login = next(each for each in account.records() if each["eventName"] == "ConsoleLogin")
    assert ("Yes", "Success") == (login["additionalEventData"]["MFAUsed"], login["responseElements"]["ConsoleLogin"])


def test_mfa_is_demanded_of_that_user_and_of_no_other(account: Account, iam: Any, browser: Browser):
    make(browser, review(browser, access="chosen", mfa="on"), password=PASSWORD)
    make(browser, review(browser, name="carol", access="chosen"), password=PASSWORD)
    bob, carol = Visitor(account.crown), Visitor(account.crown)

    titles = [people.sign_in_user(who, account.id, name, PASSWORD).title for who, name in ((bob, "bob"), (carol, "carol"))]

    assert "Register an MFA device" == titles[0]
    assert titles[1] not in ("Register an MFA device", "Sign in")
    demanded = made_of(account, "UpdateUserSignInSettings")
    assert [{"userName": "bob", "needsMfa": True}] == [each["requestParameters"] for each in demanded]


def test_the_demand_is_shown_with_the_user_and_can_be_taken_back(account: Account, browser: Browser):
    make(browser, review(browser, access="chosen", mfa="on"), password=PASSWORD)
    shown = browser.get("/console/users/bob?tab=security").text

    send(browser, "/console/users/bob/mfa-demand")

    visitor = Visitor(account.crown)
    assert "This user must sign in with MFA" in shown
    assert "Demand MFA at sign-in" in browser.get("/console/users/bob?tab=security").text
    assert "Register an MFA device" != people.sign_in_user(visitor, account.id, "bob", PASSWORD).title


def test_mfa_is_not_demanded_of_a_user_without_a_password(iam: Any, browser: Browser):
    iam.create_user(UserName="robot")

    page = send(browser, "/console/users/robot/mfa-demand", needed="1")

    assert "Login Profile for User robot cannot be found." in page.text


def test_who_may_not_change_a_user_s_password_can_not_say_whether_it_needs_mfa(account: Account, browser: Browser):
    make(browser, review(browser, access="chosen", mfa="on"), password=PASSWORD)
    statement = {"Effect": "Allow", "Action": ["iam:CreateLoginProfile", "iam:CreateUser", "iam:TagUser"], "Resource": "*"}
    account.user("helper", policy={"Version": "2012-10-17", "Statement": statement})

    helper = signed_in(account, user="helper")

    page = make(helper, review(helper, name="eve", access="chosen", mfa="on"), password=PASSWORD)

    assert "This needs the permission account-security:UpdateUserSignInSettings" in page.text
    assert ["eve", "bob"] == [each["requestParameters"]["userName"] for each in made_of(account, "UpdateUserSignInSettings")]
    assert ["bob"] == [
        each["requestParameters"]["userName"]
        for each in made_of(account, "UpdateUserSignInSettings")
        if each["responseElements"] == {"needsMfa": True}
    ]


def test_one_form_makes_one_user_however_often_it_is_sent(account: Account, iam: Any, browser: Browser):
    reviewed = review(browser, access="generated")
    make(browser, reviewed)
    iam.delete_login_profile(UserName="bob")
    iam.delete_user(UserName="bob")

    again = make(browser, reviewed)

    assert (400, True) == (again.status, "This form was used already" in again.text)
    assert ["admin"] == [each["UserName"] for each in iam.list_users()["Users"]]


def test_what_is_made_is_what_was_reviewed_although_the_user_that_is_copied_changes_meanwhile(iam: Any, browser: Browser):
    iam.create_user(UserName="model")
    reviewed = review(browser, copy="model")
    iam.attach_user_policy(UserName="model", PolicyArn=ADMINISTRATOR)

    page = make(browser, reviewed)

    assert (400, True) == (page.status, "has changed since you looked at it" in unescape(page.text))
    assert ["admin", "model"] == [each["UserName"] for each in iam.list_users()["Users"]]


def test_a_user_is_copied_with_its_policies_groups_and_boundary(iam: Any, browser: Browser):
    inline = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    iam.create_user(UserName="model", PermissionsBoundary=ADMINISTRATOR)
    iam.put_user_policy(UserName="model", PolicyName="own", PolicyDocument=inline)
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="model")

    make(browser, review(browser, copy="model"))

    assert ["own"] == iam.list_user_policies(UserName="bob")["PolicyNames"]
    assert ["staff"] == [each["GroupName"] for each in iam.list_groups_for_user(UserName="bob")["Groups"]]
    assert ADMINISTRATOR == iam.get_user(UserName="bob")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]


def test_force_mfa_is_made_once_and_denies_all_but_setting_mfa_up(account: Account, iam: Any, browser: Browser):
    make(browser, review(browser, force="on", policy=ADMINISTRATOR))
    make(browser, review(browser, name="carol", force="on"))

    policies = [each["PolicyName"] for each in iam.list_policies(Scope="Local")["Policies"]]
    attached = [each["PolicyName"] for each in iam.list_attached_user_policies(UserName="carol")["AttachedPolicies"]]
    asked = {"UserName": "bob"}
    simulated = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{account.id}:user/bob",
        ActionNames=["iam:EnableMFADevice", "iam:ListUsers", "s3:GetObject"],
        ResourceArns=[f"arn:aws:iam::{account.id}:user/bob"],
        ContextEntries=[
            {"ContextKeyName": "aws:username", "ContextKeyValues": [asked["UserName"]], "ContextKeyType": "string"},
            {"ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"},
        ],
    )["EvaluationResults"]
    assert (["ForceMFA"], ["ForceMFA"]) == (policies, attached)
    assert {"iam:EnableMFADevice": "allowed", "iam:ListUsers": "explicitDeny", "s3:GetObject": "explicitDeny"} == {
        each["EvalActionName"]: each["EvalDecision"] for each in simulated
    }


@pytest.mark.parametrize("chosen", [{"force": "on"}, {"mfa": "on", "access": "chosen"}], ids=["ForceMFA", "SetUpOwnMFA"])
def test_a_stolen_access_key_enrols_no_device_under_the_policies_that_are_offered(
    account: Account, iam: Any, browser: Browser, chosen: dict[str, str]
):
    make(browser, review(browser, **chosen), password=PASSWORD)
    stolen = account.crown.session(iam.create_access_key(UserName="bob")["AccessKey"], "iam")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="thief")["VirtualMFADevice"]["SerialNumber"]

    with pytest.raises(ClientError, match=r"AccessDenied.*explicit deny"):
        stolen.create_virtual_mfa_device(VirtualMFADeviceName="bob")
    with pytest.raises(ClientError, match=r"AccessDenied.*explicit deny"):
        stolen.enable_mfa_device(UserName="bob", SerialNumber=serial, AuthenticationCode1="000000", AuthenticationCode2="000001")


def test_a_chosen_password_is_typed_last_and_never_sent_back(account: Account, iam: Any, browser: Browser):
    reviewed = review(browser, access="chosen", reset="on")

    page = make(browser, reviewed, password=PASSWORD).text

    assert PASSWORD not in page
    assert PASSWORD not in json.dumps(account.records())
    assert iam.get_login_profile(UserName="bob")["LoginProfile"]["PasswordResetRequired"]


def test_a_creation_that_ends_half_way_says_what_was_done(iam: Any, browser: Browser):
    page = make(browser, review(browser, access="chosen", policy=ADMINISTRATOR), password="short").text

    assert "What was to come after the changes below was not done" in page
    assert "PasswordPolicyViolation" in page
    assert [] == iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]


def test_a_refused_creation_keeps_what_was_entered(browser: Browser):
    page = make(browser, review(browser, name="admin", path="/x/", access="chosen"), password=PASSWORD)

    assert 403 == page.status
    assert "EntityAlreadyExists" in page.text
    assert 'value="/x/"' in page.text
    assert PASSWORD not in page.text


def test_a_reader_is_told_which_permission_is_missing_and_makes_nobody(account: Account, iam: Any):
    account.user("reader", policy=READER)
    browser = signed_in(account, user="reader")

    page = make(browser, review(browser))

    assert 403 == page.status
    assert "This needs the permission iam:CreateUser" in page.text
    assert ["admin", "reader"] == [each["UserName"] for each in iam.list_users()["Users"]]


def test_stored_injection_markup_in_every_field_is_shown_as_text(browser: Browser):
    fields = {
        "name": MARKUP,
        "path": MARKUP,
        "copy": MARKUP,
        "boundary": MARKUP,
        "other": MARKUP,
        "tags": f"</textarea>{MARKUP}=x",
    }

    pages = [review(browser, **fields).text, send(browser, CREATE, **fields).text, review(browser, name="bob", tags=MARKUP).text]

    assert [False] * 3 == ["<img src=x" in page for page in pages]


@pytest.mark.parametrize("tags", ["no mark", "=value"])
def test_a_line_that_is_no_tag_is_said_to_be_none_and_is_kept(browser: Browser, tags: str):
    page = review(browser, tags=f"team=ops\n{tags}")

    assert (400, True, True) == (page.status, "as KEY=VALUE" in page.text, tags in unescape(page.text))


def test_a_user_is_made_by_clicks_and_must_set_up_mfa_at_the_first_sign_in(
    visit: Visit, served: Process, faults: Callable[[Page], list[str]]
):
    page, account = visit(java_script_enabled=False), Served(served)
    account.enter(page)
    page.goto(CREATE)

    page.get_by_label("User name").fill("dana")
    page.get_by_label("Generate a password").check()
    page.get_by_label("AdministratorAccess").check()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Create user").click()

    expect(page.get_by_role("heading", name="dana was created")).to_be_visible()
    password = page.locator(".secret").inner_text()
    other = visit()
    other.goto(f"/signin/{account.id}")
    other.get_by_label("IAM username").fill("dana")
    other.get_by_label("Password").fill(password)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
    assert other.get_by_text("Not now").count() == 0
    assert faults(other) == []
