"""Root's first sign-in beyond the straight path: days of grace, breached passwords, and how strong a password is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown
from tests.signin.people import PASSWORD, choose_root_password, set_password_path, sign_in_events, sign_in_root

from crownkeep import clock
from crownkeep.credentials import breached
from crownkeep.operations.fair_pool import FairPool
from crownkeep.signin.password_rules import BREACHED_FILE

FreshCrown = Callable[..., Crown]


def test_root_may_put_off_a_device_until_the_days_of_grace_are_over(fresh_crown: FreshCrown):
    crown = fresh_crown(root_mfa_grace_days=35)
    account, browser = crown.account(), Browser(crown)

    choose_root_password(browser, account)
    put_off = browser.submit({"put-off": "1"}, form="Not now")
    with time_machine.travel(clock.now() + timedelta(days=35)):
        late = sign_in_root(Browser(crown), account)

    assert "Console home" == put_off.title
    assert "Signed in without MFA" in put_off.text
    assert "No" == sign_in_events(account, "ConsoleLogin")[0]["additionalEventData"]["MFAUsed"]
    assert "Register an MFA device" == late.title
    assert "Not now" not in late.text


def test_a_device_cannot_be_put_off_by_asking_where_there_is_no_grace(crown: Crown):
    account, browser = crown.account(), Browser(crown)
    page = choose_root_password(browser, account)

    token = page.form("Set up an authenticator app")[1]["csrf"]
    refused = browser.post("/signin/step/enrol", {"csrf": token, "put-off": "1", "name": ""})

    assert "Register an MFA device" == refused.title
    assert "Sign in" == browser.get("/console").title


def test_a_breached_password_is_refused_where_the_operator_has_imported_a_list(fresh_crown: FreshCrown):
    crown = fresh_crown()
    line = hashlib.sha1(PASSWORD.encode()).hexdigest().encode() + b":7"
    entries = b"".join(breached.entries([line]))
    (crown.settings.data_directory / BREACHED_FILE).write_bytes(breached.header(1) + entries)

    page = choose_root_password(Browser(crown), crown.account())

    assert "appeared in a known data breach" in page.text


def test_denial_of_service_who_tries_out_passwords_takes_turns_of_its_account_and_not_of_sign_ins(
    crown: Crown, monkeypatch: pytest.MonkeyPatch
):
    account, owners = crown.account(), list[str]()
    real = FairPool.run

    async def run(pool: FairPool, owner: str, work: Any) -> Any:
        owners.append(owner)
        return await real(pool, owner, work)

    browser = Browser(crown)
    browser.get(set_password_path(account))
    filled = browser.page.form("Set the password")[1]
    monkeypatch.setattr(FairPool, "run", run)

    browser.post("/signin/step/strength", {**filled, "new": PASSWORD, "again": ""})

    assert [account.id] == owners


def test_the_strength_is_told_to_holders_of_a_link_only(crown: Crown):
    account, browser = crown.account(), Browser(crown)
    filled = browser.get(set_password_path(account)).form("Set the password")[1]

    answer = browser.post("/signin/step/strength", {**filled, "new": PASSWORD, "again": ""})
    refused = browser.post("/signin/step/strength", {**filled, "token": "A" * 43, "new": PASSWORD})

    assert 4 == answer.response.json()["score"]
    assert 403 == refused.status


def test_two_passwords_that_differ_are_not_taken(crown: Crown):
    browser = Browser(crown)
    browser.get(set_password_path(crown.account()))

    page = browser.submit({"new": PASSWORD, "again": f"{PASSWORD}!"})

    assert "The two passwords are not the same." in page.text
