"""`crownkeep evidence` as people and scripts call it: packed on one machine, checked on another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.advisor.accounts import Account
from tests.cli.conftest import Terminal
from tests.cli.test_what_if import record

from crownkeep.advisor import evidence


@pytest.fixture
def packed(crownkeep: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "evidence.json").write_text(evidence.save(Account().evidence()))
    (tmp_path / "log.json").write_text(json.dumps({"Records": [record(eventID="e-1", recipientAccountId="111111111111")]}))
    words = ("--from", str(tmp_path / "evidence.json"), "--events", str(tmp_path / "log.json"))

    ended = crownkeep("evidence", "pack", "--out", str(tmp_path / "pack.zip"), *words, "--json")

    assert 0 == ended.code, ended.err
    (tmp_path / "key").write_text(ended.json()["key"])
    return tmp_path / "pack.zip"


def test_a_pack_is_sound_with_the_key_that_was_told(crownkeep: Terminal, packed: Path):
    key = packed.with_name("key").read_text()

    named = crownkeep("evidence", "check", str(packed), "--key", key, "--json")
    unnamed = crownkeep("evidence", "check", str(packed))

    assert (0, True, True) == (named.code, named.json()["ok"], named.json()["key_is_trusted"])
    assert {"evidence.json", "report.json", "events.json"} == {each["part"] for each in named.json()["checks"]}
    assert (0, True) == (unnamed.code, "compare it with the one that you were told" in unnamed.out)
    assert 0o600 == packed.stat().st_mode & 0o777


def test_a_pack_that_was_changed_or_signed_with_another_key_ends_with_one(crownkeep: Terminal, packed: Path):
    other = crownkeep("evidence", "check", str(packed), "--key", "AAAA")
    content = packed.read_bytes()
    packed.write_bytes(content[: len(content) // 2])

    changed = crownkeep("evidence", "check", str(packed), "--json")

    assert [1, 1] == [other.code, changed.code]
    assert (False, "") == (changed.json()["ok"], changed.json().get("account_id", ""))


def test_a_proof_of_a_trail_nobody_vouches_for_proves_nothing(crownkeep: Terminal, packed: Path, tmp_path: Path):
    (tmp_path / "r.tlog-proof").write_text("no proof")
    again = tmp_path / "again.zip"
    words = ("--from", str(tmp_path / "evidence.json"), "--trail-proof", str(tmp_path / "r.tlog-proof"))
    crownkeep("evidence", "pack", "--out", str(again), *words)

    ended = crownkeep("evidence", "check", str(again), "--json")

    assert 1 == ended.code
    assert ["trail-proofs/r.tlog-proof"] == [each["part"] for each in ended.json()["checks"] if not each["ok"]]


def test_what_does_not_fit_together_is_not_packed(crownkeep: Terminal, packed: Path, tmp_path: Path):
    (tmp_path / "plan.json").write_text("{}")

    ended = crownkeep(
        "evidence", "pack", "--out", str(packed), "--from", str(tmp_path / "evidence.json"), "--plan", str(tmp_path / "plan.json")
    )

    assert (1, True) == (ended.code, "plan.json" in ended.err)
