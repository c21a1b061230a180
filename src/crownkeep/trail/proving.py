"""Proofs of single records: made from the tree, and checked from the file alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from crownkeep import untrusted_json
from crownkeep.audit import checkpoints, leaf, merkle, notes, tlog_proof
from crownkeep.audit.leaf import UnreadableLeaf
from crownkeep.audit.merkle import WrongProof
from crownkeep.audit.notes import BadSignature, MalformedNote
from crownkeep.audit.tlog_policy import Policy
from crownkeep.audit.tlog_proof import Proof
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import checkpoints as checkpoint_rows
from crownkeep.storage.trail import reading, tree
from crownkeep.storage.trail.reading import TrailLine
from crownkeep.storage.trail.tree import IncompleteTree
from crownkeep.trail import publishing
from crownkeep.trail.verifying import TrailReport
from crownkeep.trail.verifying_files import hold_copy


class Unproven(ValueError):
    """There is no proof, or it proves nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A record that a file proves to be in a log."""

    index: int
    size: int
    origin: str
    signed_by: list[str]
    record: str


def prove(db: Transaction, event_id: UUID) -> Proof:
    """Return the proof that a record is in the tree of the newest checkpoint, with the record; raises Unproven."""
    line, newest = reading.of_event(db, event_id), checkpoint_rows.newest(db)
    if line is not None:
        # One that witnesses have signed, too, convinces more people than the very newest.
        newest = next(iter(checkpoint_rows.witnessed(db, at_least=line.index + 1, limit=1)), newest)
    if line is None or newest is None or line.index >= newest.size:
        raise Unproven(f"no event `{event_id}` is in the trail yet: a record is within a second, while a server runs")
    # Its leaf could be proved, but nobody could hold anything against it: `check` refuses such a proof.
    if line.record is None:
        gone = f"event `{event_id}` is in the trail at index {line.index}, but its record is gone"
        raise Unproven(f"{gone}: withheld, if `crownkeep trail verify` finds no fault")
    try:
        hashes = merkle.inclusion_proof(line.index, newest.size, tree.Nodes(db))
    except IncompleteTree as error:
        raise Unproven(f"the tree can't be read: {error}; run `crownkeep trail verify`") from error
    return Proof(line.index, tuple(hashes), notes.read(publishing.note(db, newest)), _extra(line))


def columns(line: TrailLine) -> list[object]:
    """Return what a record is found by, as a copy of it says so."""
    named = [[kind, name] for kind, name in line.resources]
    return [line.source, line.name, line.read_only, line.username, line.access_key_id, named]


def _extra(line: TrailLine) -> bytes:
    """Return what a verifier needs beyond the proof itself: the leaf, the record, and what it is found by."""
    record = line.record.decode() if line.record is not None else None
    extra = {"leaf": notes.encode(line.leaf), "record": record, "columns": columns(line) if record is not None else None}
    return json.dumps(extra, ensure_ascii=False, separators=(",", ":")).encode()


def check(content: bytes, policy: Policy) -> Proven:
    """Check a proof with its record, by the keys of a policy alone; raises Unproven and MalformedNote."""
    proof = tlog_proof.read(content)
    try:
        extra = untrusted_json.read(proof.extra)
        entry, record = notes.decode(extra["leaf"]), extra["record"]
        said = leaf.read(entry)
    except (ValueError, KeyError, TypeError, MalformedNote, UnreadableLeaf) as error:
        raise Unproven("there is no leaf of ours in it") from error
    if not isinstance(record, str):
        raise Unproven("the record was withheld: its leaf is in the tree, and its bytes are gone")
    try:
        signed = policy.check(proof.checkpoint)
        proof.check(entry)
    except (BadSignature, WrongProof) as error:
        raise Unproven(str(error)) from error
    report = TrailReport()
    hold_copy(report, said, record, extra.get("columns"), index=proof.index)
    if not report.is_as_it_was:
        raise Unproven(report.findings.first[0].text)
    head = checkpoints.read(proof.checkpoint)
    return Proven(proof.index, head.size, head.origin, sorted({each.key.name for each in signed}), record)
