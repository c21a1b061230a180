"""Help where something does not work: who can give a permission, which statement, and where else to look."""

from __future__ import annotations

from typing import Any

import pytest
from tests.console.forms import ALLOW, reader, send
from tests.fixtures.crown import Account, Crown
from tests.signin.browser import Browser

from crownkeep.console.kit import missing_permissions


def test_a_refusal_says_who_can_change_it_and_which_statement_to_add(account: Account):
    page = reader(account, "iam:ListGroups").get("/console/users").text

    assert "An administrator of this account can give it" in page
    assert "&#34;Action&#34;: &#34;iam:ListUsers&#34;" in page


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p", "manage the organization"),
        ("because no service control policy allows the iam:ListUsers action", "manage the organization"),
        ("because no permissions boundary allows the iam:ListUsers action", "permissions boundary"),
        ("with an explicit deny in an identity-based policy", "no other policy can allow it"),
        ("because no session policy allows the iam:ListUsers action", "Sign in anew"),
    ],
)
def test_no_statement_is_named_where_adding_one_would_not_help(reason: str, told: str):
    found = missing_permissions.help_for("iam:ListUsers", f"User: x is not authorized to perform: iam:ListUsers {reason}")

    assert told in found.who
    assert "" == found.statement


def test_an_address_that_leads_nowhere_leads_on(browser: Browser, crown: Crown):
    inside, outside = browser.get("/console/passwords/polcy"), Browser(crown).get("/nonexistent")

    assert (404, 404) == (inside.status, outside.status)
    assert '<a href="/console/password-policy">Password policy</a>' in inside.text
    assert 'role="search"' in inside.text
    assert "There is no such page" in outside.text
    assert 'href="/console/users"' not in outside.text


def test_a_policy_is_deleted_once_its_name_is_typed(iam: Any, browser: Browser):
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=str(ALLOW).replace("'", '"'))["Policy"]["Arn"]
    page = f"/console/policies/one?arn={arn}"

    mistyped = send(browser, page, "/console/policies/delete", arn=arn, typed="writing")
    assert "What was typed is not reading." in mistyped.text
    assert iam.get_policy(PolicyArn=arn)
    done = send(browser, page, "/console/policies/delete", arn=arn, typed="reading")

    assert 303 == done.status
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy(PolicyArn=arn)


def test_every_page_knows_when_the_session_ends(browser: Browser):
    page = browser.get("/console").text

    assert 'data-idle-seconds="3600"' in page
    assert "Stay signed in" in page
