"""Choosing policies by name: what they grant is shown before they are attached, or become a boundary."""

from __future__ import annotations

from typing import Any

from tests.console.forms import ADMINISTRATOR, follow, send
from tests.signin.browser import Browser

READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def test_what_a_policy_grants_is_shown_before_it_is_attached(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    here = "/console/attach?to=user&name=bob&sought=IAMReadOnly"

    assert READ_ONLY in browser.get(here).text
    page = send(browser, here, "/console/attach/review", to="user", name="bob", use="attach", arn=READ_ONLY, other="").text

    assert 'aria-label="Allowed"' in page
    assert "Nothing has been changed yet" in page
    assert [] == iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]


def test_a_boundary_is_found_by_name_reviewed_set_and_undone(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    here = "/console/attach?to=user&name=bob&use=boundary&sought=IAMReadOnly"
    sent = {"to": "user", "name": "bob", "use": "boundary", "arn": READ_ONLY, "other": "", "before": ""}

    assert 'type="radio" name="arn"' in browser.get(here).text
    assert "could then do no more than this" in send(browser, here, "/console/attach/review", **sent).text
    page = follow(browser, send(browser, here, "/console/users/bob/boundary", arn=READ_ONLY, before=""))

    assert READ_ONLY == iam.get_user(UserName="bob")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert ">Undo</button>" in page


def test_a_group_has_no_boundary_to_choose(iam: Any, browser: Browser):
    iam.create_group(GroupName="crew")

    assert 404 == browser.get("/console/attach?to=group&name=crew&use=boundary").status


def test_a_policy_that_can_t_be_read_is_said_so_and_can_still_be_attached(iam: Any, browser: Browser):
    iam.create_group(GroupName="crew")
    missing = "arn:aws:iam::aws:policy/NoSuchPolicy"

    page = send(
        browser,
        "/console/attach?to=group&name=crew",
        "/console/attach/review",
        to="group",
        name="crew",
        arn=missing,
        other=ADMINISTRATOR,
    ).text

    assert "What it grants can&#39;t be shown here." in page or "What it grants can't be shown here." in page
    assert ">AdministratorAccess</a>" in page
