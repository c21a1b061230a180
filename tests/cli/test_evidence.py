"""`crownkeep evidence` as people and scripts call it: packed on one machine, checked on another."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.advisor.accounts import ID, Account
from tests.advisor.test_evidence_pack import KEY
from tests.advisor.test_evidence_pack import parts as made_up
from tests.cli.conftest import Ended, Terminal
from tests.cli.test_what_if import record
from tests.fixtures.process import Process

from crownkeep.advisor import evidence, evidence_pack, signing


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


def test_a_file_without_end_does_not_fill_the_memory_of_whoever_checks_it(crownkeep: Terminal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evidence_pack, "LARGEST", 2 * 2**20)

    ended = crownkeep("evidence", "check", "/dev/zero")

    assert (2, True) == (ended.code, "`/dev/zero` is larger than 2 MiB, the most that a pack holds" in ended.err)


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


@dataclass(frozen=True, slots=True)
class Whole:
    """A pack with a part of every kind, of an account whose credential audit was signed off, and whom to trust."""

    path: Path
    parts: dict[str, bytes]
    exported: Path
    trust: tuple[str, ...]

    def changed(self, part: str, *, is_signed_anew: bool) -> Path:
        """Write the pack with one byte of a part changed: by somebody without the key, or by whoever has it."""
        with zipfile.ZipFile(self.path) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
        # Of a proof, a byte of its record: a signature that its change hides is left out, and the log's other one suffices.
        middle = (found[part].index(b"\n") + 400) if part.startswith(evidence_pack.TRAIL_PROOFS) else len(found[part]) // 2
        found[part] = found[part][:middle] + bytes([found[part][middle] ^ 1]) + found[part][middle + 1 :]
        changed = self.path.with_name("changed.zip")
        if is_signed_anew:
            del found[evidence_pack.MANIFEST]
            changed.write_bytes(evidence_pack.pack(found, account_id=ID, made_at="2026-01-01T00:00:00Z", key=KEY))
            return changed
        with zipfile.ZipFile(changed, "w") as archive:
            for name, content in found.items():
                archive.writestr(name, content)
        return changed


@pytest.fixture
def whole(crownkeep: Terminal, served: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whole:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    answer = served.account(account_id=ID, email="pack@acme.example", name="pack", admin_user="admin", root_access_key=True)
    audit_id = signed_off(served, answer)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", answer["admin"]["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", answer["admin"]["secret_access_key"])
    exported = tmp_path / "exported.zip"
    ended = crownkeep("credential-audit", "export", audit_id, "--out", str(exported), "--endpoint-url", served.url)
    assert 0 == ended.code, ended.err
    with zipfile.ZipFile(exported) as archive:
        parts = made_up() | {name: archive.read(name) for name in archive.namelist() if name != evidence_pack.MANIFEST}
    keys = crownkeep("trail", "keys", "--data", str(served.data), "--json").json()["log"]
    trust = tuple(word for key in keys for word in ("--log-key", key))
    path = tmp_path / "whole.zip"
    path.write_bytes(evidence_pack.pack(parts, account_id=ID, made_at="2026-01-01T00:00:00Z", key=KEY))
    return Whole(path, parts, exported, trust)


def signed_off(served: Process, told: Any) -> str:
    admin, root = (served.client("credential-audit", told[who]) for who in ("admin", "root"))
    audit_id: str = admin.start_credential_audit(Name="2026 Q4")["CredentialAudit"]["AuditId"]
    for each in admin.list_audited_credentials(AuditId=audit_id)["AuditedCredentials"]:
        (admin if each["IsRoot"] else root).decide_credentials(
            AuditId=audit_id, CredentialIds=[each["CredentialId"]], Decision="KEEP", Reason="in use"
        )
    admin.sign_off_credential_audit(AuditId=audit_id, Statement="Seen.")
    return audit_id


def test_proofs_hold_in_a_pack_and_a_byte_changed_in_any_member_is_found_and_named(crownkeep: Terminal, whole: Whole):
    def check(path: Path, *words: str) -> Ended:
        return crownkeep("evidence", "check", str(path), *words, "--json")

    # What a credential audit exports is a pack of its own, proven by the log.
    trusted, strangers = check(whole.exported, *whole.trust), check(whole.exported)
    old = crownkeep("credential-audit", "verify", str(whole.exported))
    said = {each["part"]: each["detail"] for each in trusted.json()["checks"]}
    assert (0, True) == (trusted.code, "proven to be in the log" in said[evidence_pack.CREDENTIAL_AUDIT])
    assert {"trail-proofs/start.tlog-proof", "trail-proofs/sign-off.tlog-proof"} <= said.keys()
    assert (1, False) == (strangers.code, strangers.json()["ok"])
    assert (2, True) == (old.code, "evidence check" in old.err)

    sound = check(whole.path, "--key", signing.public_text(KEY), *whole.trust)
    assert [] == [each for each in sound.json()["checks"] if not each["ok"]]

    for part in (*whole.parts, evidence_pack.MANIFEST):
        ended = check(whole.changed(part, is_signed_anew=False), *whole.trust)
        assert (1, True) == (ended.code, part in ended.json()["reason"]), part

    # Whoever signs the changed pack anew changes no proof, no plan and no credential audit.
    held = [name for name in whole.parts if name.startswith(evidence_pack.TRAIL_PROOFS)]
    for part in (*held, evidence_pack.PLAN, evidence_pack.PROOF, evidence_pack.EVENTS, evidence_pack.CREDENTIAL_AUDIT):
        ended = check(whole.changed(part, is_signed_anew=True), *whole.trust)
        assert part in {each["part"] for each in ended.json()["checks"] if not each["ok"]}, part
