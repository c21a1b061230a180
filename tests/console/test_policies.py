"""Managed policies as pages: found, written, changed, rolled back, and who holds them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.console.forms import ADMINISTRATOR, ALLOW, follow, reader, send
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, hidden


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
    assert "<del>-       &#34;Action&#34;: &#34;s3:PutObject&#34;,</del>" in older
    assert "v1" == iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]


def test_who_holds_a_policy_is_shown_and_can_be_ended(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)
    here = f"/console/policies/one?arn={quote(ADMINISTRATOR)}&tab=holders"

    assert "/console/users/bob" in browser.get(here).text
    follow(browser, send(browser, here, "/console/policies/detach", arn=ADMINISTRATOR, kind="User", name="bob"))

    assert "/console/users/bob" not in browser.get(here).text


def test_a_next_page_of_holders_is_offered_only_where_there_is_one(iam: Any, browser: Browser):
    here = f"/console/policies/one?arn={quote(ADMINISTRATOR)}&tab=holders"
    iam.create_user(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)

    few = browser.get(here).text
    for number in range(60):
        iam.create_group(GroupName=f"team-{number}")
        iam.attach_group_policy(GroupName=f"team-{number}", PolicyArn=ADMINISTRATOR)
    many = browser.get(here).text

    assert (False, True) == ("Next page" in few, "Next page" in many)


def test_policies_are_found_by_a_part_of_their_name(account: Account, iam: Any, browser: Browser):
    for number in range(3):
        iam.create_policy(PolicyName=f"Reading-{number}", Path="/team/", PolicyDocument=json.dumps(ALLOW))

    own = browser.get("/console/policies?scope=Local&name=reading").text
    all_of_them = browser.get("/console/policies?name=S3READONLY").text
    many = browser.get("/console/policies?name=readonly").text
    offered = browser.get("/console/attach?to=user&name=admin&scope=All&sought=reading-2").text

    assert all(f"Reading-{number}" in own for number in range(3))
    assert "AmazonS3ReadOnlyAccess" in all_of_them
    assert (True, False) == ("Next page" in many, "Next page" in own)
    assert f"arn:aws:iam::{account.id}:policy/team/Reading-2" in offered
    assert "Reading-1" not in offered


def test_a_reader_who_may_list_nothing_is_told_so_when_searching(account: Account):
    page = reader(account).get("/console/policies?name=reading")

    assert "This needs the permission iam:ListPolicies" in page.text
