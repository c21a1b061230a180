"""Users, groups, roles, policies and the trail as pages: what they show, what they change, and what they keep to themselves."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, hidden, signed_in

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Sid": "Anyone"}],
}


@pytest.fixture
def browser(account: Account) -> Browser:
    return signed_in(account, user="admin")


@pytest.fixture
def iam(account: Account) -> Any:
    return account.client("iam")


def reader(account: Account, *actions: str) -> Browser:
    """Answer the browser of a user who may do only this."""
    statement = {"Effect": "Allow", "Action": [*actions, "sts:GetCallerIdentity"], "Resource": "*"}
    account.user("reader", policy={"Version": "2012-10-17", "Statement": [statement]})
    return signed_in(account, user="reader")


def send(browser: Browser, page: str, path: str, /, **fields: str) -> Response:
    """Open a page and send one of its forms."""
    opened = browser.get(page)
    assert 200 == opened.status, opened.text
    token = hidden(opened)["csrf"]
    headers = {"origin": browser.crown.settings.url, "sec_fetch_site": "same-origin"}
    return browser.post(path, {"csrf": token, **fields}, **headers)


def follow(browser: Browser, answer: Response) -> str:
    assert 303 == answer.status, answer.text
    page = browser.get(answer.header("location") or "")
    assert 200 == page.status, page.text
    return page.text


# What is shown and changed.


def test_users_are_listed_a_page_at_a_time_by_path(iam: Any, browser: Browser):
    for number in range(52):
        iam.create_user(UserName=f"person-{number:02}", Path="/people/")

    first = browser.get("/console/users?path=/people/").text
    following = re.search(r'href="([^"]*marker=[^"]*)" rel="next"', first)
    assert following is not None
    second = browser.get(following[1].replace("&amp;", "&")).text

    assert "person-49" in first
    assert "person-50" not in first
    assert "/users/admin" not in first
    assert "person-51" in second
    assert "person-49" not in second
    assert "aws iam list-users --path-prefix /people/ --max-items 50" in first


def test_an_exact_name_goes_to_its_user(browser: Browser):
    answer = browser.get("/console/users?name=admin")

    assert (303, "/console/users/admin") == (answer.status, answer.header("location"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("Billing", "arn:aws:iam::aws:policy/job-function/Billing"),
        (ADMINISTRATOR, ADMINISTRATOR),
    ],
)
def test_a_policy_is_found_by_its_name_or_its_arn(browser: Browser, typed: str, found: str):
    answer = browser.get(f"/console/policies?name={quote(typed)}")

    assert (303, f"/console/policies/one?arn={quote(found, safe='')}") == (answer.status, answer.header("location"))


def test_a_policy_that_nobody_knows_is_said_to_be_unknown(browser: Browser):
    page = browser.get("/console/policies?name=nothing")

    assert 200 == page.status
    assert "No policy of this name was found" in page.text


def test_a_missing_permission_to_validate_is_named_as_policies_name_it_and_bars_nobody_from_saving(account: Account, iam: Any):
    browser = reader(account, "iam:*")
    fields = {"name": "mine", "path": "/", "description": "", "arn": "", "document": json.dumps(ALLOW)}

    page = send(browser, "/console/policies/create", "/console/policies/create", **(fields | {"read": ""}))
    read = hidden(page)["read"]
    saved = send(browser, "/console/policies/create", "/console/policies/create", **(fields | {"read": read}))

    assert "This needs the permission access-analyzer:ValidatePolicy" in page.text
    assert "iam:CreatePolicy" in follow(browser, saved)
    assert 1 == len(iam.list_policies(Scope="Local")["Policies"])


def test_a_user_named_root_is_not_taken_for_root(account: Account, browser: Browser):
    account.user("root", arn=ADMINISTRATOR).client("iam").list_groups()

    page = browser.get("/console/trail/root").text

    assert "ListGroups" not in page


def test_a_user_that_does_not_exist_is_said_to_be_missing(browser: Browser):
    page = browser.get("/console/users/nobody")

    assert 404 == page.status
    assert "There is no user nobody" in page.text


def test_an_administrator_is_created_with_a_password_and_a_group(account: Account, iam: Any, browser: Browser):
    iam.create_group(GroupName="staff")

    answer = send(
        browser,
        "/console/create-user",
        "/console/create-user",
        name="bob",
        path="/people/",
        password="correct Horse battery 9",
        reset="on",
        policy=ADMINISTRATOR,
        other="",
        group="staff",
    )
    page = follow(browser, answer)

    assert "/people/" == iam.get_user(UserName="bob")["User"]["Path"]
    assert iam.get_login_profile(UserName="bob")["LoginProfile"]["PasswordResetRequired"]
    assert [ADMINISTRATOR] == [each["PolicyArn"] for each in iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]]
    assert ["bob"] == [each["UserName"] for each in iam.get_group(GroupName="staff")["Users"]]
    created = next(record for record in account.records() if record["eventName"] == "CreateUser" and "bob" in json.dumps(record))
    assert created["eventID"] in page


def test_a_creation_that_ends_half_way_says_what_was_done(iam: Any, browser: Browser):
    page = send(
        browser,
        "/console/create-user",
        "/console/create-user",
        name="bob",
        path="/",
        password="short",
        policy=ADMINISTRATOR,
        other="",
    )

    assert "Only a part was done" in page.text
    assert "iam:CreateUser" in page.text
    assert "PasswordPolicyViolation" in page.text
    assert [] == iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]


def test_a_refused_creation_keeps_what_was_typed_but_no_password(browser: Browser):
    page = send(
        browser,
        "/console/create-user",
        "/console/create-user",
        name="admin",
        path="/x/",
        password="correct Horse battery 9",
        other="",
    )

    assert 403 == page.status
    assert "Nothing was changed" in page.text
    assert 'value="/x/"' in page.text
    assert "correct Horse" not in page.text


def test_a_user_is_deleted_with_all_that_it_holds_once_its_name_is_typed(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    iam.create_login_profile(UserName="bob", Password="correct Horse battery 9")
    iam.create_access_key(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(ALLOW))

    mistyped = send(browser, "/console/users/bob/delete", "/console/users/bob/delete", typed="bobby")
    assert 400 == mistyped.status
    assert iam.get_user(UserName="bob")
    page = follow(browser, send(browser, "/console/users/bob/delete", "/console/users/bob/delete", typed="bob"))

    assert "iam:DeleteUser" in page
    assert "iam:DeleteAccessKey" in page
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="bob")


def test_the_secret_of_a_new_key_is_shown_once_and_never_stored(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")

    answer = send(browser, "/console/users/bob?tab=security", "/console/users/bob/new-key")
    later = browser.get("/console/users/bob?tab=security")

    key = iam.list_access_keys(UserName="bob")["AccessKeyMetadata"][0]["AccessKeyId"]
    secret = re.findall(r'<dd class="secret">([^<]+)</dd>', answer.text)[1]
    assert (200, "no-store") == (answer.status, answer.header("cache-control"))
    assert key in answer.text
    assert len(secret) == 40
    assert key in later.text
    assert secret not in later.text


def test_a_key_is_deactivated_and_then_deleted(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    here = "/console/users/bob?tab=security"

    page = follow(browser, send(browser, here, "/console/users/bob/key", key=key, to="Inactive"))
    assert "Inactive" in page
    assert "Activate" in page
    page = follow(browser, send(browser, here, "/console/users/bob/key", key=key, to="Deleted"))

    assert [] == iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]


def test_a_password_is_set_and_taken_away(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    here = "/console/users/bob?tab=security"

    page = follow(browser, send(browser, here, "/console/users/bob/password", password="correct Horse battery 9", reset="on"))
    assert iam.get_login_profile(UserName="bob")["LoginProfile"]["PasswordResetRequired"]
    assert "correct Horse" not in page
    follow(browser, send(browser, here, "/console/users/bob/password", remove="1"))

    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_login_profile(UserName="bob")


def test_a_group_is_created_filled_and_given_a_policy(iam: Any, browser: Browser):
    follow(browser, send(browser, "/console/create-group", "/console/create-group", name="staff", path="/"))
    page = follow(browser, send(browser, "/console/groups/staff?tab=members", "/console/groups/staff/member", user="admin"))
    attaching = "/console/attach?to=group&name=staff"
    held = follow(browser, send(browser, attaching, "/console/attach", to="group", name="staff", arn=ADMINISTRATOR, other=""))

    assert "/console/users/admin" in page
    assert "AdministratorAccess" in held
    detached = send(browser, "/console/groups/staff", "/console/groups/staff/detach", arn=ADMINISTRATOR)
    assert "No policies are attached" in follow(browser, detached)


def test_a_group_with_members_is_not_deleted_and_the_page_says_why(iam: Any, browser: Browser):
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="admin")

    page = send(browser, "/console/groups/staff", "/console/groups/staff/delete")

    assert 403 == page.status
    assert "DeleteConflict" in page.text


def test_a_role_shows_its_trust_policy_and_its_policies(iam: Any, browser: Browser):
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST), Description="Looks")
    iam.put_role_policy(RoleName="auditor", PolicyName="own", PolicyDocument=json.dumps(ALLOW))

    assert "auditor" in browser.get("/console/roles").text
    assert "Anyone" in browser.get("/console/roles/auditor?tab=trust").text
    assert "own" in browser.get("/console/roles/auditor").text
    assert "s3:GetObject" in browser.get("/console/roles/auditor/inline?policy=own").text
    assert "CreateRole" in browser.get("/console/roles/auditor?tab=trail").text


def test_tags_are_added_and_removed(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")

    page = follow(browser, send(browser, "/console/users/bob?tab=tags", "/console/users/bob/tag", key="team", value="red"))
    assert "red" in page
    page = follow(browser, send(browser, "/console/users/bob?tab=tags", "/console/users/bob/untag", key="team"))

    assert [] == iam.list_user_tags(UserName="bob")["Tags"]


# Policies.


def test_findings_are_told_at_line_and_column_before_anything_is_saved(iam: Any, browser: Browser):
    document = '{\n  "Version": "2012-10-17",\n  "Statement": [{"Effect": "Allow", "Action": "s4:GetObject", "Resource": "*"}]\n}'
    fields = {"name": "mine", "path": "/", "description": "", "arn": "", "read": "", "document": document}

    page = send(browser, "/console/policies/create", "/console/policies/create", **fields)

    assert 200 == page.status
    assert "at line 3, column 47" in page.text
    assert [] == iam.list_policies(Scope="Local")["Policies"]


def test_a_policy_is_created_changed_and_rolled_back(account: Account, iam: Any, browser: Browser):
    fields = {"name": "mine", "path": "/", "description": "", "arn": "", "read": "", "document": json.dumps(ALLOW)}
    page = follow(browser, send(browser, "/console/policies/create", "/console/policies/create", **fields))
    arn = f"arn:aws:iam::{account.id}:policy/mine"
    assert "s3:GetObject" in page
    wider = json.dumps(ALLOW).replace("s3:GetObject", "s3:PutObject")
    editor = f"/console/policies/new-version?arn={quote(arn)}"

    changed = follow(
        browser, send(browser, editor, "/console/policies/new-version", **(fields | {"arn": arn, "document": wider}))
    )
    older = browser.get(f"/console/policies/one?arn={quote(arn)}&version=v1").text
    follow(browser, send(browser, f"/console/policies/one?arn={quote(arn)}", "/console/policies/default", arn=arn, version="v1"))

    assert "v2" in changed
    assert "-      &#34;Action&#34;: &#34;s3:PutObject&#34;" in older
    assert "v1" == iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]


def test_who_holds_a_policy_is_shown_and_can_be_ended(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)
    here = f"/console/policies/one?arn={quote(ADMINISTRATOR)}&tab=holders"

    assert "/console/users/bob" in browser.get(here).text
    follow(browser, send(browser, here, "/console/policies/detach", arn=ADMINISTRATOR, kind="User", name="bob"))

    assert "/console/users/bob" not in browser.get(here).text


# The trail.


def test_an_event_is_found_by_its_name_and_shown_in_words(account: Account, iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    account.root("iam").list_users()

    listed = browser.get("/console/trail?by=EventName&value=CreateUser").text
    found = re.search(r'/console/trail/event\?id=([0-9a-f-]{36})">CreateUser', listed)
    assert found is not None
    page = browser.get(f"/console/trail/event?id={found[1]}").text

    assert "The user admin called CreateUser of iam.amazonaws.com" in page
    assert "ListUsers" in browser.get("/console/trail/root").text
    assert 404 == browser.get("/console/trail/event?id=00000000-0000-0000-0000-000000000000").status


def test_days_that_are_no_days_and_tokens_that_are_none_break_nothing(browser: Browser):
    assert 200 == browser.get("/console/trail?first=yesterday&last=9999-99-99").status
    assert 200 == browser.get("/console/trail?first=2026-12-31&last=2026-01-01").status
    page = browser.get("/console/trail?marker=nonsense")

    assert 200 == page.status
    assert "InvalidNextToken" in page.text


# Threats.

PAGES = [
    "/console/users",
    "/console/users/bob",
    "/console/users/bob?tab=groups",
    "/console/users/bob?tab=tags",
    "/console/users/bob?tab=security",
    "/console/users/bob?tab=trail",
    "/console/users/bob/delete",
    "/console/create-user",
    "/console/groups",
    "/console/groups/staff",
    "/console/groups/staff?tab=members",
    "/console/create-group",
    "/console/roles",
    "/console/roles/auditor",
    "/console/roles/auditor?tab=trust",
    "/console/roles/auditor?tab=tags",
    "/console/roles/auditor?tab=trail",
    "/console/roles/auditor/inline?policy=own",
    "/console/attach?to=user&name=bob",
    "/console/policies",
    f"/console/policies/one?arn={quote(ADMINISTRATOR)}",
    f"/console/policies/one?arn={quote(ADMINISTRATOR)}&tab=versions",
    f"/console/policies/one?arn={quote(ADMINISTRATOR)}&tab=holders",
    "/console/policies/create",
    "/console/trail",
    "/console/trail/root",
    "/console/trail/event?id=00000000-0000-0000-0000-000000000000",
]


@pytest.fixture
def furnished(iam: Any) -> None:
    """Things with markup in whatever takes it."""
    marked = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{MARKUP}"}],
    }
    trust = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Condition": {"StringEquals": {"sts:ExternalId": MARKUP}}}]}
    iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "a"}])
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    iam.create_access_key(UserName="bob")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="auditor", PolicyName="own", PolicyDocument=json.dumps(marked))


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("path", PAGES)
def test_a_user_without_permissions_sees_calm_pages_that_name_what_is_missing(account: Account, path: str):
    page = reader(account).get(path)

    assert page.status in (200, 404)
    if "create" not in path or "user" in path:
        assert re.search(r"This needs the permission (iam|cloudtrail):[A-Za-z]+", page.text), page.text
        assert "request ID" in page.text


@pytest.mark.usefixtures("furnished")
def test_a_reader_sees_the_parts_that_are_allowed_beside_those_that_are_not(account: Account):
    browser = reader(account, "iam:ListAccessKeys")

    page = browser.get("/console/users/bob?tab=security").text

    assert "AKIA" in page
    for missing in ("iam:GetUser", "iam:GetLoginProfile", "iam:ListMFADevices", "iam:GetAccessKeyLastUsed"):
        assert f"This needs the permission {missing}" in page


@pytest.mark.usefixtures("furnished")
def test_a_reader_changes_nothing(account: Account, iam: Any):
    browser = reader(account, "iam:Get*", "iam:List*")
    here = "/console/users/bob?tab=security"

    answers = [
        send(browser, here, "/console/users/bob/new-key"),
        send(browser, here, "/console/users/bob/password", password="correct Horse battery 9"),
        send(browser, here, "/console/users/bob/tag", key="team", value="b"),
        send(browser, here, "/console/users/bob/delete", typed="bob"),
        send(browser, here, "/console/groups/staff/member", user="admin"),
        send(browser, here, "/console/create-user", name="eve", path="/", password="", other=""),
        send(browser, here, "/console/attach", to="user", name="bob", arn=ADMINISTRATOR, other=""),
    ]

    assert [403] * len(answers) == [answer.status for answer in answers]
    for answer in answers:
        assert "AccessDenied" in answer.text
    assert 1 == len(iam.list_access_keys(UserName="bob")["AccessKeyMetadata"])
    assert ["admin", "bob", "reader"] == [each["UserName"] for each in iam.list_users()["Users"]]


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("path", ["/console/roles/auditor?tab=trust", "/console/roles/auditor/inline?policy=own"])
def test_markup_in_a_policy_document_is_shown_as_text(browser: Browser, path: str):
    page = browser.get(path).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


REFLECTED = [
    "/console/policies?name={}",
    "/console/users?path={}",
    "/console/users/{}",
    "/console/users/{}?tab=security",
    "/console/users/{}/delete",
    "/console/groups?path={}",
    "/console/groups/{}",
    "/console/roles?path={}",
    "/console/roles/{}",
    "/console/roles/auditor/inline?policy={}",
    "/console/attach?to=user&name={}",
    "/console/attach?to={}&name=x",
    "/console/policies?path={}",
    "/console/policies/one?arn={}",
    "/console/policies/one?arn=arn:aws:iam::aws:policy/AdministratorAccess&version={}",
    "/console/policies/new-version?arn={}",
    "/console/trail?by=EventName&value={}",
    "/console/trail?by={}&value=x",
    "/console/trail/event?id={}",
    "/console/users?done={}",
]


@pytest.mark.parametrize("path", REFLECTED)
def test_markup_in_an_address_is_never_reflected_as_markup(account: Account, browser: Browser, path: str):
    hostile = quote("<script>alert(1)</script>\"'><img src=y onerror=alert(1)>", safe="")

    for who in (browser, reader(account)):
        page = who.get(path.format(hostile))
        assert page.status < 500
        assert "<script>alert" not in page.text
        assert "<img src=y" not in page.text


def test_markup_in_a_form_is_shown_again_as_text(browser: Browser):
    fields = {"name": MARKUP, "path": MARKUP, "description": MARKUP, "arn": "", "read": "", "document": f"</textarea>{MARKUP}"}

    pages = [
        send(browser, "/console/policies/create", "/console/policies/create", **fields),
        send(browser, "/console/create-user", "/console/create-user", name=MARKUP, path=MARKUP, password="", other=""),
        send(browser, "/console/create-group", "/console/create-group", name=MARKUP, path=MARKUP),
    ]

    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "</textarea>&lt;" not in page.text


CHANGES = [
    "/console/create-user",
    "/console/users/bob/delete",
    "/console/users/bob/new-key",
    "/console/users/bob/password",
    "/console/users/bob/key",
    "/console/users/bob/device",
    "/console/users/bob/membership",
    "/console/users/bob/tag",
    "/console/users/bob/untag",
    "/console/users/bob/detach",
    "/console/users/bob/inline",
    "/console/attach",
    "/console/create-group",
    "/console/groups/staff/member",
    "/console/groups/staff/delete",
    "/console/policies/create",
    "/console/policies/new-version",
    "/console/policies/default",
    "/console/policies/delete",
    "/console/policies/delete-version",
    "/console/policies/detach",
]


@pytest.mark.parametrize("path", CHANGES)
def test_csrf_without_the_token_or_from_another_site_is_refused(account: Account, browser: Browser, path: str):
    ours = {"origin": browser.crown.settings.url, "sec_fetch_site": "same-origin"}
    token = hidden(browser.get("/console/users"))["csrf"]
    before = len([record for record in account.records() if not record["readOnly"]])

    unproved = browser.post(path, {"typed": "bob"}, **ours)
    foreign = browser.post(path, {"csrf": token, "typed": "bob"}, origin="https://evil.example", sec_fetch_site="cross-site")

    assert (403, 403) == (unproved.status, foreign.status)
    assert before == len([record for record in account.records() if not record["readOnly"]])


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_signing_in(account: Account, path: str):
    answer = Browser(account.crown).get(path)

    assert 303 == answer.status
    assert (answer.header("location") or "").startswith("/signin")
