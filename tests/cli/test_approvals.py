"""`crownkeep approvals`: proofs are verified offline, and what is none is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Terminal
from tests.credentials.test_approval_proofs import GOOD, MEMBERS


def test_a_proof_is_verified_without_a_server(crownkeep: Terminal, tmp_path: Path):
    path = tmp_path / "approval.json"
    path.write_bytes(GOOD)

    shown = crownkeep("approvals", "verify", str(path))
    told = crownkeep("approvals", "verify", str(path), "--json")

    assert 0 == shown.code
    assert "account:CloseAccount" in shown.out
    votes = told.json()["votes"]
    assert [("ann", MEMBERS[0].keys[0].fingerprint), ("bob", MEMBERS[1].keys[0].fingerprint)] == [
        (each["approver"], each["key"]) for each in votes
    ]


def test_what_proves_no_approval_is_refused_in_one_sentence(crownkeep: Terminal, tmp_path: Path):
    value = json.loads(GOOD)
    value["request"]["reason"] = "another reason \x1b[31m"
    for name, content in (
        ("reason", json.dumps(value).encode()),
        ("bytes", b"\xff\xfe"),
        ("list", b"[]"),
        ("deep", b"[" * 100_000),
    ):
        path = tmp_path / name
        path.write_bytes(content)

        refused = crownkeep("approvals", "verify", str(path))

        assert 1 == refused.code, name
        assert 1 == len(refused.err.strip().splitlines()), name
        assert "\x1b" not in refused.err

    unknown = crownkeep("approvals", "verify", str(tmp_path / "good"), "--key", "00" * 32)
    assert 2 == unknown.code  # there is no such file
