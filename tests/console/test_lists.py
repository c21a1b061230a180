"""Lists, details and editors in a real browser: by clicks alone, with and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.fixtures.process import Process
from tests.signin.people import PASSWORD

Visit = Callable[..., Page]
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


@pytest.fixture(scope="module")
def told(served: Process) -> dict[str, Any]:
    """An account with something of each kind, whose administrator can sign in."""
    told = served.account(email="lists@acme.example", name="lists", admin_user="admin")
    iam = served.client("iam", told["admin"])
    iam.create_login_profile(UserName="admin", Password=PASSWORD)
    iam.create_user(UserName="bob", Path="/people/", Tags=[{"Key": "team", "Value": "red"}])
    iam.create_access_key(UserName="bob")
    iam.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(ALLOW))
    iam.create_user(UserName="auditor-of-copies")
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST), Description="Looks and changes nothing")
    served.client("iam", told["root"]).list_users()
    return told


def test_the_console_is_worked_by_clicks_alone_without_scripts(enter: Visit):
    page = enter(java_script_enabled=False)
    page.goto("/console/groups")

    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name="Create user").click()
    page.get_by_label("User name").fill("carol")
    page.get_by_label("Choose a password").check()
    page.get_by_label("AdministratorAccess").check()
    page.get_by_label("staff").check()
    page.get_by_role("button", name="Review").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create user").click()

    expect(page.get_by_role("heading", name="carol was created")).to_be_visible()
    expect(page.get_by_text("iam:AttachUserPolicy").first).to_be_visible()
    page.get_by_role("link", name="Go to the user").click()
    page.get_by_role("link", name="Security credentials", exact=True).last.click()
    page.get_by_role("button", name="Create access key").click()
    expect(page.get_by_role("heading", name="Shown this once")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name=re.compile("Deactivate AKIA")).click()
    expect(page.get_by_text("Inactive", exact=True)).to_be_visible()
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_label("Type carol to confirm").fill("carol")
    page.get_by_role("button", name="Delete user").click()

    expect(page.get_by_role("heading", name="Users", exact=True)).to_be_visible()
    expect(page.get_by_text("carol", exact=True)).to_have_count(0)


def test_what_is_shown_once_is_copied_by_a_button(enter: Visit):
    page = enter(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/console/users/auditor-of-copies?tab=security")
    page.get_by_role("button", name="Create access key").click()
    shown = [each.strip() for each in page.locator(".secret").all_inner_texts()]

    copied = []
    for button in page.get_by_role("button", name=re.compile("^Copy: ")).all():
        button.click()
        expect(page.get_by_role("button", name="Copied").last).to_be_visible()
        copied.append(page.evaluate("navigator.clipboard.readText()"))

    assert 2 == len(copied)
    assert shown == copied


def test_a_policy_is_written_warned_about_and_saved(enter: Visit):
    page = enter()
    page.goto("/console/policies/create")

    page.get_by_label("Policy name").fill("broken")
    page.get_by_label("JSON").fill(json.dumps(ALLOW, indent=2).replace("s3:GetObject", "s4:GetObject"))
    page.get_by_role("button", name="Create policy").click()

    expect(page.get_by_text("at line 6, column")).to_be_visible()
    page.get_by_label("JSON").fill(json.dumps(ALLOW, indent=2))
    page.locator("button.primary").click()
    expect(page.get_by_role("heading", name="broken")).to_be_visible()


def test_the_search_box_is_worked_by_keys_alone(enter: Visit):
    page = enter()
    page.goto("/console")
    box = page.get_by_role("combobox", name="Find anything")

    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("ob")
    expect(page.get_by_role("option", name="bob User")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("lists")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    page.keyboard.type("bob")
    expect(page.get_by_role("option", name="bob User")).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/console/users/bob"))


def test_days_and_times_are_those_of_the_viewer_s_zone_with_utc_on_hover(enter: Visit):
    page = enter(timezone_id="Asia/Tokyo")
    page.goto("/console/trail")
    today = page.evaluate("new Intl.DateTimeFormat('sv-SE').format(new Date())")

    page.get_by_label("From", exact=True).fill(today)
    page.get_by_label("To", exact=True).fill(today)
    page.get_by_role("button", name="Look up").click()

    expect(page).to_have_url(re.compile("first=[^&]*T15%3A00%3A00Z&last=[^&]*T14%3A59%3A59Z"))
    expect(page.get_by_label("From", exact=True)).to_have_value(today)
    expect(page.get_by_label("To", exact=True)).to_have_value(today)
    page.get_by_role("link", name="PutUserPolicy").first.click()
    sentence = page.locator("p", has_text="called PutUserPolicy")
    expect(sentence).not_to_contain_text("UTC")
    said = sentence.locator("time").first
    expect(said).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    assert said.inner_text() == page.evaluate(
        "said => new Intl.DateTimeFormat('sv-SE', {dateStyle: 'short', timeStyle: 'short'}).format(new Date(said))",
        said.get_attribute("datetime"),
    )


def test_what_somebody_wrote_like_a_moment_that_never_was_keeps_no_other_time_from_the_viewer_s_zone(
    enter: Visit, served: Process, told: dict[str, Any]
):
    trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
    iam = served.client("iam", told["admin"])
    iam.create_role(
        RoleName="odd",
        AssumeRolePolicyDocument=json.dumps(trust),
        Description="until 9999-99-99 99:99 UTC or 2026-11-30 12:00 UTC",
    )
    page = enter(timezone_id="Asia/Tokyo")

    page.goto("/console/roles/odd")

    expect(page.get_by_text("until 9999-99-99 99:99 UTC or 2026-11-30 21:00")).to_be_visible()
    expect(page.locator("time").filter(has_text="UTC")).to_have_count(0)
    iam.delete_role(RoleName="odd")


def test_the_end_of_an_unused_session_is_told_and_put_off(enter: Visit):
    page = enter()
    page.clock.install()
    page.goto("/console/groups")
    notice = page.get_by_role("region", name="The end of your session")
    expect(notice).to_be_hidden()

    page.clock.fast_forward("56:00")
    expect(notice).to_contain_text("Your session ends in")
    page.get_by_role("button", name="Stay signed in").click()

    expect(notice).to_be_hidden()


def test_the_trail_is_followed_by_the_keyboard_and_stopped(enter: Visit, served: Process, told: dict[str, Any]):
    iam = served.client("iam", told["admin"])
    page = enter()
    page.goto("/console/trail")
    button, newest = page.get_by_role("button", name="Follow live"), page.locator("table[data-tail] tbody tr").first

    button.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Following")).to_be_visible()
    iam.list_groups()
    iam.create_group(GroupName="harbour-followed")
    expect(newest).to_contain_text("CreateGroup")
    expect(newest.get_by_role("link", name="CreateGroup")).to_be_visible()
    expect(page.get_by_role("cell", name="ListGroups")).to_have_count(0)
    page.get_by_role("button", name="Stop following").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Not following")).to_be_visible()
    iam.create_user(UserName="made-unseen")
    iam.delete_user(UserName="made-unseen")

    page.reload()
    expect(newest).to_contain_text("DeleteUser")
