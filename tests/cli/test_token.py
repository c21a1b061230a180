"""`crownkeep token`: the register of physical keys, who has one out, and what happens when it is not back in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import time_machine
from tests.cli.conftest import Ended, Terminal
from tests.fixtures.coroutines import run
from tests.fixtures.crown import Crowns, read_trail

from crownkeep.alerts.reviews import Reviews
from crownkeep.storage.database import Database
from crownkeep.storage.writer import Writer

Made = Callable[..., dict[str, Any]]
PLACE = ("--model", "Acme Key 5", "--vault", "Bank, box 12", "--envelope", "0042", "--holder", "root")


def test_a_token_goes_out_and_comes_back(crownkeep: Terminal, made: Made, data: Any):
    account = made()["account_id"]

    registered = crownkeep("token", "register", "31415926", *PLACE, "--account", account, "--json").json()
    out = crownkeep("token", "check-out", "31415926", "--to", "Dora", "--reason", "yearly", "--hours", "4", "--json").json()
    twice = crownkeep("token", "check-out", "31415926", "--to", "Mallory", "--reason", "fun")
    back = crownkeep("token", "check-in", "31415926", "--envelope", "0043", "--json").json()

    assert ("0042", account, "Dora") == (registered["envelope"], registered["account_id"], out["out_to"])
    assert (1, True) == (twice.code, "Dora has it" in twice.err)
    assert ("0043", False) == (back["envelope"], "out_to" in back)
    assert 1 == crownkeep("token", "check-in", "31415926").code
    names = [each["eventName"] for each in read_trail(f"sqlite:///{data / 'crownkeep.db'}", account, limit=100)]
    assert {"RegisterHardwareToken", "TakeOutHardwareToken", "ReturnHardwareToken"} <= set(names)


def test_an_audit_says_what_is_missing(crownkeep: Terminal, made: Made):
    made()
    for serial in ("seen", "missing", "out"):
        crownkeep("token", "register", serial, *PLACE)
    crownkeep("token", "check-out", "out", "--to", "Dora", "--reason", "a drill")

    held = crownkeep("token", "audit", "--name", "2026-Q4", "seen", "--json")
    unknown = crownkeep("token", "audit", "--name", "2026-Q5", "seen", "never-heard-of")

    answer = held.json()
    assert (1, 1, ["missing"], ["out"]) == (held.code, answer["seen"], answer["missing"], answer["out"])
    assert (1, True) == (unknown.code, "nothing was recorded" in unknown.err)
    listed = {each["serial"]: each for each in crownkeep("token", "list", "--json").json()["tokens"]}
    assert ("2026-Q4", False) == (listed["seen"]["last_audit"], "last_audit" in listed["missing"])


def test_a_token_that_is_registered_or_of_an_account_that_is_not_there_is_refused(crownkeep: Terminal, made: Made):
    made()
    crownkeep("token", "register", "31415926", *PLACE)

    again: Ended = crownkeep("token", "register", "31415926", *PLACE)
    nowhere = crownkeep("token", "register", "2", *PLACE, "--account", "000000000001")

    assert (1, True) == (again.code, "registered already" in again.err)
    assert (1, True) == (nowhere.code, "there is no account" in nowhere.err)


def test_a_token_that_is_not_back_in_time_raises_an_alert_in_the_account_and_at_the_operator(crowns: Crowns):
    crown = crowns.fresh("sqlite")
    account = crown.account()
    token = {"serial": "31415926", "model": "Acme", "vault": "box", "envelope": "1", "holder": "root", "account_id": account.id}
    assert 201 == crown.operator("POST", "/hardware-tokens", token).status
    taken = crown.operator("POST", "/hardware-tokens/31415926/check-out", {"to": "Dora", "reason": "a drill", "hours": 4})
    assert 200 == taken.status, taken.text
    crown.close()

    async def look() -> int:
        database = Database(crown.settings.database_url)
        writer = Writer(database, lambda _db, _events: None)
        try:
            return await Reviews(database, writer).look()
        finally:
            await writer.stop()
            database.close()

    assert 0 == run(look())
    with time_machine.travel(clock_in(hours=30), tick=True):
        answer = run(look())

    recorded = [each for each in account.records() if each["eventName"] == "HardwareTokenNotReturned"]
    assert (1, "31415926") == (answer, recorded[0]["serviceEventDetails"]["id"])


def clock_in(*, hours: int) -> Any:
    """Return the moment that is so many hours from now."""
    from datetime import timedelta

    from crownkeep import clock

    return clock.now() + timedelta(hours=hours)
