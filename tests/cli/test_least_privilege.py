"""`crownkeep least-privilege` as people and scripts call it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Terminal
from tests.cli.test_what_if import record

ANN = "arn:aws:iam::111111111111:user/ann"


def test_a_policy_is_printed_and_written_with_what_it_was_made_of(crownkeep: Terminal, tmp_path: Path):
    (tmp_path / "log.json").write_text(json.dumps({"Records": [record(), record()]}))
    words = ("least-privilege", ANN, "--events", str(tmp_path / "log.json"))

    answer = crownkeep(*words, "--out", str(tmp_path / "policy.json"), "--json")
    shown = crownkeep(*words)

    assert (0, answer.json()["policy"]) == (answer.code, json.loads((tmp_path / "policy.json").read_text()))
    assert ["iam:ListUsers", 2] == [answer.json()["recorded"][0][each] for each in ("action", "count")]
    assert ([], None) == (answer.json()["denied"], answer.json()["takes_away"])
    assert (0, True) == (shown.code, "it denies 0 of what was recorded" in shown.out)


def test_nothing_recorded_is_said_so(crownkeep: Terminal, tmp_path: Path):
    (tmp_path / "log.json").write_text(json.dumps({"Records": [record()]}))

    ended = crownkeep("least-privilege", f"{ANN}a", "--events", str(tmp_path / "log.json"))

    assert (1, True) == (ended.code, "nothing is recorded of" in ended.err)
