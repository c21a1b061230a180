"""The rules for a password beside the field in which it is typed: on one's own page, an administrator's, and a forced change."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from tests.fixtures.browsing import Browser as Visitor
from tests.fixtures.crown import Crown
from tests.signin import people
from tests.signin.browser import Browser

from crownkeep.console.kit import rendering
from crownkeep.credentials import password_policy
from crownkeep.credentials.password_policy import PasswordPolicy
from crownkeep.credentials.secret import Secret

STRICT = {"MinimumPasswordLength": 14, "RequireSymbols": True, "PasswordReusePrevention": 5}


def test_rules_of_the_account_are_shown_where_a_password_is_set(iam: Any, browser: Browser):
    iam.create_user(UserName="bob")
    assert "At least 8 characters" in browser.get("/console/users/bob?tab=security").text
    iam.update_account_password_policy(**STRICT)

    for page in (browser.get("/console/users/bob?tab=security").text, browser.get("/console/password").text):
        assert ["At least 14 characters" in page, "A symbol" in page, "None of the last 5 passwords" in page] == [True] * 3


def test_rules_are_shown_when_a_change_is_forced(crown: Crown):
    account = crown.account()
    iam = account.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=17, AllowUsersToChangePassword=True)
    iam.create_user(UserName="bob")
    iam.create_login_profile(UserName="bob", Password="correct Horse battery 9", PasswordResetRequired=True)
    browser = Visitor(crown)

    people.sign_in_user(browser, account.id, "bob", password="correct Horse battery 9")

    assert "You must change your password" in browser.page.text
    assert "At least 17 characters" in browser.page.text


def test_rules_of_root_are_shown_where_a_link_leads_to_its_password(crown: Crown):
    browser = Visitor(crown)

    page = browser.get(people.set_password_path(crown.account())).text

    assert ["At least 8 characters" in page, "Three of: uppercase letters" in page] == [True] * 2


def test_whatever_is_shown_once_has_a_button_that_copies_it():
    shown = {each.name: each.read_text() for each in (rendering.FOLDER / "templates").glob("*.html")}
    once = {name: text for name, text in shown.items() if re.search(r'class="(seed|secrets?)"', text)}

    assert {"app_steps.html", "outcome.html"} <= set(once)
    assert [] == [name for name, text in once.items() if "copy.js" not in text]
    # What stands in a list of secrets gets its button from the script.
    assert [] == [name for name, text in once.items() if 'class="secrets"' not in text and "parts.copy(" not in text]


@pytest.mark.parametrize("policy", [None, PasswordPolicy(10, require_numbers=True), PasswordPolicy(6, True, True, True, True)])
def test_what_the_page_ticks_off_is_what_is_accepted(policy: PasswordPolicy | None):
    shown = password_policy.rules(policy)
    holds = {"upper": str.isupper, "lower": str.islower, "number": str.isdigit, "symbol": lambda each: each in shown.symbols}

    def is_kept(text: str) -> bool:
        return all(
            len(text) >= rule.least and rule.of_kinds <= sum(any(holds[kind](each) for each in text) for kind in rule.kinds)
            for rule in shown.rules
        )

    for letters, length in itertools.product(("a", "aB", "aB1", "aB1!", "1!", "aé~ "), (5, 6, 9, 10, 14)):
        text = (letters * length)[:length]
        refused = password_policy.violations(Secret(text), policy, account_name="acme", email="root@acme.example")
        assert is_kept(text) == (not refused), text
