"""Plans, packs, evidence, baselines and log files that somebody else wrote: read, or refused in one sentence."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.advisor.accounts import ID
from tests.advisor.test_evidence_pack import KEY, packed, parts
from tests.credentials.hostile import changed, documents, edited, json_values

from crownkeep import canonical_json, untrusted_json
from crownkeep.advisor import evidence, evidence_pack, findings, plans, recorded, recorded_files, signing
from crownkeep.advisor.evidence import UnreadableEvidence
from crownkeep.advisor.evidence_pack import UnsoundPack
from crownkeep.advisor.findings import UnreadableBaseline
from crownkeep.advisor.plans import Lookup, PlannedCall, PlanStep, Reading, UnreadablePlan
from crownkeep.advisor.recorded import UnreadableRecords
from crownkeep.audit import credential_evidence
from crownkeep.audit.credential_evidence import Altered
from crownkeep.untrusted_json import UnreadableJson

PARTS = parts()
PACK = packed(PARTS)
PLAN: dict[str, Any] = {name: each for name, each in json.loads(PARTS[evidence_pack.PLAN]).items() if name != "signature"}
ASKED = PlannedCall("iam", "GetAccountSummary", {})
MADE = PlanStep("1", "c", "t", 1, ["b"], ASKED, ASKED, Reading(ASKED, "p", None, 1), "aws iam", lookups=(Lookup(ASKED, "p"),))
STEP: dict[str, Any] = {**asdict(MADE), "fingerprint": MADE.fingerprint}
TRUSTED = signing.public_text(KEY)
ZEROS = base64.b64encode(bytes(64)).decode()
RECORD = {"eventName": "GetUser", "eventSource": "iam.amazonaws.com", "eventTime": "2026-06-01T00:00:00Z", "eventID": "e"}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"signature":' * 100_000,
        json.dumps({"a": "\ud800", "signature": {"algorithm": "Ed25519", "key": TRUSTED, "value": ZEROS}}),
        '{"a": NaN, "signature": {}}',
        '{"a": ' + "9" * 5_000 + "}",
        '{"a":' + "[" * 150 + "]" * 150 + "}",
    ],
    ids=["lists", "objects", "half a character", "no number", "a long number", "deeper than can be walked"],
)
def test_a_file_of_json_that_nothing_can_be_done_with_is_refused_as_such(text: str) -> None:
    with pytest.raises(UnreadableJson):
        untrusted_json.read(text)
    with pytest.raises(UnreadablePlan):
        signing.read(text, TRUSTED)
    with pytest.raises(UnreadableEvidence):
        evidence.load(text)
    with pytest.raises(UnreadableBaseline):
        findings.read_baseline(text)
    with pytest.raises(Altered):
        credential_evidence.read(text.encode())


@given(documents({**PLAN, "signature": {"algorithm": "Ed25519", "key": TRUSTED, "value": ZEROS}}))
def test_a_hostile_signed_file_is_refused_as_such(text: bytes) -> None:
    with suppress(UnreadablePlan):
        signing.read(text.decode("latin-1"), TRUSTED)


@given(changed(PLAN), changed(STEP), json_values)
def test_a_hostile_plan_is_refused_as_such(plan: dict[str, Any], step: dict[str, Any], value: Any) -> None:
    for content in (
        plan,
        {**PLAN, "steps": [step]},
        {**PLAN, "steps": [{**STEP, "reading": {**STEP["reading"], "before": value}}]},
    ):
        with suppress(UnreadablePlan):
            assert plans.as_object(plans.of(content))


@given(documents(json.loads(PARTS[evidence_pack.EVIDENCE])), documents({"accepted": [{"check": "c", "resource": "r"}]}))
def test_hostile_evidence_and_baselines_are_refused_as_such(whole: bytes, baseline: bytes) -> None:
    with suppress(UnreadableEvidence):
        evidence.load(whole.decode("latin-1"))
    with suppress(UnreadableBaseline):
        findings.read_baseline(baseline.decode("latin-1"))


@given(edited(PACK))
def test_a_damaged_pack_is_refused_as_such(content: bytes) -> None:
    with suppress(UnsoundPack):
        assert PARTS == evidence_pack.read(content, trusted=TRUSTED).parts


NAMES = st.sampled_from(
    ["/etc/passwd", "../../x", "plan.json", "plan.json ", "a\\b", "", "\x1b[2J", "C:x", "x/" * 300, "\u202ex", "."]
)


ENTRIES = st.tuples(NAMES, st.sampled_from([0, 0o120777, 0o40755]), st.binary(max_size=9))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(st.lists(ENTRIES, max_size=5), json_values.filter(canonical_json.is_storable) | st.none())
def test_a_pack_with_doubled_names_links_and_paths_is_read_as_bytes_or_refused(
    entries: list[tuple[str, int, bytes]], listed: Any
) -> None:
    own = [{"name": name or "x", "sha256": sha256(content).hexdigest()} for name, _, content in entries]
    about = {"format": evidence_pack.FORMAT, "account_id": ID, "made_at": "x", "parts": own if listed is None else listed}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(evidence_pack.MANIFEST, signing.sign(about, KEY))
        for name, mode, content in entries:
            entry = zipfile.ZipInfo(name or "x")
            entry.external_attr = mode << 16
            archive.writestr(entry, content)

    with suppress(UnsoundPack):
        found = evidence_pack.read(file.getvalue(), trusted=TRUSTED)
        # Each part is what its one entry holds, be that called a link or not; nothing was written anywhere.
        assert {each["name"] for each in own} == found.parts.keys()
        assert len(found.parts) == len(entries)


@given(documents(PLAN), st.sampled_from([*evidence_pack._CHECKS]))
def test_a_well_signed_pack_of_hostile_parts_is_told_part_by_part(content: bytes, part: str) -> None:
    few = {name: each for name, each in PARTS.items() if name not in (evidence_pack.EVIDENCE, evidence_pack.REPORT)}
    given_parts = {**few, part: content}

    found = evidence_pack.read(packed(given_parts), trusted=TRUSTED)

    assert all(isinstance(each.detail, str) for each in evidence_pack.checks(found))


def test_a_pack_of_nested_zip_bombs_is_refused_before_it_fills_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_pack, "LARGEST", 100_000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"part-{number}", bytes(90_000))

    with pytest.raises(UnsoundPack, match="more than"):
        evidence_pack.read(file.getvalue())


@given(documents({"Records": [RECORD]}), documents(RECORD), edited(gzip.compress(json.dumps({"Records": [RECORD]}).encode())))
def test_hostile_log_files_are_refused_as_such(
    tmp_path_factory: pytest.TempPathFactory, log: bytes, line: bytes, packed_log: bytes
) -> None:
    place = tmp_path_factory.getbasetemp() / "log.json"

    for content in (log, line, packed_log, line + b"\n" + line):
        place.write_bytes(content)
        with suppress(UnreadableRecords):
            list(recorded_files.of([place]))
        with suppress(UnreadableRecords):
            list(recorded_files.contents([place]))


@pytest.mark.parametrize("line", [b'{"eventName": "\x80"}', b'{"eventName":' + b"[" * 50_000, b'{"record": "\x80"}', b"\xff"])
def test_a_log_file_that_is_no_text_or_nests_without_end_is_refused_as_such(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "log").write_bytes(line)

    with pytest.raises(UnreadableRecords):
        list(recorded_files.of([tmp_path / "log"]))
    with pytest.raises(UnreadableRecords):
        list(map(recorded.read, recorded_files.contents([tmp_path / "log"])))
