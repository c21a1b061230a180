"""The list of users as a page: found, sorted, with chosen columns, kept as a file, and several at once."""

from __future__ import annotations

from typing import Any

from tests.console.forms import follow, reader, send
from tests.fixtures.crown import Account
from tests.signin.browser import Browser

LIST = "/console/users"


def test_users_are_found_by_a_part_of_the_name(iam: Any, browser: Browser):
    iam.create_user(UserName="harbour-master")
    iam.create_user(UserName="night-watch")

    page = browser.get(f"{LIST}?name=MAST").text

    assert "/console/users/harbour-master" in page
    assert "/console/users/night-watch" not in page


def test_columns_that_are_chosen_stay_chosen(iam: Any, browser: Browser):
    iam.create_user(UserName="bob", Path="/people/", Tags=[{"Key": "team", "Value": "red"}])
    assert "team: red" not in browser.get(LIST).text

    page = follow(browser, send(browser, LIST, "/console/user-list/columns", column=["tags", "path"], sort="-name"))

    assert "team: red" in browser.get(LIST).text
    assert "<td>/people/" in "".join(page.split())
    assert 'aria-sort="descending"' in page
    assert ">Created</a>" not in page


def test_a_file_holds_every_column_and_no_formula(iam: Any, browser: Browser):
    iam.create_user(UserName="=cmd", Tags=[{"Key": "note", "Value": "+1"}])

    answer = browser.get("/console/user-list/download?name=cmd")

    assert 'attachment; filename="users.csv"' == answer.header("content-disposition")
    assert ["name,path,groups,mfa,password,activity,key,tags,created"] == answer.text.splitlines()[:1]
    assert answer.text.splitlines()[1].startswith("'=cmd,/,")


def test_keys_of_chosen_users_are_deactivated_after_a_review_and_again_activated(iam: Any, browser: Browser):
    for name in ("bob", "carol"):
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)
    iam.create_user(UserName="dave")
    chosen: dict[str, Any] = {"chosen": ["bob", "carol", "dave"], "act": "keys"}

    reviewed = send(browser, LIST, "/console/user-list/review", **chosen).text
    assert "2 access keys would be deactivated" in reviewed
    assert "No active key: dave." in reviewed
    assert "Active" == iam.list_access_keys(UserName="bob")["AccessKeyMetadata"][0]["Status"]
    page = follow(browser, send(browser, LIST, "/console/user-list/apply", **chosen))

    states = [iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["Status"] for name in ("bob", "carol")]
    assert ["Inactive", "Inactive"] == states
    assert "iam:UpdateAccessKey" in page
    assert ">Undo</button>" in page


def test_chosen_users_are_added_to_a_group_and_tagged(iam: Any, browser: Browser):
    iam.create_group(GroupName="crew")
    for name in ("bob", "carol"):
        iam.create_user(UserName=name)
    chosen: dict[str, Any] = {"chosen": ["bob", "carol"]}

    asked = send(browser, LIST, "/console/user-list/review", **chosen, act="group").text
    assert '<option value="crew">' in asked
    assert "This would be done" not in asked
    assert (
        "would be added to the group crew"
        in send(browser, LIST, "/console/user-list/review", **chosen, act="group", group="crew").text
    )
    follow(browser, send(browser, LIST, "/console/user-list/apply", **chosen, act="group", group="crew"))
    follow(browser, send(browser, LIST, "/console/user-list/apply", **chosen, act="tag", key="team", value="red"))

    assert ["bob", "carol"] == sorted(user["UserName"] for user in iam.get_group(GroupName="crew")["Users"])
    assert [{"Key": "team", "Value": "red"}] == iam.list_user_tags(UserName="carol")["Tags"]


def test_whoever_may_list_users_alone_sees_which_columns_take_more(account: Account):
    account.client("iam").create_user(UserName="bob")
    browser = reader(account, "iam:ListUsers")

    page = browser.get(LIST).text

    assert "/console/users/bob" in page
    assert "they need iam:GetAccountAuthorizationDetails and iam:GetCredentialReport" in page
