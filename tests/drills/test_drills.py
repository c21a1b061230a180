"""Drills: each way back is walked on a copy, the installation is not touched, and what was held is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.conftest import Ended, Terminal
from tests.fixtures import custody
from tests.fixtures.crown import Account, Crown, Crowns
from tests.signin.people import root_with_app

from crownkeep.storage import copying
from crownkeep.storage.approvals import approver_keys
from crownkeep.storage.database import Database

CUSTODIAN = "custodian@elsewhere.example"
NAMES = ("lost-mfa", "lost-mailbox", "leaked-root-key", "admin-locked-out", "custodian-gone")


@pytest.fixture(scope="module")
def equipped(crowns: Crowns) -> Iterator[tuple[Crown, Account]]:
    """An account with everything: root's password and device, a root key, a custodian and an administrator."""
    crown = crowns.fresh("sqlite")
    account, _, _ = root_with_app(crown)
    crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": CUSTODIAN})
    yield crown, account
    crown.close()


@pytest.fixture(scope="module")
def bare(crowns: Crowns) -> Iterator[tuple[Crown, Account]]:
    """An account whose root has neither password, device nor key, and nobody else."""
    crown = crowns.fresh("sqlite")
    answer = crown.operator("POST", "/accounts", {"email": "root@bare.example", "name": "bare"}).json()
    yield crown, Account(crown, answer)
    crown.close()


def run(crown: Crown, *words: str) -> Ended:
    """Run a command in a server's data directory, beside it."""
    return Terminal({"CROWNKEEP_DATA": str(crown.settings.data_directory), "CROWNKEEP_ARGON2_MEMORY_KIB": "8"})(*words)


def state(crown: Crown) -> dict[str, Any]:
    """Return everything of an installation but its trail, what waits to be sent, and the record of drills."""
    database = Database(crown.settings.database_url)
    moving = ("trail", "event", "outbox", "alert_dig", "deliveries", "notice_leases", "drills")
    kept = [name for name in copying.tables() if not name.startswith(moving)]
    with database.snapshot() as db:
        found = {name: [list(row) for rows in copying.rows(db, name) for row in rows] for name in kept}
    database.close()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_way_back_works_and_nothing_is_touched(name: str, equipped: tuple[Crown, Account]):
    crown, account = equipped
    before = state(crown)

    ended = run(crown, "drill", name, "--json")

    answer = ended.json()
    assert (0, True, name, account.id) == (ended.code, answer["ok"], answer["drill"], answer["account_id"]), answer
    assert {True} == {step["worked"] for step in answer["steps"]}
    assert before == state(crown)
    recorded = next(each for each in account.records() if each["eventName"] == "RecordDrill")
    assert (name, True) == (recorded["requestParameters"]["name"], recorded["requestParameters"]["worked"])


def test_the_custodian_confirms_unless_gone(equipped: tuple[Crown, Account]):
    crown, _ = equipped

    with_custodian, without = (run(crown, "drill", name, "--json").json()["steps"] for name in ("lost-mfa", "custodian-gone"))

    confirmed = "the code is told, and confirmed"
    assert ["the custodian"] == [step["by"] for step in with_custodian if step["step"] == confirmed]
    assert ["the operator"] == [step["by"] for step in without if step["step"] == confirmed]


def test_a_way_that_is_closed_is_a_failure_that_says_at_which_step(bare: tuple[Crown, Account]):
    crown, _ = bare

    ended = run(crown, "drill", "lost-mailbox", "--json")

    answer = ended.json()
    assert (1, False) == (ended.code, answer["ok"])
    assert [("root proves the password", False)] == [(step["step"], step["worked"]) for step in answer["steps"]]
    assert "the mailbox by which it would choose one is lost" in answer["steps"][0]["reason"]


def test_without_a_key_of_roots_its_leak_is_rehearsed_with_one_made_in_the_copy(bare: tuple[Crown, Account]):
    crown, account = bare

    ended = run(crown, "drill", "leaked-root-key", "--account", account.id, "--json")

    assert (0, True) == (ended.code, ended.json()["ok"]), ended.out
    assert any("one was made in the copy" in each for each in ended.json()["remarks"])
    assert [] == crown.operator("GET", f"/accounts/{account.id}/root").json()["access_keys"]


def test_the_ways_back_into_a_sealed_account_lead_past_its_custodians_or_slowly_without_them(crowns: Crowns):
    crown = crowns.fresh("sqlite")
    account, _, _ = root_with_app(crown)
    team = custody.seat(crown, account.id)
    team.seal()

    answer = {
        name: run(crown, "drill", name, "--account", account.id, "--json").json() for name in ("lost-mfa", "custodian-gone")
    }
    team.change(lambda db: approver_keys.remove_all(db, team.people[0].identity))
    fewer = run(crown, "drill", "custodian-gone", "--account", account.id, "--json").json()
    crown.close()

    assert [True, True, True] == [each["ok"] for each in (*answer.values(), fewer)], (answer, fewer)
    assert "2 custodians of the team" in answer["lost-mfa"]["steps"][0]["step"]
    assert "without its team" in fewer["steps"][0]["step"]


def test_recoverability_tells_of_the_last_drill_and_doctor_too(equipped: tuple[Crown, Account]):
    crown, account = equipped
    run(crown, "drill", "lost-mfa")

    found = run(crown, "recoverability", account.id, "--json").json()

    assert ("lost-mfa", True) in [(each["name"], each["worked"]) for each in found["drills"]]
    checks = {each["check"]: each for each in run(crown, "doctor", "--json").json()["checks"]}
    assert "drill" in checks


def test_which_account_must_be_said_where_there_are_several(equipped: tuple[Crown, Account], crowns: Crowns):
    crown = crowns.fresh("sqlite")
    crown.account()
    crown.account()

    codes = [run(crown, "drill", name).code for name in ("lost-mfa", "no-such-drill")]
    crown.close()

    assert [2, 2] == codes
