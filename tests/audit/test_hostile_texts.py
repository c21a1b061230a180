"""Whatever bytes a proof, checkpoint, policy, request to a witness, manifest or share has, reading it ends in its own error."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.test_checkpoints import ALL, HEAD, LOG, NOTE, WITNESSES
from tests.credentials.hostile import changed, documents, edited, json_text

from crownkeep.audit import checkpoints, merkle, notes, signed_texts, tlog_policy, tlog_proof, witnessing
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.merkle import WrongProof
from crownkeep.audit.notes import BadSignature, MalformedNote
from crownkeep.audit.tlog_policy import MalformedTlogPolicy
from crownkeep.audit.tlog_proof import Proof
from crownkeep.audit.witnessing import WitnessedTree, WitnessRefusal, WitnessSubmission
from crownkeep.backups import manifest, shares
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.manifest import Manifest, UnsoundManifest
from crownkeep.credentials import split_keys
from crownkeep.credentials.split_keys import MalformedSplitKey

KEYS = [signer.key for signer in ALL]
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(5)]
TREE = checkpoints.signed(Checkpoint(LOG.name, 5, merkle.root_of(LEAVES)), ALL, at=1)
WITNESS_LINES = [f"witness w{number} {each.key.text} https://w{number}.example" for number, each in enumerate(WITNESSES)]
POLICY_LINES = [f"log {LOG.key.text}", *WITNESS_LINES, "group inner any w0 w1", "group outer 2 inner w2", "quorum outer"]
MANIFEST: dict[str, Any] = {
    "format": manifest.FORMAT,
    "backup_id": "1a2b3c4d",
    "made_at": "2026-06-01T00:00:00Z",
    "version": "1",
    "schema_step": "0035",
    "database": "sqlite",
    "sealing_key_id": "k",
    "records": 5,
    "checkpoint": "",
    "rows": {"users": 3},
    "files": 1,
    "parts": [{"name": "part-00001", "size": 9, "sha256": "0" * 64}],
    "vkey": LOG.key.text,
    "pieces": [{"id": "1a2b3c4d", "name": "2026-05.index", "mark": "m", "parts": []}],
}


@given(edited(NOTE.encode().encode()))
def test_a_damaged_checkpoint_is_refused_as_such(content: bytes) -> None:
    with suppress(MalformedNote, BadSignature):
        note = notes.read(content)
        signed = checkpoints.signed_by(note, KEYS)
        # What is said to be signed is exactly what was signed: not a byte of the text may be another.
        assert not signed or NOTE.text == note.text


@given(edited(Proof(2, tuple(LEAVES), TREE, b"extra").encode().encode()), st.binary(max_size=9))
def test_a_damaged_proof_is_refused_as_such(content: bytes, entry: bytes) -> None:
    with suppress(MalformedNote, WrongProof, BadSignature):
        tlog_proof.read(content).check(entry)


@given(
    st.lists(st.sampled_from(POLICY_LINES) | edited(POLICY_LINES[-2].encode()), max_size=8),
    edited("\n".join(POLICY_LINES).encode()),
)
def test_a_hostile_policy_is_refused_as_such_or_asks_for_somebody_s_signature(lines: list[Any], whole: bytes) -> None:
    mixed = b"\n".join(each if isinstance(each, bytes) else each.encode() for each in lines)

    for content in (mixed, mixed + b"\nquorum outer", whole):
        with suppress(MalformedTlogPolicy):
            found = tlog_policy.read(content)
            assert found.quorum == tlog_policy.NONE or not found.is_met_by([])
            with suppress(BadSignature, MalformedNote):
                found.check(NOTE)


def test_a_key_whose_name_is_no_text_is_refused_with_its_line() -> None:
    with pytest.raises(MalformedTlogPolicy, match="line 2"):
        tlog_policy.read(b"# trusted\nlog \x80" + LOG.key.text.encode() + b"\nquorum none\n")


def test_denial_of_service_groups_that_lie_deep_in_one_another_are_counted_without_recursion() -> None:
    chain = [f"group g{number} any {f'g{number - 1}' if number else 'w0'}" for number in range(3_000)]

    found = tlog_policy.read("\n".join([*WITNESS_LINES, *chain, "quorum g2999"]).encode())

    assert (True, False) == (found.is_met_by([WITNESSES[0].key]), found.is_met_by([WITNESSES[1].key]))


REQUEST = WitnessSubmission(3, tuple(LEAVES[:2]), TREE, checkpoints.read(TREE))


@given(edited(REQUEST.encode()))
def test_a_damaged_request_to_cosign_is_refused_as_such(body: bytes) -> None:
    with suppress(WitnessRefusal):
        witnessing.decide(witnessing.read(body), KEYS, WitnessedTree(3, merkle.root_of(LEAVES[:3])))


@given(changed(MANIFEST), st.booleans())
def test_a_hostile_manifest_is_refused_as_such_and_names_no_path_but_ours(content: dict[str, Any], is_signed: bool) -> None:
    text = json_text(content).decode() + "\n"
    note = signed_texts.sign(text, LOG) if is_signed else NOTE

    with suppress(UnsoundManifest):
        found, _ = manifest.read(note.encode().encode(), [])
        assert all(part.name.startswith("part-") and "/" not in part.name for part in found.parts)
        assert all("/" not in piece.folder and not piece.folder.startswith(".") for piece in found.pieces)


@given(edited(manifest.signed(msgspec.convert(MANIFEST, Manifest, strict=False), LOG)))
def test_a_damaged_manifest_is_refused_as_such(content: bytes) -> None:
    with suppress(UnsoundManifest):
        assert LOG.key == manifest.read(content, [LOG.key])[1]


SPLIT = {"format": "crownkeep-split-key/1", "recipient": "age1", "split": 7, "needed": 2, "wrapped": "AAAA"}


@given(documents(SPLIT), st.sampled_from(["[", '{"a":']))
def test_a_hostile_split_key_is_refused_as_such(content: bytes, deep: str) -> None:
    for text in (content, b'{"x":' + deep.encode() * 5_000):
        with suppress(MalformedSplitKey):
            split_keys.read(text)


WORDS = shares.split(bytes(32), needed=2, shares=3)[0].words.reveal()


@given(edited(WORDS.encode()), st.lists(st.sampled_from(WORDS.split()), max_size=40))
def test_a_damaged_share_is_refused_as_such(text: bytes, words: list[str]) -> None:
    for given_words in (text.decode("latin-1"), " ".join(words)):
        with suppress(BackupFault):
            shares.combine([shares.read(given_words)] * 2)


@pytest.mark.parametrize("size", [0, 1, 1 << 62, (1 << 63) - 1, 10**19 - 1])
def test_a_proof_for_a_tree_of_any_size_is_checked_in_few_steps(size: int) -> None:
    head = checkpoints.signed(Checkpoint(HEAD.origin, size, HEAD.root), [LOG], at=1)

    with suppress(WrongProof, MalformedNote):
        tlog_proof.read(Proof(max(0, size - 1), (HEAD.root,) * 63, head).encode()).check(b"")
