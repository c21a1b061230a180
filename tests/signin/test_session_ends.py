"""Sessions that come from a console end with it: no way from one session to the next makes it last longer than the first."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, in_house, signed_in
from tests.signin.command_line import CommandLine
from tests.signin.test_federation import ALL, exchange, login, role_credentials

from crownkeep.signin import sessions
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.writer import Commit

START = datetime(2026, 12, 1, 12, tzinfo=UTC)
END = START + timedelta(hours=12)


@pytest.fixture
def console(account: Account) -> Browser:
    """A console of twelve hours, for credentials of a quarter of an hour of a role whose sessions last an hour."""
    return open_console(account, role_at_start(account), SessionDuration="43200")


def test_a_role_session_without_end_by_sign_in_tokens_of_a_consoles_command_line(account: Account, console: Browser):
    given = command_line(account, console, hours=11, minutes=55)

    second = open_console(account, given, hours=11, minutes=56, SessionDuration="43200")

    assert END == ends_at(account, console)
    assert END == ends_at(account, second)


def test_a_second_console_lasts_no_longer_than_the_role_allows(account: Account, console: Browser):
    given = command_line(account, console, hours=1)

    second = open_console(account, given, hours=1, SessionDuration="43200")

    assert START + timedelta(hours=2) == ends_at(account, second)


def test_a_third_console_ends_with_the_first_although_the_second_came_later(account: Account, console: Browser):
    account.client("iam").update_role(RoleName="auditor", MaxSessionDuration=43_200)
    second = open_console(account, command_line(account, console, hours=6), hours=6, SessionDuration="43200")

    third = open_console(account, command_line(account, second, hours=11), hours=11, SessionDuration="43200")

    assert END == ends_at(account, third)


def test_a_role_that_is_taken_on_with_a_consoles_credentials_ends_with_the_console(account: Account, console: Browser):
    given = command_line(account, console, hours=11, minutes=50)

    taken = assume(account, given, hours=11, minutes=51)

    assert END == taken["Expiration"]
    assert END == ends_at(account, open_console(account, taken, hours=11, minutes=52))


def test_a_role_that_a_signed_in_user_takes_on_ends_with_the_users_console_and_so_does_its_own(account: Account):
    account.user("ann", policy=ALL)
    role_at_start(account)
    with time_machine.travel(START, tick=False):
        browser = signed_in(account, user="ann")
    given = command_line(account, browser, hours=11, minutes=50)

    taken = assume(account, given, hours=11, minutes=51)

    assert END == taken["Expiration"]
    assert END == ends_at(account, open_console(account, taken, hours=11, minutes=52, SessionDuration="3600"))


def test_a_switched_role_ends_with_the_session_it_was_switched_to_in(account: Account):
    account.user("ann", policy=ALL)
    role_at_start(account)
    with time_machine.travel(START, tick=False):
        browser = signed_in(account, user="ann")
    later = START + timedelta(hours=11, minutes=55)
    see(account, browser, later)
    with time_machine.travel(later, tick=False):
        entered = {"act": "switch", "account": account.id, "roleName": "auditor", "displayName": "", "color": ""}
        browser.submit(browser.get("/switchrole"), "/switchrole", **entered)
        page = browser.get("/console")

    assert f"arn:aws:sts::{account.id}:assumed-role/auditor/ann" in page.text
    given = command_line(account, browser, hours=11, minutes=56)
    assert END == ends_at(account, open_console(account, given, hours=11, minutes=57, SessionDuration="43200"))


def test_a_federated_users_console_ends_with_the_credentials_however_often_it_is_opened_anew(account: Account):
    with time_machine.travel(START, tick=False):
        sts = account.client("sts")
        given = sts.get_federation_token(Name="guest", Policy=json.dumps(ALL), DurationSeconds=3600)["Credentials"]
    first = open_console(account, given)

    second = open_console(account, command_line(account, first, minutes=50), minutes=50)

    assert START + timedelta(hours=1) == ends_at(account, first)
    assert START + timedelta(hours=1) == ends_at(account, second)


def test_a_session_that_came_from_no_console_lasts_as_long_as_was_asked_for(account: Account):
    given = role_at_start(account)

    first = open_console(account, given, minutes=1, SessionDuration="43200")

    assert START + timedelta(seconds=900) == given["Expiration"]
    assert END + timedelta(minutes=1) == ends_at(account, first)


def role_at_start(account: Account) -> dict[str, Any]:
    """Make the role `auditor`, and answer credentials that last a quarter of an hour from the start."""
    with time_machine.travel(START, tick=False):
        return role_credentials(account, DurationSeconds=900)


def open_console(account: Account, credentials: dict[str, Any], *, hours: int = 0, minutes: int = 0, **asked: str) -> Browser:
    """Open a console for credentials by a sign-in token, so long after the start."""
    browser = Browser(account.crown)
    with time_machine.travel(START + timedelta(hours=hours, minutes=minutes), tick=False):
        answer = exchange(account, credentials, **asked)
        assert 200 == answer.status, answer.text
        assert 303 == browser.get(login(answer.json()["SigninToken"])).status
    return browser


def command_line(account: Account, browser: Browser, *, hours: int = 0, minutes: int = 0) -> dict[str, Any]:
    """Let a command line sign in by a console that is in use, and return its credentials."""
    later = START + timedelta(hours=hours, minutes=minutes)
    see(account, browser, later)
    with time_machine.travel(later, tick=False):
        given = CommandLine(account.crown).sign_in(browser)["accessToken"]
    return {
        "AccessKeyId": given["accessKeyId"],
        "SecretAccessKey": given["secretAccessKey"],
        "SessionToken": given["sessionToken"],
    }


def assume(account: Account, credentials: dict[str, Any], *, hours: int, minutes: int) -> dict[str, Any]:
    """Take on the role with credentials, for an hour."""
    with time_machine.travel(START + timedelta(hours=hours, minutes=minutes), tick=False):
        sts = account.crown.session(credentials, "sts")
        arn = f"arn:aws:iam::{account.id}:role/auditor"
        taken: dict[str, Any] = sts.assume_role(RoleArn=arn, RoleSessionName="again", DurationSeconds=3600)["Credentials"]
    return taken


def see(account: Account, browser: Browser, at: datetime) -> None:
    """Let a console be in use until a moment, or it ends for want of use."""

    def work(db: Transaction) -> Commit[None]:
        digest = sessions.digest_of(browser.cookies["crownkeep-session"])
        browser_sessions.see(db, digest or b"", at=at)
        return Commit(None, [])

    in_house(account.crown, work)


def ends_at(account: Account, browser: Browser) -> datetime:
    """Return when a browser's session ends at the latest."""

    def work(db: Transaction) -> Commit[datetime]:
        row = browser_sessions.with_digest(db, sessions.digest_of(browser.cookies["crownkeep-session"]) or b"")
        assert row is not None
        return Commit(row.expires_at, [])

    found: datetime = in_house(account.crown, work)
    return found
