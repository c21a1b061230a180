"""`crownkeep trail verify`, `checkpoint`, `prove` and `check`, as an operator and an auditor use them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Terminal
from tests.fixtures.crown import Crown
from tests.fixtures.process import ROOT
from tests.trail import logs

Made = Callable[..., dict[str, Any]]


@pytest.fixture
def checkpoint(made: Made, crownkeep: Terminal, tmp_path: Path) -> Path:
    """A checkpoint that was kept when there were three accounts."""
    for _ in range(3):
        made()
    file = tmp_path / "kept.checkpoint"
    file.write_text(crownkeep("trail", "checkpoint").out, encoding="utf-8")
    return file


def policy(crownkeep: Terminal, tmp_path: Path) -> Path:
    file = tmp_path / "policy"
    file.write_text(crownkeep("trail", "keys").out)
    return file


def first_event(crownkeep: Terminal) -> str:
    accounts = crownkeep("account", "list", "--json").json()["accounts"]
    listed = crownkeep("trail", "list", "--account", accounts[0]["account_id"], "--json").json()["events"]
    return str(listed[0]["eventID"])


def tamper(data: Path, *statements: str) -> None:
    with sqlite3.connect(data / "crownkeep.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_an_untouched_trail_is_as_it_was(checkpoint: Path, crownkeep: Terminal, tmp_path: Path):
    keys = str(policy(crownkeep, tmp_path))

    ended = crownkeep("trail", "verify", "--checkpoint", str(checkpoint), "--policy", keys, "--json")

    answer = ended.json()
    assert (0, True, []) == (ended.code, answer["ok"], answer["findings"])
    assert answer["size"] == answer["records"] == answer["signed"] + answer["pending"] == 3
    assert [answer["origin"]] == answer["signed_by"]


def test_a_verification_is_recorded_with_what_it_found_and_by_which_checkpoint(checkpoint: Path, crownkeep: Terminal, data: Path):
    sound = crownkeep("trail", "verify", "--checkpoint", str(checkpoint), "--record", "--json")
    event_id = first_event(crownkeep)
    tamper(data, f"UPDATE events SET username = 'mallory' WHERE hex(event_id) = '{event_id.replace('-', '').upper()}'")
    spoilt = crownkeep("trail", "verify", "--record", "--json")

    assert (0, 1) == (sound.code, spoilt.code)
    kept = [
        each for each in crownkeep("trail", "list", "--json").json()["events"] if each["eventName"] == "RecordTrailVerification"
    ]
    assert [1, 0] == [each["requestParameters"]["findings"] for each in kept]
    assert [3] == kept[1]["requestParameters"]["checkpoint_sizes"]
    assert sound.json()["size"] == kept[1]["requestParameters"]["size"]


def test_verification_needs_no_secret_and_changes_nothing(checkpoint: Path, crownkeep: Terminal, data: Path):
    for name in ("sealing.key", "operator.token", "metrics.token"):
        (data / name).unlink()
    before = (data / "crownkeep.db").read_bytes()

    ended = crownkeep("trail", "verify", "--data", str(data), "--checkpoint", str(checkpoint))

    assert 0 == ended.code, ended.out + ended.err
    assert "The trail is as it was" in ended.out
    assert before == (data / "crownkeep.db").read_bytes()


def test_a_changed_record_is_named_and_ends_with_1(checkpoint: Path, crownkeep: Terminal, data: Path):
    event_id = first_event(crownkeep)
    tamper(data, f"UPDATE events SET username = 'mallory' WHERE hex(event_id) = '{event_id.replace('-', '').upper()}'")

    ended = crownkeep("trail", "verify", "--json")

    assert 1 == ended.code
    assert [("columns-changed", event_id)] == [(each["kind"], each["event_id"]) for each in ended.json()["findings"]]


def test_a_cut_tail_is_named_by_the_checkpoint_that_was_kept(checkpoint: Path, crownkeep: Terminal, data: Path):
    tables = ("event_resources", "events", "trail_leaves", "trail_checkpoints", "trail_nodes", "trail_cosignatures")
    tamper(data, *(f"DELETE FROM {table}" for table in tables))

    without = crownkeep("trail", "verify")
    found = crownkeep("trail", "verify", "--checkpoint", str(checkpoint))

    assert 0 == without.code
    assert 1 == found.code
    assert "missing since the checkpoint of 3: the records from index 0 to 2" in found.out


def test_a_purged_account_is_counted_as_withheld(checkpoint: Path, crownkeep: Terminal):
    account_id = crownkeep("account", "list", "--json").json()["accounts"][0]["account_id"]
    crownkeep("account", "purge", account_id, "--yes")

    pending = crownkeep("trail", "verify", "--checkpoint", str(checkpoint), "--json")
    crownkeep("trail", "checkpoint")
    answer = crownkeep("trail", "verify", "--checkpoint", str(checkpoint), "--json").json()

    assert 0 == pending.code, pending.out
    assert pending.json()["pending"] > 0
    assert (True, 1, 0) == (answer["ok"], answer["withheld"], answer["pending"])


def test_a_false_claim_of_withholding_is_found(checkpoint: Path, crownkeep: Terminal, data: Path):
    claim = (
        "INSERT INTO trail_withholdings SELECT x'00000000000000000000000000000001', account_id, event_id, event_id, 1, 'law',"
        " 'a judge', 'nobody', 1 FROM events LIMIT 1"
    )
    gone = "DELETE FROM {} WHERE event_id IN (SELECT first_event_id FROM trail_withholdings)"
    tamper(data, claim, gone.format("event_resources"), gone.format("events"))

    answer = crownkeep("trail", "verify", "--json").json()

    assert ["withholding-untrue"] == [each["kind"] for each in answer["findings"]]


def test_a_proof_is_checked_anywhere(checkpoint: Path, crownkeep: Terminal, tmp_path: Path):
    event_id, file = first_event(crownkeep), tmp_path / "event.tlog-proof"
    keys = policy(crownkeep, tmp_path)

    written = crownkeep("trail", "prove", event_id, "--out", str(file))
    elsewhere = Terminal({"CROWNKEEP_DATA": str(tmp_path / "nothing-here")})
    by_policy = elsewhere("trail", "check", str(file), "--policy", str(keys), "--json")
    by_own = crownkeep("trail", "check", str(file))
    alone = elsewhere("trail", "check", str(file))

    assert (0, 0, 0, 2) == (written.code, by_policy.code, by_own.code, alone.code)
    assert event_id == by_policy.json()["record"]["eventID"]


def test_a_proof_by_the_verifier_that_needs_nothing_of_ours(checkpoint: Path, crownkeep: Terminal, tmp_path: Path):
    file = tmp_path / "event.tlog-proof"
    crownkeep("trail", "prove", first_event(crownkeep), "--out", str(file))
    vkeys = crownkeep("trail", "checkpoint", "--json").json()["keys"]

    keyed = [each for vkey in vkeys for each in ("--key", vkey)]
    command = [sys.executable, str(ROOT / "scripts" / "verify_trail.py"), "proof", str(file), *keyed]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "as it was: record" in ended.stdout


@pytest.mark.parametrize(("old", "new"), [("index ", "index 1"), ("extra ey", "extra A")])
def test_a_spoilt_proof_proves_nothing(checkpoint: Path, crownkeep: Terminal, tmp_path: Path, old: str, new: str):
    file = tmp_path / "event.tlog-proof"
    crownkeep("trail", "prove", first_event(crownkeep), "--out", str(file))
    file.write_text(file.read_text().replace(old, new, 1))

    ended = crownkeep("trail", "check", str(file), "--json")

    assert 1 == ended.code
    assert not ended.json()["ok"]


def test_a_copy_of_what_is_published_is_verified(crown: Crown, crownkeep: Terminal, tmp_path: Path):
    crown.account()
    copied = logs.copy(crown, tmp_path / "log")
    keyed = [each for vkey in logs.vkeys(crown) for each in ("--key", vkey)]

    whole = crownkeep("trail", "verify", "--tiles", str(copied), *keyed, "--json")
    bundle = next(each for each in copied.rglob("tile/entries/*") if each.is_file() or each.is_dir())
    spoilt = bundle if bundle.is_file() else next(bundle.iterdir())
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"\0")
    changed = crownkeep("trail", "verify", "--tiles", str(copied), *keyed, "--json")

    assert (0, True) == (whole.code, whole.json()["ok"]), whole.out
    assert (1, False) == (changed.code, changed.json()["ok"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "--tiles", "."), "whose signature you trust"),
        (("verify", "--tiles", ".", "--export", "x"), "not both"),
        (("verify", "--tiles", ".", "--key", "x", "--record"), "the database itself"),
        (("verify", "--key", "x"), "--key"),
        (("verify", "--policy", "missing"), "can't be read"),
        (("prove", "x", "--out", "y"), "event's id"),
        (("check", "missing", "--key", "x"), "--key"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_why(crownkeep: Terminal, words: tuple[str, ...], said: str):
    ended = crownkeep("trail", *words)

    assert 2 == ended.code
    assert said in ended.err
