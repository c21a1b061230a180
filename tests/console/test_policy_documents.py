"""Policy documents as pages take them: checked while they are typed and by a button, inline policies, boundaries, and markup."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from tests.console.forms import ADMINISTRATOR, ALLOW, MARKUP, TRUST, follow, reader, send
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, hidden

CHECK = "/console/check-document"
EDITOR = "/console/policies/create"
BROKEN = '{\n  "Version": "2012-10-17",\n  "Statement": [{"Effect": "Allow", "Action": "s4:GetObject", "Resource": "*"}]\n}'
RISKY = BROKEN.replace("s4:GetObject", "iam:PassRole")
KINDS = ["users/bob", "groups/staff", "roles/auditor"]


@pytest.fixture
def holders(iam: Any) -> None:
    """One identity of each kind."""
    iam.create_user(UserName="bob")
    iam.create_group(GroupName="staff")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST))


def test_a_document_is_checked_while_it_is_typed(browser: Browser):
    part = send(browser, EDITOR, CHECK, sort="identity", document=BROKEN)

    assert 200 == part.status
    assert "at line 3, column 47" in part.text
    assert "What it grants" in part.text
    assert "<html" not in part.text
    assert hidden(part)["read"]


def test_a_trust_policy_is_checked_as_one(browser: Browser):
    part = send(browser, EDITOR, CHECK, sort="trust", document=json.dumps(ALLOW))

    assert "MISSING_PRINCIPAL" in part.text
    assert "What it grants" not in part.text


def test_nothing_typed_is_nothing_wrong_and_an_unknown_sort_is_refused(browser: Browser):
    assert "Validation" not in send(browser, EDITOR, CHECK, sort="identity", document=" \n ").text
    assert 400 == send(browser, EDITOR, CHECK, sort="else", document="{}").status


def test_what_was_said_while_typing_counts_as_read_when_that_very_document_is_saved(iam: Any, browser: Browser):
    fields = {"name": "mine", "path": "/", "description": "", "arn": ""}
    read = hidden(send(browser, EDITOR, CHECK, sort="identity", document=RISKY))["read"]

    other = send(browser, EDITOR, EDITOR, **fields, read=read, document=RISKY.replace("iam:PassRole", "iam:*"))
    assert [] == iam.list_policies(Scope="Local")["Policies"]
    saved = send(browser, EDITOR, EDITOR, **fields, read=read, document=RISKY.replace("\n", "\r\n"))

    assert "Save all the same" in other.text
    assert 303 == saved.status
    assert 1 == len(iam.list_policies(Scope="Local")["Policies"])


def test_an_error_is_shown_and_never_saved_all_the_same(iam: Any, browser: Browser):
    fields = {"name": "mine", "path": "/", "description": "", "arn": ""}
    read = hidden(send(browser, EDITOR, CHECK, sort="identity", document=BROKEN))["read"]

    page = send(browser, EDITOR, EDITOR, **fields, read=read, document=BROKEN)

    assert 200 == page.status
    assert "Save all the same" not in page.text
    assert [] == iam.list_policies(Scope="Local")["Policies"]


def test_the_button_says_what_is_wrong_without_saving(iam: Any, browser: Browser):
    fields = {"name": "mine", "path": "/", "description": "", "arn": "", "read": ""}

    page = send(browser, EDITOR, EDITOR, **fields, document=json.dumps(ALLOW), check="1")

    assert "Nothing to find fault with" in page.text
    assert "Amazon S3" in page.text
    assert [] == iam.list_policies(Scope="Local")["Policies"]


def test_a_missing_permission_is_named_where_findings_would_be(account: Account):
    part = send(reader(account, "iam:*"), EDITOR, CHECK, sort="identity", document=BROKEN)

    assert 200 == part.status
    assert "This needs the permission access-analyzer:ValidatePolicy" in part.text


@pytest.mark.parametrize(
    "document", [f"</textarea>{MARKUP}", json.dumps({**ALLOW, "Id": MARKUP}), json.dumps({"Statement": MARKUP})]
)
def test_markup_in_a_document_is_answered_as_text(browser: Browser, document: str):
    part = send(browser, EDITOR, CHECK, sort="identity", document=document)

    assert "<script>" not in part.text
    assert "<img" not in part.text


def test_markup_in_every_place_of_a_summary_is_text(browser: Browser):
    statement = {
        "Sid": MARKUP,
        "Effect": "Allow",
        "Action": [f"s3:{MARKUP}", f"{MARKUP}:Get", MARKUP],
        "Resource": MARKUP,
        "Condition": {MARKUP: {MARKUP: MARKUP}},
    }

    part = send(
        browser, EDITOR, CHECK, sort="identity", document=json.dumps({"Statement": [statement, {**statement, "Effect": "Deny"}]})
    )

    assert "What it grants" in part.text
    assert "<script>" not in part.text
    assert "<img" not in part.text


@pytest.mark.usefixtures("holders")
@pytest.mark.parametrize("who", KINDS)
def test_an_inline_policy_is_written_changed_and_deleted(iam: Any, browser: Browser, who: str):
    editor, page = f"/console/{who}/inline-editor", f"/console/{who}/inline"
    wider = json.dumps(ALLOW).replace("GetObject", "PutObject")

    made = follow(browser, send(browser, editor, editor, is_new="1", policy="own", read="", document=json.dumps(ALLOW)))
    filled = browser.get(f"{editor}?policy=own").text
    follow(browser, send(browser, editor, editor, is_new="", policy="own", read="", document=wider))
    changed = browser.get(f"{page}?policy=own").text
    gone = follow(browser, send(browser, f"/console/{who}", page, policy="own"))

    assert "Policy</code>" in made
    assert "s3:GetObject" in html.unescape(filled)
    assert "s3:PutObject" in changed
    assert "No inline policies" in gone


@pytest.mark.usefixtures("holders")
def test_a_new_inline_policy_does_not_take_the_place_of_another_unseen(iam: Any, browser: Browser):
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(ALLOW))
    editor = "/console/users/bob/inline-editor"
    wider = json.dumps(ALLOW).replace("GetObject", "PutObject")

    answer = send(browser, editor, editor, is_new="1", policy="own", read="", document=wider)

    assert 400 == answer.status
    assert "There is a policy own already" in answer.text
    assert ALLOW == iam.get_user_policy(UserName="bob", PolicyName="own")["PolicyDocument"]


@pytest.mark.usefixtures("holders")
def test_a_refused_inline_policy_is_shown_again_as_it_was_typed(account: Account, browser: Browser):
    editor = "/console/users/bob/inline-editor"
    fields = {"is_new": "1", "policy": "own", "document": json.dumps(ALLOW)}
    few = reader(account, "iam:Get*", "iam:List*", "access-analyzer:ValidatePolicy")

    refused = send(few, editor, editor, **fields, read="")
    invalid = send(browser, editor, editor, **(fields | {"policy": "no name!"}), read="")

    assert 403 == refused.status
    assert "This needs the permission iam:PutUserPolicy" in refused.text
    assert "s3:GetObject" in html.unescape(refused.text)
    assert "ValidationError" in invalid.text


@pytest.mark.usefixtures("holders")
@pytest.mark.parametrize("who", KINDS[::2])
def test_a_boundary_is_set_changed_and_removed(browser: Browser, who: str):
    here = f"/console/{who}"

    page = follow(browser, send(browser, here, f"{here}/boundary", arn=ADMINISTRATOR, before=""))
    assert "Remove boundary" in page
    assert "PermissionsBoundary</code>" in page
    page = follow(browser, send(browser, here, f"{here}/boundary", arn="", before=ADMINISTRATOR, remove="1"))

    assert "No boundary" in page


@pytest.mark.usefixtures("holders")
def test_a_group_has_no_boundary(browser: Browser):
    assert 404 == send(browser, "/console/groups/staff", "/console/groups/staff/boundary", arn=ADMINISTRATOR, before="").status
    assert "Permissions boundary" not in browser.get("/console/groups/staff").text


@pytest.mark.usefixtures("holders")
def test_a_boundary_that_is_no_policy_is_refused_with_the_reason(browser: Browser):
    answer = send(browser, "/console/users/bob", "/console/users/bob/boundary", arn="arn:aws:iam::aws:policy/Nothing", before="")

    assert 403 == answer.status
    assert "does not exist or is not attachable" in answer.text


def test_csrf_a_document_from_elsewhere_is_not_checked(account: Account, browser: Browser):
    token = hidden(browser.get(EDITOR))["csrf"]
    fields = {"csrf": token, "sort": "identity", "document": BROKEN}

    answer = browser.post(CHECK, fields, origin="https://evil.example", sec_fetch_site="cross-site")

    assert 403 == answer.status
    assert "ValidatePolicy" not in [record["eventName"] for record in account.records()]
