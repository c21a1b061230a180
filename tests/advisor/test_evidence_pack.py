"""Evidence packs: what was packed is what is read, whatever was changed is noticed, and parts must fit one another."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.advisor.accounts import ID, NOW, Account

from crownkeep.advisor import evidence, evidence_pack, findings, planner, plans, signing
from crownkeep.advisor.evidence_pack import UnsoundPack
from crownkeep.advisor.planner import Wishes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def parts() -> dict[str, bytes]:
    found = Account().evidence()
    plan = signing.sign(plans.as_object(planner.plan(found, Wishes(), lambda _: [])), KEY).encode()
    line = {"plan": sha256(plan).hexdigest(), "step": "1", "event": "done", "at": "x", "detail": ""}
    proof = {"plan_sha256": sha256(plan).hexdigest(), "steps": [{"state": "holds"}]}
    return {
        evidence_pack.EVIDENCE: evidence.save(found).encode(),
        evidence_pack.REPORT: json.dumps(findings.as_object(findings.audit(found))).encode(),
        evidence_pack.PLAN: plan,
        evidence_pack.JOURNAL: json.dumps(line).encode() + b"\n",
        evidence_pack.PROOF: signing.sign(proof, KEY).encode(),
        evidence_pack.EVENTS: json.dumps({"Records": [{"eventID": "e", "recipientAccountId": ID}]}).encode(),
    }


def packed(given: dict[str, bytes] | None = None) -> bytes:
    return evidence_pack.pack(given or parts(), account_id=ID, made_at=evidence.stamp(NOW), key=KEY)


def rezipped(content: bytes, change: dict[str, bytes | None]) -> bytes:
    """Change parts of a pack as somebody without the key would; None takes one away."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in (found | change).items():
            if part is not None:
                archive.writestr(name, part)
    return file.getvalue()


def test_what_was_packed_is_read_and_fits_together():
    found = evidence_pack.read(packed(), trusted=signing.public_text(KEY))

    assert (ID, parts()) == (found.account_id, found.parts)
    assert {each.part for each in evidence_pack.checks(found)} == parts().keys()
    assert [] == [each for each in evidence_pack.checks(found) if not each.is_sound]


def test_a_journal_with_a_line_that_a_kill_cut_off_says_what_its_other_lines_say():
    given = parts()
    (whole,) = given[evidence_pack.JOURNAL].splitlines()
    second = json.loads(whole) | {"step": "2"}
    lines = [whole, whole[: len(whole) // 2], *(json.dumps(second | {"event": each}).encode() for each in ("done", "undone"))]
    given[evidence_pack.JOURNAL] = b"\n".join(lines) + b"\n"

    found = {each.part: each for each in evidence_pack.checks(evidence_pack.read(packed(given)))}

    journal = found[evidence_pack.JOURNAL]
    assert (True, "1 steps were done, and 1 taken back") == (journal.is_sound, journal.detail)


def test_the_same_parts_make_the_same_file():
    assert packed() == packed()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({evidence_pack.REPORT: b"{}"}, "changed since it was signed: report.json"),
        ({"more.txt": b"x"}, "not those of the signed list: more.txt"),
        ({evidence_pack.JOURNAL: None}, "not those of the signed list: plan.json.journal"),
        ({evidence_pack.MANIFEST: None}, "no signed list of parts"),
    ],
)
def test_a_part_that_was_changed_added_or_taken_away_is_noticed(change: Any, said: str):
    with pytest.raises(UnsoundPack, match=said):
        evidence_pack.read(rezipped(packed(), change))


def test_a_list_that_was_changed_or_signed_by_another_is_noticed():
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        manifest = json.loads(archive.read(evidence_pack.MANIFEST))
    changed = json.dumps(manifest | {"account_id": "999999999999"}).encode()
    other = signing.public_text(Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))

    with pytest.raises(UnsoundPack, match="not what was signed"):
        evidence_pack.read(rezipped(packed(), {evidence_pack.MANIFEST: changed}))
    with pytest.raises(UnsoundPack, match="another machine"):
        evidence_pack.read(packed(), trusted=other)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip file"])
def test_what_is_no_zip_file_is_refused(content: bytes):
    with pytest.raises(UnsoundPack):
        evidence_pack.read(content)


def test_a_pack_with_a_byte_changed_anywhere_is_refused_or_says_the_same():
    content, whole = packed(), parts()

    for at in range(0, len(content), len(content) // 150):
        changed = content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :]
        try:
            found = evidence_pack.read(changed)
        except UnsoundPack:
            continue
        assert whole == found.parts  # such as a date in the zip file's own directory


def test_a_part_that_is_compressed_otherwise_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(evidence_pack.MANIFEST, "{}")

    with pytest.raises(UnsoundPack, match="another way"):
        evidence_pack.read(file.getvalue())


def test_a_part_that_unpacks_to_too_much_is_refused_before_it_fills_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evidence_pack, "LARGEST", 1_000)

    with pytest.raises(UnsoundPack, match="more than 1000 bytes"):
        evidence_pack.read(packed({"zeros": bytes(1_000_000)}))


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        (evidence_pack.REPORT, None, "other findings than the report"),
        (evidence_pack.JOURNAL, b'{"plan": "x", "step": "1", "event": "done"}\n', "another plan"),
        (evidence_pack.JOURNAL, b'{"plan": "\n', "another plan"),
        (evidence_pack.PROOF, signing.sign({"plan_sha256": "x", "steps": []}, KEY).encode(), "another plan"),
        (evidence_pack.EVENTS, b"[]", "can't be read"),
        (evidence_pack.EVIDENCE, evidence.save(evidence.of("999999999999", NOW, [])).encode(), "of account 999999999999"),
    ],
)
def test_parts_that_do_not_fit_one_another_are_told(part: str, content: bytes | None, said: str):
    given = parts()
    report = json.loads(given[evidence_pack.REPORT])
    report["findings"][0]["state"] = "PASS" if report["findings"][0]["state"] != "PASS" else "FAIL"
    given[part] = content if content is not None else json.dumps(report).encode()

    found = {each.part: each for each in evidence_pack.checks(evidence_pack.read(packed(given)))}

    assert (False, True) == (found[part].is_sound, said in found[part].detail)
