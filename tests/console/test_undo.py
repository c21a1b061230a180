"""Undo: offered after what IAM can take back, to the session that did it, and good for nothing else."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from tests.console.forms import ADMINISTRATOR, ALLOW, follow, reader, send
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, hidden, signed_in

UNDO = "/console/undo"
BOB = "/console/users/bob"


@pytest.fixture
def bob(iam: Any) -> None:
    """A user with a policy, a tag, a group, a key and a boundary."""
    iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "red"}], PermissionsBoundary=ADMINISTRATOR)
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="bob")


def state(iam: Any) -> dict[str, Any]:
    """Return what of the user can be changed and changed back."""
    user = iam.get_user(UserName="bob")["User"]
    return {
        "policies": iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"],
        "tags": iam.list_user_tags(UserName="bob")["Tags"],
        "groups": [each["GroupName"] for each in iam.list_groups_for_user(UserName="bob")["Groups"]],
        "boundary": user.get("PermissionsBoundary"),
        "keys": [each["Status"] for each in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]],
    }


CHANGES = [
    ("/detach", {"arn": ADMINISTRATOR}),
    ("/untag", {"key": "team", "value": "red"}),
    ("/membership", {"group": "staff", "remove": "1"}),
    ("/boundary", {"arn": "", "before": ADMINISTRATOR, "remove": "1"}),
    ("/boundary", {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "before": ADMINISTRATOR}),
]


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize(("path", "fields"), CHANGES)
def test_what_was_changed_is_as_it_was_after_it_is_undone(iam: Any, browser: Browser, path: str, fields: dict[str, str]):
    before = state(iam)

    page = follow(browser, send(browser, BOB, f"{BOB}{path}", **fields))
    changed = state(iam)
    answer = follow(browser, send(browser, BOB, UNDO, undo=offered(page)))

    assert before != changed
    assert before == state(iam)
    assert "Done" in answer
    assert 'name="undo"' not in answer


@pytest.mark.usefixtures("bob")
def test_an_inline_policy_that_was_deleted_is_put_back_word_by_word_where_it_is_short(iam: Any, browser: Browser):
    short, long = json.dumps(ALLOW, indent=1), json.dumps({**ALLOW, "Id": "x" * 1500})
    iam.put_user_policy(UserName="bob", PolicyName="short", PolicyDocument=short)
    iam.put_user_policy(UserName="bob", PolicyName="long", PolicyDocument=long)

    unoffered = follow(browser, send(browser, BOB, f"{BOB}/inline", policy="long", typed="long"))
    page = follow(browser, send(browser, BOB, f"{BOB}/inline", policy="short"))
    follow(browser, send(browser, BOB, UNDO, undo=offered(page)))

    assert 'name="undo"' not in unoffered
    assert ["short"] == iam.list_user_policies(UserName="bob")["PolicyNames"]
    assert ALLOW == iam.get_user_policy(UserName="bob", PolicyName="short")["PolicyDocument"]


@pytest.mark.usefixtures("bob")
def test_a_key_that_was_deactivated_is_active_again(iam: Any, browser: Browser):
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]

    page = follow(browser, send(browser, f"{BOB}?tab=security", f"{BOB}/key", key=key, to="Inactive"))
    assert ["Inactive"] == state(iam)["keys"]
    follow(browser, send(browser, BOB, UNDO, undo=offered(page)))

    assert ["Active"] == state(iam)["keys"]


def test_a_version_that_was_made_the_default_makes_way_again(account: Account, iam: Any, browser: Browser):
    arn = iam.create_policy(PolicyName="mine", PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(ALLOW), SetAsDefault=True)
    here = f"/console/policies/one?arn={arn}&tab=versions"

    page = follow(browser, send(browser, here, "/console/policies/default", arn=arn, version="v1", before="v2"))
    assert "v1" == iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    follow(browser, send(browser, here, UNDO, undo=offered(page)))

    assert "v2" == iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]


@pytest.mark.usefixtures("bob")
def test_an_offer_that_was_made_to_somebody_else_is_neither_shown_nor_taken(account: Account, iam: Any, browser: Browser):
    answer = send(browser, BOB, f"{BOB}/detach", arn=ADMINISTRATOR)
    address = answer.header("location") or ""
    token = offered(browser.get(address).text)
    other = signed_in(account, user="admin")

    shown = other.get(address).text
    taken = send(other, BOB, UNDO, undo=token)

    assert 'name="undo"' not in shown
    assert 400 == taken.status
    assert [] == state(iam)["policies"]


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize("forged", ["", ".", "e30.", "e30." + "0" * 32, "\x00", "é.é"])
def test_forged_offers_are_refused(iam: Any, browser: Browser, forged: str):
    before = state(iam)

    answer = send(browser, BOB, UNDO, undo=forged)

    assert 400 == answer.status
    assert before == state(iam)


@pytest.mark.usefixtures("bob")
def test_an_offer_can_not_be_changed_into_another(iam: Any, browser: Browser):
    token = offered(follow(browser, send(browser, BOB, f"{BOB}/detach", arn=ADMINISTRATOR)))
    text, _, seal = token.partition(".")

    answer = send(browser, BOB, UNDO, undo=f"{text[:-4]}{'A' * 4}.{seal}")

    assert 400 == answer.status
    assert [] == state(iam)["policies"]


@pytest.mark.usefixtures("bob")
def test_undoing_needs_the_permission_like_any_change(account: Account, iam: Any):
    browser = reader(account, "iam:Get*", "iam:List*", "iam:DetachUserPolicy")

    page = follow(browser, send(browser, BOB, f"{BOB}/detach", arn=ADMINISTRATOR))
    answer = send(browser, BOB, UNDO, undo=offered(page))

    assert 403 == answer.status
    assert "This needs the permission iam:AttachUserPolicy" in answer.text
    assert [] == state(iam)["policies"]


def test_csrf_undoing_without_the_token_is_refused(browser: Browser):
    hidden(browser.get(BOB))

    answer = browser.post(UNDO, {"undo": "x"}, origin=browser.crown.settings.url, sec_fetch_site="same-origin")

    assert 403 == answer.status


def offered(page: str) -> str:
    """Return the offer that a page makes."""
    found = re.search(r'name="undo" value="([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])
