"""Users as pages: found, created, changed and deleted with all that they hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.console.forms import ADMINISTRATOR, ALLOW, follow, send
from tests.signin.browser import Browser


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
    assert "aws account-security describe-users --path-prefix /people/" in first


def test_an_exact_name_goes_to_its_user(browser: Browser):
    answer = browser.get("/console/users?name=admin")

    assert (303, "/console/users/admin") == (answer.status, answer.header("location"))


def test_a_user_that_does_not_exist_is_said_to_be_missing(browser: Browser):
    page = browser.get("/console/users/nobody")

    assert 404 == page.status
    assert "There is no user nobody" in page.text


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
    page = follow(browser, send(browser, here, "/console/users/bob/key", key=key, to="Deleted", typed=key))

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


def test_tags_are_added_and_removed(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")

    page = follow(browser, send(browser, "/console/users/bob?tab=tags", "/console/users/bob/tag", key="team", value="red"))
    assert "red" in page
    page = follow(browser, send(browser, "/console/users/bob?tab=tags", "/console/users/bob/untag", key="team"))

    assert [] == iam.list_user_tags(UserName="bob")["Tags"]
