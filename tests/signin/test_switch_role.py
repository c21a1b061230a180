"""Switching roles at the console: by sts:AssumeRole's rules, recorded, and back to oneself."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, signed_in
from tests.signin.test_federation import ALL, trusting

from crownkeep.signin import switch_role
from crownkeep.signin.switch_role import Choice, NoSuchChoice

ASSUME = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}
ANN = "arn:aws:iam::{}:user/ann"


@pytest.fixture
def browser(account: Account) -> Browser:
    """A browser of the user `ann`, who may take on roles, and with a role `team/auditor` to take on."""
    account.user("ann", policy=ASSUME)
    make_role(account, "auditor", trusts=account.id)
    return signed_in(account, user="ann")


def test_a_user_switches_to_a_role_and_comes_back(account: Account, browser: Browser):
    switched = switch(browser, account.id, "team/auditor")

    assert (303, "/console") == (switched.status, switched.header("location"))
    assert f"arn:aws:sts::{account.id}:assumed-role/auditor/ann" in browser.get("/console").text
    browser.submit(browser.get("/switchrole"), "/switchrole", act="exit")
    assert ANN.format(account.id) in browser.get("/console").text


def test_switching_is_recorded_in_the_trail_of_the_roles_account(account: Account, browser: Browser):
    switch(browser, account.id, "team/auditor")
    browser.submit(browser.get("/switchrole"), "/switchrole", act="renew")
    browser.submit(browser.get("/switchrole"), "/switchrole", act="exit")

    names = ("SwitchRole", "RenewRole", "ExitRole")
    records = [record for record in reversed(account.records()) if record["eventName"] in names]
    assert list(names) == [record["eventName"] for record in records]
    assert {"AssumedRole"} == {record["userIdentity"]["type"] for record in records}
    assert ANN.format(account.id) == records[0]["additionalEventData"]["SwitchFrom"]
    assert {"SwitchRole": "Success"} == records[0]["responseElements"]


def test_a_role_of_another_account_is_switched_to_by_its_alias(account: Account, browser: Browser):
    other = account.crown.account()
    alias = f"other-{other.id}"
    other.client("iam").create_account_alias(AccountAlias=alias)
    make_role(other, "guest", trusts=account.id)

    switch(browser, alias, "team/guest")

    assert f"arn:aws:sts::{other.id}:assumed-role/guest/ann" in browser.get("/console").text
    assert "SwitchRole" == next(each for each in other.records() if each["eventType"] == "AwsConsoleSignIn")["eventName"]


def test_the_second_factor_goes_along(account: Account, browser: Browser):
    policy = trusting(account.id)
    policy["Statement"]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    account.client("iam").create_role(RoleName="guarded", AssumeRolePolicyDocument=json.dumps(policy))

    with_factor = switch(browser, account.id, "guarded")
    without = switch(signed_in(account, user="ann", mfa=False), account.id, "guarded")

    assert [303, 403] == [with_factor.status, without.status]


def test_a_role_that_does_not_trust_and_one_that_is_not_there_are_refused_alike(account: Account, browser: Browser):
    other = account.crown.account()
    make_role(other, "closed", trusts=other.id)

    pages = [switch(browser, other.id, "team/closed"), switch(browser, other.id, "team/absent"), switch(browser, "9" * 12, "x")]

    assert [403, 403, 403] == [page.status for page in pages]
    asked = [each for each in account.records() if each["eventName"] == "AssumeRole"]
    assert {3600} == {each["requestParameters"]["durationSeconds"] for each in asked[:3]}
    failed = next(each for each in account.records() if each["eventName"] == "SwitchRole")
    assert {"SwitchRole": "Failure"} == failed["responseElements"]


def test_root_can_not_switch(account: Account):
    make_role(account, "auditor", trusts=account.id)

    assert 403 == switch(signed_in(account), account.id, "team/auditor").status


def test_a_switch_begins_at_the_person_and_not_at_the_role_before(account: Account, browser: Browser):
    make_role(account, "second", trusts=account.id)
    switch(browser, account.id, "team/auditor")

    switch(browser, account.id, "team/second")

    asked = next(each for each in account.records() if each["eventName"] == "AssumeRole")
    assert "IAMUser" == asked["userIdentity"]["type"]


def test_the_session_is_its_persons_again_when_the_roles_time_is_over(account: Account, browser: Browser):
    switch(browser, account.id, "team/auditor")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=50)):
        browser.get("/console")

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        page = browser.get("/console")

    assert ANN.format(account.id) in page.text


def test_the_page_is_filled_in_by_its_address_and_escapes_it(browser: Browser):
    page = browser.get("/switchrole?account=acme&roleName=auditor&displayName=%3Cscript%3E&color=F2B0A9")

    assert 'value="acme"' in page.text
    assert "<script>" not in page.text
    assert '<option value="F2B0A9" selected>' in page.text


def test_five_roles_are_remembered_for_the_person_alone(account: Account, browser: Browser):
    for number in range(6):
        make_role(account, f"role-{number}", trusts=account.id)
        switch(browser, account.id, f"team/role-{number}", displayName=f"number {number}")

    shown = re.findall(r"number \d", browser.get("/switchrole").text.split("Recent roles")[1])
    assert [f"number {number}" for number in (5, 4, 3, 2, 1)] == shown
    account.user("bob")
    of_bob = signed_in(account, user="bob")
    of_bob.cookies["crownkeep-roles"] = browser.cookies["crownkeep-roles"]
    assert "Recent roles" not in of_bob.get("/switchrole").text


def test_csrf_switches_nobody(account: Account, browser: Browser):
    fields = {"act": "switch", "account": account.id, "roleName": "team/auditor", "displayName": "", "color": ""}

    answers = [browser.post("/switchrole", fields), browser.post("/switchrole", fields, origin="https://evil.example")]

    assert [403, 403] == [answer.status for answer in answers]
    assert ANN.format(account.id) in browser.get("/console").text


@pytest.mark.parametrize(
    ("account", "role_name"),
    [("", "auditor"), ("acme", ""), ("a/b", "auditor"), ("acme", "a b"), ("acme", "a" * 65), ("acme", "é"), ("acme\r\n", "a*")],
)
def test_what_names_no_role_is_not_a_choice(account: str, role_name: str):
    with pytest.raises(NoSuchChoice):
        switch_role.choice(account=account, role_name=role_name)


def test_a_display_name_can_not_drive_a_terminal_and_a_colour_is_one_of_ours():
    chosen = switch_role.choice(account="acme", role_name="auditor", display_name="a\x1b[31m\n" + "b" * 99, color="#red;")

    assert Choice("acme", "auditor", ("a[31m" + "b" * 99)[:64], "") == chosen


def make_role(account: Account, name: str, *, trusts: str) -> None:
    """Make a role in the path `/team/` that an account is trusted to take on."""
    iam = account.client("iam")
    iam.create_role(RoleName=name, Path="/team/", AssumeRolePolicyDocument=json.dumps(trusting(trusts)))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALL))


def switch(browser: Browser, account: str, role: str, **fields: str) -> Response:
    """Fill the form in and send it."""
    entered = {"displayName": "", "color": ""} | fields
    page = browser.get("/switchrole")
    return browser.submit(page, "/switchrole", **{**entered, "act": "switch", "account": account, "roleName": role})
