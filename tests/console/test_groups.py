"""Groups as pages: created, filled, renamed and given policies."""

from __future__ import annotations

from typing import Any

from tests.console.forms import ADMINISTRATOR, follow, send
from tests.signin.browser import Browser


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

    page = send(browser, "/console/groups/staff", "/console/groups/staff/delete", typed="staff")

    assert 403 == page.status
    assert "DeleteConflict" in page.text


def test_a_group_is_renamed_and_moved_and_keeps_its_members(iam: Any, browser: Browser):
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="admin")
    here = "/console/groups/staff/edit"

    page = follow(browser, send(browser, here, here, name="people", path="/all/"))

    found = iam.get_group(GroupName="people")
    assert "iam:UpdateGroup" in page
    assert ("/all/", ["admin"]) == (found["Group"]["Path"], [each["UserName"] for each in found["Users"]])
    assert "UpdateGroup" in browser.get("/console/groups/people?tab=trail").text


def test_a_refused_renaming_keeps_what_was_typed(iam: Any, browser: Browser):
    iam.create_group(GroupName="staff")
    iam.create_group(GroupName="people")
    here = "/console/groups/staff/edit"

    page = send(browser, here, here, name="people", path="/")

    assert 403 == page.status
    assert "EntityAlreadyExists" in page.text
    assert 'value="people"' in page.text
