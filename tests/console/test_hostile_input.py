"""Hostile input: markup in whatever takes it, forms from elsewhere, and people without the permissions."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from shared import every_page
from shared.furnished import Samples
from tests.console.forms import ADMINISTRATOR, MARKUP, TRUST, reader, send
from tests.fixtures.crown import Account
from tests.signin.browser import Browser

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
    "/console/roles/auditor?tab=sessions",
    "/console/roles/auditor/inline?policy=own",
    "/console/roles/auditor/inline-editor?policy=own",
    "/console/roles/auditor/trust",
    "/console/roles/auditor/edit",
    "/console/roles/auditor/delete",
    "/console/groups/staff/edit",
    "/console/identity-providers",
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
    iam.update_role(RoleName="auditor", Description=MARKUP)
    iam.put_role_policy(RoleName="auditor", PolicyName="own", PolicyDocument=json.dumps(marked))
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(marked))
    iam.create_policy(PolicyName="reading", PolicyDocument=json.dumps(marked), Description=MARKUP)


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


@pytest.mark.usefixtures("furnished")
def test_stored_injection_no_page_shows_markup_that_was_stored_as_markup(account: Account, browser: Browser):
    samples = Samples(account.id, "bob", "staff", "auditor", "reading", "own", "00000000-0000-0000-0000-000000000000")

    addresses = every_page.inside(samples)
    pages = {address: browser.get(address).text for address in addresses if not every_page.is_file(address)}
    files = [browser.get(address) for address in addresses if every_page.is_file(address)]

    shown = [address for address, text in pages.items() if "&lt;script&gt;alert(1)" in text]
    assert {address for address, text in pages.items() if "<script>alert" in text or "<img src=x" in text} == set()
    for address in ("/console/roles/auditor?tab=trust", "/console/users/bob/inline?policy=own", "/console/roles/auditor/edit"):
        assert address in shown
    for file in files:
        assert "nosniff" == file.header("x-content-type-options")
        assert "text/html" not in (file.header("content-type") or "") or "<script>alert" not in file.text


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
    "/console/users?done={}&undo={}",
    "/console/users/{}?tab=access&job={}",
    "/console/users/{}/inline-editor?policy={}",
    "/console/roles/{}/trust",
    "/console/roles/{}/edit",
    "/console/roles/{}/delete",
    "/console/groups/{}/edit",
    "/console/policies/one?arn=arn:aws:iam::aws:policy/AdministratorAccess&version=v1&against={}",
    "/console/simulator?principal={}&actions={}&resources={}",
    "/console/identity-providers/create?kind={}",
    "/console/identity-providers/one?arn={}",
]


@pytest.mark.parametrize("path", REFLECTED)
def test_markup_in_an_address_is_never_reflected_as_markup(account: Account, browser: Browser, path: str):
    hostile = quote("<script>alert(1)</script>\"'><img src=y onerror=alert(1)>", safe="")

    for who in (browser, reader(account)):
        page = who.get(path.replace("{}", hostile))
        assert page.status < 500
        assert "<script>alert" not in page.text
        assert "<img src=y" not in page.text


ROLE_FIELDS = (
    *("trust", "account", "external_id", "service", "web_provider", "audience", "subject", "saml_provider", "document"),
    *("name", "path", "description", "duration", "boundary", "other", "tags", "reviewed", "policy"),
)


def test_markup_in_a_form_is_shown_again_as_text(browser: Browser):
    fields = {"name": MARKUP, "path": MARKUP, "description": MARKUP, "arn": "", "read": "", "document": f"</textarea>{MARKUP}"}

    pages = [
        send(browser, "/console/policies/create", "/console/policies/create", **fields),
        send(browser, "/console/create-user", "/console/create-user/review", name=MARKUP, path=MARKUP),
        send(browser, "/console/create-group", "/console/create-group", name=MARKUP, path=MARKUP),
        send(browser, "/console/create-role", "/console/create-role", **dict.fromkeys(ROLE_FIELDS, f"</textarea>{MARKUP}")),
    ]

    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "</textarea>&lt;" not in page.text
