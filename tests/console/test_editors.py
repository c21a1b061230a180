"""Editors, wizards and the simulator in a real browser: with scripts and without, by keyboard alone, in light and dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.console.forms import TRUST
from tests.fixtures.clicks import send
from tests.fixtures.process import Process
from tests.signin.people import PASSWORD

Visit = Callable[..., Page]
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
BROKEN = json.dumps(ALLOW, indent=2).replace("s3:GetObject", "s4:GetObject")
PROVIDER = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def told(served: Process) -> dict[str, Any]:
    """An account with something of each kind, whose administrator can sign in."""
    told = served.account(email="editors@acme.example", name="editors", admin_user="admin")
    iam = served.client("iam", told["admin"])
    iam.create_login_profile(UserName="admin", Password=PASSWORD)
    iam.create_user(UserName="bob")
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(ALLOW))
    iam.create_group(GroupName="staff")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST))
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps({**ALLOW, "Id": "second"}), SetAsDefault=True)
    iam.create_open_id_connect_provider(
        Url=f"https://{PROVIDER.rpartition('/')[2]}", ClientIDList=["a"], ThumbprintList=["a" * 40]
    )
    return told


def test_findings_follow_the_typing_under_the_content_security_policy(enter: Visit):
    page = enter()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/console/policies/create")

    page.get_by_label("JSON").fill(BROKEN)
    expect(page.get_by_text("at line 6, column")).to_be_visible()
    page.get_by_label("JSON").fill(json.dumps(ALLOW, indent=2))
    expect(page.get_by_text("Nothing to find fault with.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Amazon S3")).to_be_visible()
    page.get_by_label("Policy name").fill("typed")
    page.get_by_role("button", name="Create policy").click()

    expect(page.get_by_role("heading", name="typed")).to_be_visible()
    assert [] == complaints


def test_what_was_read_while_typing_is_saved_at_the_first_click(enter: Visit):
    page = enter()
    page.goto("/console/users/bob/inline-editor")
    page.get_by_label("Policy name").fill("odd")

    page.get_by_label("JSON").fill(BROKEN.replace("s4:GetObject", "iam:PassRole"))
    expect(page.get_by_text("at line 6, column")).to_be_visible()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="odd")).to_be_visible()
    expect(page.get_by_text("iam:PutUserPolicy").first).to_be_visible()


def test_history_nothing_that_was_typed_stays_in_the_browser_after_signing_out(enter: Visit):
    page = enter()
    page.goto("/console/policies/create")
    page.get_by_label("JSON").fill(BROKEN)
    expect(page.get_by_text("at line 6, column")).to_be_visible()

    page.locator(".menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("s4:GetObject")).to_have_count(0)

    page.evaluate("localStorage.removeItem('crownkeep-used')")  # When a page was used last, for the end of the session.
    kept = page.evaluate("[...Object.values(localStorage), ...Object.values(sessionStorage)]")
    # Of what is its own, htmx keeps the path that this tab was at, and no page.
    assert set(kept) <= {"/console/policies/create"}
    page.go_back()
    expect(page.get_by_text("s4:GetObject")).to_have_count(0)


def test_without_scripts_the_button_checks_and_a_change_is_undone(enter: Visit):
    page = enter(java_script_enabled=False)
    page.goto("/console/policies/create")

    page.get_by_label("JSON").fill(BROKEN)
    send(page, "Check")
    expect(page.get_by_text("at line 6, column")).to_be_visible()
    page.goto("/console/attach?to=user&name=bob&scope=Local")
    page.get_by_label("reading").check()
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("table", name="Allowed")).to_be_visible()
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_role("button", name="Detach reading")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("No policies are attached")).to_be_visible()
    expect(page.get_by_text("iam:DetachUserPolicy").first).to_be_visible()


def test_a_role_is_created_and_deleted_by_keyboard_alone(enter: Visit):
    page = enter()
    page.goto("/console/create-role")

    page.get_by_role("radio", name="An AWS account").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Service principal")).to_be_visible()
    expect(page.get_by_label("External ID")).to_be_hidden()
    page.get_by_label("Service principal").focus()
    page.keyboard.type("lambda.amazonaws.com")
    page.get_by_label("Role name").focus()
    page.keyboard.type("worker")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Create role")).to_be_visible()
    page.get_by_role("button", name="Create role").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="worker")).to_be_visible()
    page.get_by_role("link", name="Delete", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Type worker to confirm").focus()
    page.keyboard.type("worker")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Roles", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="worker")).to_have_count(0)


@pytest.mark.parametrize("options", [{"java_script_enabled": False}, {"viewport": {"width": 360, "height": 740}}])
def test_the_simulator_says_why(enter: Visit, options: dict[str, Any]):
    page = enter(**options)
    page.goto("/console/users/bob")

    page.get_by_role("link", name="Simulate").click()
    page.get_by_label("Actions").fill("s3:GetObject iam:CreateUser")
    page.get_by_role("button", name="Simulate").click()

    expect(page.get_by_text("own, inline policy of bob")).to_be_visible()
    expect(page.get_by_text("No statement allows it")).to_be_visible()


def test_metadata_is_read_from_a_file_or_pasted(enter: Visit, tmp_path: Any):
    file = tmp_path / "metadata.xml"
    file.write_text("<md/>")
    page = enter()
    page.goto("/console/identity-providers/create?kind=saml")

    page.get_by_label("From a file").set_input_files(file)

    expect(page.get_by_label("Metadata document")).to_have_value("<md/>")


def test_findings_decisions_and_an_old_version_bar_nobody(
    enter: Visit, told: dict[str, Any], faults: Callable[[Page], list[str]]
):
    page = enter(viewport={"width": 360, "height": 800}, bypass_csp=True)
    page.goto("/console/policies/create")
    page.get_by_label("JSON").fill(json.dumps([ALLOW, BROKEN]))
    send(page, "Check")
    found = faults(page)
    page.goto("/console/simulator?principal=user/bob")
    page.get_by_label("Actions").fill("s3:GetObject iam:CreateUser")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("Allowed", exact=True)).to_be_visible()
    found += faults(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.goto(f"/console/policies/one?arn=arn:aws:iam::{told['account_id']}:policy/reading&version=v1")

    assert [] == [*found, *faults(page)]
    assert [360, 360] == [wide, page.evaluate("document.documentElement.scrollWidth")]
