"""Notes, keys, cosignatures, proofs and policies: round trips, the specification's own example, and every way to spoil one."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import verify_trail

from crownkeep.audit import checkpoints, leaf, merkle, notes, tlog_policy, tlog_proof
from crownkeep.audit.checkpoints import Checkpoint, Signer
from crownkeep.audit.notes import BadSignature, MalformedNote, SignatureType
from crownkeep.audit.tlog_policy import MalformedTlogPolicy
from crownkeep.audit.tlog_proof import Proof

ORIGIN = "log.example/trail"
LOG = Signer(ORIGIN, SignatureType.ED25519, sha256(b"log").digest())
QUANTUM_SAFE = Signer(ORIGIN, SignatureType.MLDSA44_COSIGNATURE, sha256(b"pq").digest())
WITNESSES = [Signer(f"witness.example/{n}", SignatureType.ED25519_COSIGNATURE, sha256(bytes([n])).digest()) for n in range(3)]
ALL = [LOG, QUANTUM_SAFE, *WITNESSES]
HEAD = Checkpoint(ORIGIN, 5, merkle.leaf_hash(b"root"))
NOTE = checkpoints.signed(HEAD, ALL, at=1_700_000_000)

# The example of C2SP's signed-note.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""


def test_the_specification_s_example_is_read_as_it_is_written():
    note = notes.read(EXAMPLE)

    assert EXAMPLE == note.encode()
    assert EXAMPLE_KEY == notes.read_key(EXAMPLE_KEY).text
    assert notes.key_of(note.signatures[0], [notes.read_key(EXAMPLE_KEY)]) is not None


def test_a_checkpoint_says_who_signed_it_and_when():
    read = notes.read(NOTE.encode())

    found = checkpoints.signed_by(read, [signer.key for signer in ALL])

    assert HEAD == checkpoints.read(read)
    assert [signer.key for signer in ALL] == [each.key for each in found]
    assert [None, *[1_700_000_000] * 4] == [each.at for each in found]


def test_a_second_implementation_accepts_every_kind_of_signature():
    size, root, signed = verify_trail.read_checkpoint(NOTE.encode(), [signer.key.text for signer in ALL])

    assert (5, HEAD.root) == (size, root)
    assert [signer.name for signer in ALL] == signed


@pytest.mark.parametrize("place", range(len(ALL)))
def test_a_wrong_signature_of_a_known_key_spoils_the_note(place: int):
    lines = [*NOTE.signatures]
    blob = bytearray(lines[place].signature)
    blob[-1] ^= 1
    lines[place] = notes.SignatureLine(lines[place].name, lines[place].key_id, bytes(blob))
    spoilt = notes.Note(NOTE.text, tuple(lines))

    with pytest.raises(BadSignature):
        checkpoints.signed_by(spoilt, [signer.key for signer in ALL])
    with pytest.raises(verify_trail.Wrong):
        verify_trail.read_checkpoint(spoilt.encode(), [signer.key.text for signer in ALL])


def test_a_signature_of_an_unknown_key_is_ignored():
    found = checkpoints.signed_by(NOTE, [LOG.key])

    assert [LOG.key] == [each.key for each in found]


def test_a_signature_for_another_log_or_size_does_not_verify():
    for other in (Checkpoint("other.example", 5, HEAD.root), Checkpoint(ORIGIN, 6, HEAD.root), Checkpoint(ORIGIN, 5, bytes(32))):
        for signer in ALL:
            with pytest.raises(BadSignature):
                checkpoints.verify(signer.key, other, signer.sign(HEAD, at=1))


@given(st.text(max_size=200))
def test_no_text_makes_the_readers_fail_otherwise_than_they_say(text: str):
    for reader in (notes.read, notes.read_key, notes.read_line, tlog_proof.read):
        try:
            reader(text)
        except MalformedNote:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        f"{NOTE.text}\n— {ORIGIN} AAAA\n",
        NOTE.encode()[:-1],
        NOTE.encode().replace("— log", "- log"),
        "a\r\n\n— a AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(text: str):
    with pytest.raises(MalformedNote):
        notes.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "a\n5\n",
        f"a\n05\n{notes.encode(bytes(32))}\n",
        f"a\n5\n{notes.encode(bytes(31))}\n",
        f"a\n-5\n{notes.encode(bytes(32))}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str):
    with pytest.raises(MalformedNote):
        checkpoints.read(notes.Note(text, ()))


@pytest.mark.parametrize("vkey", ["", "a+b+c", EXAMPLE_KEY.replace("530d903a", "530d903b"), EXAMPLE_KEY[:-4]])
def test_what_is_no_verifier_key_is_refused(vkey: str):
    with pytest.raises(MalformedNote):
        notes.read_key(vkey)


def proven(place: int) -> tuple[bytes, Proof]:
    """Return a leaf at a place in a tree of five, and its proof."""
    record = b'{"eventID":"00000000-0000-0000-0000-000000000007","recipientAccountId":"111122223333"}'
    columns: list[object] = ["iam.amazonaws.com", "CreateUser", "false", "rööt\x1f", "", [["AWS::IAM::User", "bob"]]]
    found_by = leaf.columns("iam.amazonaws.com", "CreateUser", "false", "rööt\x1f", "", (("AWS::IAM::User", "bob"),))
    entry = leaf.of_record(bytes(15) + b"\7", 1, "111122223333", record, found_by)
    hashes = [merkle.leaf_hash(entry if n == place else bytes([n])) for n in range(5)]
    head = Checkpoint(ORIGIN, 5, merkle.root_of(hashes))
    path = merkle.inclusion_proof(place, 5, lambda height, n: merkle.folded(hashes[n << height : n + 1 << height]))
    extra = json.dumps({"leaf": notes.encode(entry), "record": record.decode(), "columns": columns}).encode()
    return entry, Proof(place, tuple(path), checkpoints.signed(head, ALL, at=1), extra)


def test_a_proof_is_checked_anywhere(tmp_path: Path):
    entry, proof = proven(2)
    file = tmp_path / "event.tlog-proof"
    file.write_text(proof.encode())

    assert proof == tlog_proof.read(file.read_bytes())
    proof.check(entry)
    assert "record 2 of 5" in verify_trail.verify_proof(file, [LOG.key.text])
    with pytest.raises(merkle.WrongProof):
        proof.check(entry + b"\0")


@pytest.mark.parametrize(("place", "said"), [(2, "3"), (0, "-1"), (4, "5"), (4, "-5")])
def test_the_second_implementation_takes_a_record_for_no_other_than_its_own_index(tmp_path: Path, place: int, said: str):
    file = tmp_path / "event.tlog-proof"
    file.write_text(proven(place)[1].encode().replace(f"index {place}", f"index {said}"))

    with pytest.raises(verify_trail.Wrong):
        verify_trail.verify_proof(file, [LOG.key.text])


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**63),
    st.sampled_from(["", "111122223333"]),
    st.binary(max_size=50),
    st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_a_leaf_says_what_it_was_made_of(
    event_id: bytes, at: int, account: str, record: bytes, resources: list[tuple[str, str]], name: str
):
    made = leaf.of_record(event_id, at, account, record, leaf.columns("s", name, "true", "u", "k", resources))

    read = leaf.read(made)

    canonical = json.dumps(["s", name, "true", "u", "k", resources], ensure_ascii=False, separators=(",", ":")).encode()
    assert leaf.Leaf(event_id, at, account, sha256(record).digest(), sha256(record + canonical).digest()) == read
    assert made == read.encode()
    for spoilt in (made[:-1], made + b"\0", b"\2" + made[1:], b""):
        with pytest.raises(leaf.UnreadableLeaf):
            leaf.read(spoilt)


def policy(*lines: str) -> bytes:
    keys = {"LOG": LOG.key.text} | {f"W{place}": each.key.text for place, each in enumerate(WITNESSES)}
    text = "\n".join(lines)
    for name, vkey in keys.items():
        text = text.replace(f"<{name}>", vkey)
    return text.encode()


NAMED = ("# whom we trust", "log <LOG> https://log.example", " witness a <W0>", "witness b\t<W1>", "witness c <W2>")


@pytest.mark.parametrize(
    ("lines", "signers", "is_met"),
    [
        (("quorum none",), [LOG], True),
        (("quorum none",), WITNESSES, False),
        (("quorum a",), [LOG], False),
        (("quorum a",), [LOG, WITNESSES[0]], True),
        (("group g any b c", "quorum g"), [LOG, WITNESSES[0]], False),
        (("group g any b c", "quorum g"), [LOG, WITNESSES[2]], True),
        (("group g 2 b c", "group h all a g", "quorum h"), [LOG, *WITNESSES], True),
        (("group g 2 b c", "group h all a g", "quorum h"), [LOG, *WITNESSES[:2]], False),
    ],
)
def test_a_policy_says_whose_signatures_are_enough(lines: tuple[str, ...], signers: list[Signer], is_met: bool):
    read = tlog_policy.read(policy(*NAMED, *lines))
    note = checkpoints.signed(HEAD, signers, at=1)

    if is_met:
        assert len(signers) == len(read.check(note))
    else:
        with pytest.raises(BadSignature):
            read.check(note)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("quorum d",),
        ("quorum a", "quorum a"),
        ("group g 3 a b", "quorum g"),
        ("group g 0 a b", "quorum g"),
        ("group g any a a", "quorum g"),
        ("group g any a", "group h any a", "quorum h"),
        ("group g any g", "quorum g"),
        ("group none any a", "quorum none"),
        ("witness d <W0>", "quorum none"),
        ("witness d <LOG>", "quorum none"),
        ("log <LOG>", "quorum none"),
        ("what is this", "quorum none"),
        ("quorum none\x00",),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(lines: tuple[str, ...]):
    with pytest.raises(MalformedTlogPolicy):
        tlog_policy.read(policy(*NAMED, *lines))
