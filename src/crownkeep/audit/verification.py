"""Verification of a trail: records against their leaves, leaves against the tree, the tree against every checkpoint.

It is fed in the order of the tree and keeps nothing of what it has seen but what is wrong, so a trail of any length fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

import msgspec

from crownkeep.audit import leaf, merkle, tiles
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.leaf import Leaf, UnreadableLeaf
from crownkeep.audit.merkle import Frontier

MOST_FINDINGS = 1000


class TrailFault(Enum):
    """What can be wrong with a trail."""

    RECORD_CHANGED = "record-changed"
    COLUMNS_CHANGED = "columns-changed"
    RESOURCES_CHANGED = "resources-changed"
    RECORD_MISSING = "record-missing"
    RECORD_WITHOUT_LEAF = "record-without-leaf"
    LEAF_CHANGED = "leaf-changed"
    LEAF_MISSING = "leaf-missing"
    NODE_CHANGED = "node-changed"
    TREE_CHANGED = "tree-changed"
    TREE_CUT = "tree-cut"
    CHECKPOINT_CHANGED = "checkpoint-changed"
    SIGNATURE_WRONG = "signature-wrong"
    WITHHOLDING_UNTRUE = "withholding-untrue"
    SEALED_FILE = "sealed-file"
    SEAL_UNTRUE = "seal-untrue"


@dataclass(frozen=True, slots=True)
class TrailFinding:
    """One thing that is not as it was."""

    kind: TrailFault
    text: str
    index: int | None = None
    event_id: str = ""


@dataclass(slots=True)
class TrailFindings:
    """What was found so far; beyond a thousand they are only counted."""

    first: list[TrailFinding] = field(default_factory=list)
    counts: Counter[TrailFault] = field(default_factory=Counter)

    def add(self, kind: TrailFault, text: str, *, index: int | None = None, event_id: str = "") -> None:
        """Note one more."""
        # Counted beyond the limit: a trail that was rewritten must not fill the memory of who verifies it.
        self.counts[kind] += 1
        if len(self.first) < MOST_FINDINGS:
            self.first.append(TrailFinding(kind, text, index, event_id))

    @property
    def count(self) -> int:
        """How many there are."""
        return self.counts.total()


class _Said(msgspec.Struct):
    """What a record says of itself; the rest of it is covered by its digest."""

    event_id: str = msgspec.field(name="eventID")
    source: str = msgspec.field(name="eventSource")
    name: str = msgspec.field(name="eventName")
    at: str = msgspec.field(name="eventTime")
    read_only: bool = msgspec.field(name="readOnly")
    account_id: str = msgspec.field(name="recipientAccountId")


_read_record = msgspec.json.Decoder(_Said).decode


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it is kept, with what it is found by."""

    microseconds: int
    source: str
    name: str
    read_only: str
    username: str
    access_key_id: str
    record: bytes
    resources: Sequence[tuple[str, str]]


def hold_record(findings: TrailFindings, entry: Leaf, kept: Kept, *, index: int) -> None:
    """Hold a record, and what it is found by, against its leaf."""
    event_id = written_id(entry.event_id)
    digest = sha256(kept.record)
    # The leaf is in the tree, and the record is not what the leaf says: so it is the record that was changed.
    if digest.digest() != entry.record_sha256:
        findings.add(TrailFault.RECORD_CHANGED, f"the record of event {event_id} was changed", index=index, event_id=event_id)
        return
    # Behind the record, as the leaf was made (`audit.leaf`).
    digest.update(leaf.columns(kept.source, kept.name, kept.read_only, kept.username, kept.access_key_id, kept.resources))
    said = _read(kept.record)
    # The columns may be right in the leaf and still not be the record's: both are asked.
    is_found_rightly = said is not None and (
        said.event_id == event_id
        and said.account_id == entry.account_id
        and said.source == kept.source
        and said.name[:128] == kept.name
        and said.read_only == (kept.read_only == "true")
    )
    if digest.digest() != entry.columns_sha256 or kept.microseconds != entry.microseconds or not is_found_rightly:
        what = f"what event {event_id} is found by is not what its record says"
        findings.add(TrailFault.COLUMNS_CHANGED, what, index=index, event_id=event_id)


def _read(record: bytes) -> _Said | None:
    try:
        return _read_record(record)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class TreeCheck:
    """Builds the tree anew from its leaves, and holds it against the nodes that are kept and the checkpoints that were given."""

    def __init__(self, findings: TrailFindings, heads: Iterable[Checkpoint]) -> None:
        self._findings = findings
        # By size, so that one pass over the leaves meets each of them in turn.
        self._heads = sorted(heads, key=lambda head: head.size)
        self._frontier = Frontier()
        self._is_whole = True
        self._is_changed = False
        self._place = 0
        self.size = 0
        """Up to which index leaves were seen."""
        self.signed = 0
        """Up to which size the tree is the one that a checkpoint tells of."""
        self.pass_heads()

    def add(self, index: int, entry: bytes) -> list[tuple[int, int, bytes]]:
        """Add the next leaf that is there, and return the complete subtrees that it ends, by level and number of their tiles."""
        # A gap: from here on no root can be computed, and nothing more is said of the tree than what is missing.
        if index != self.size:
            self._miss(self.size, index - 1)
        self.size = index + 1
        # Leaves behind a gap are still read and held against their records; only the tree can't be judged.
        if not self._is_whole:
            return []
        completed: list[tuple[int, int, bytes]] = []
        self._frontier.append(merkle.leaf_hash(entry), completed)
        if self._place < len(self._heads):
            self.pass_heads()
        return [(height // tiles.HEIGHT, number, found) for height, number, found in completed if height % tiles.HEIGHT == 0]

    def pass_heads(self) -> None:
        """Hold the tree, as large as it is, against the checkpoints of this size."""
        while self._place < len(self._heads) and self._heads[self._place].size <= self._frontier.size:
            head = self._heads[self._place]
            self._place += 1
            if head.root == self._frontier.root():
                self.signed = max(self.signed, head.size)
            # Said once: every later checkpoint disagrees as well, and says nothing new.
            elif not self._is_changed:
                self._is_changed = True
                where = f"something from index {self.signed} to {head.size - 1} was changed"
                self._findings.add(TrailFault.TREE_CHANGED, f"the tree is not the one of the checkpoint of {head.size}: {where}")

    def finish(self) -> None:
        """Say which checkpoints tell of more than there is."""
        if not self._heads:
            return
        most = self._heads[-1].size
        if most > self.size:
            self._findings.add(
                TrailFault.TREE_CUT, f"missing since the checkpoint of {most}: the records from index {self.size} to {most - 1}"
            )

    @property
    def could_not_see(self) -> int:
        """How many leaves could not be held against any checkpoint, since others before them are missing."""
        return 0 if self._is_whole else self.size - self._frontier.size

    def _miss(self, first: int, last: int) -> None:
        self._is_whole = False
        which = f"index {first}" if first == last else f"the indexes {first} to {last}"
        self._findings.add(TrailFault.LEAF_MISSING, f"the tree lacks {which}", index=first)


def read_leaf(findings: TrailFindings, content: bytes, *, index: int, event_id: bytes, account_id: str) -> Leaf | None:
    """Read a leaf that is kept for an event of an account; notes where it is another's."""
    try:
        entry = leaf.read(content)
    except UnreadableLeaf as error:
        findings.add(TrailFault.LEAF_CHANGED, f"the leaf at index {index} can't be read: {error}", index=index)
        return None
    if entry.event_id != event_id or entry.account_id != account_id:
        findings.add(TrailFault.LEAF_CHANGED, f"the leaf at index {index} is kept as that of another event", index=index)
        return None
    return entry


@dataclass(slots=True)
class Withholding:
    """What an act withheld, as the database has it; `missing` counts the records that are found to be gone by it."""

    act_event_id: bytes
    account_id: str
    first_event_id: bytes
    last_event_id: bytes
    records: int
    reason: str
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed month, as the database has it."""

    act_event_id: bytes
    month: str
    first_event_id: bytes
    before_event_id: bytes
    records: int


class WithholdingCheck:
    """Tells records that were withheld from records that are missing, and holds each act against its own record."""

    def __init__(self, findings: TrailFindings, acts: Iterable[Withholding], seals: Sequence[Seal], *, has_files: bool) -> None:
        self._findings = findings
        self._seals = seals
        self._has_files = has_files
        self.out_of_sight = 0
        """How many records are in the files of sealed months, which are not at hand."""
        self._by_account: dict[str, list[Withholding]] = {}
        # An act over a single record goes before the one that later took everything around it.
        for act in sorted(acts, key=lambda each: (each.first_event_id != each.last_event_id, each.act_event_id)):
            self._by_account.setdefault(act.account_id, []).append(act)

    def miss(self, entry: Leaf, *, index: int) -> None:
        """Note a leaf whose record is not there."""
        for act in self._by_account.get(entry.account_id, ()):
            # No act excuses more records than it says it withheld.
            if act.first_event_id <= entry.event_id <= act.last_event_id and act.missing < act.records:
                act.missing += 1
                return
        event_id = written_id(entry.event_id)
        what = f"the record of event {event_id} of account `{entry.account_id}` is missing"
        # A seal excuses nothing: what it let go has to be in its file.
        for seal in self._seals:
            if seal.first_event_id <= entry.event_id < seal.before_event_id:
                if not self._has_files:
                    self.out_of_sight += 1
                    return
                what += f" from the sealed file of {seal.month}"
        self._findings.add(TrailFault.RECORD_MISSING, what, index=index, event_id=event_id)

    @property
    def acts(self) -> list[Withholding]:
        """Every act."""
        return [act for acts in self._by_account.values() for act in acts]

    @property
    def withheld(self) -> int:
        """How many records were withheld."""
        return sum(act.missing for act in self.acts)

    def hold(self, act: Withholding, record: Mapping[str, Any] | None) -> None:
        """Hold an act against its own record, which the tree holds: it says whose records were withheld, and how many."""
        answer = ((record or {}).get("additionalEventData") or {}).get("withheld") or []
        claimed = {
            "accountId": act.account_id,
            "firstEventId": written_id(act.first_event_id),
            "lastEventId": written_id(act.last_event_id),
            "records": act.records,
            "reason": act.reason,
        }
        if claimed not in answer:
            event_id = written_id(act.act_event_id)
            what = f"no record in the tree says that {act.records} records of account `{act.account_id}` were withheld"
            self._findings.add(TrailFault.WITHHOLDING_UNTRUE, what, event_id=event_id)

    def hold_seal(self, seal: Seal, record: Mapping[str, Any] | None) -> None:
        """Hold a sealed month against the record of the act that sealed it."""
        answer = ((record or {}).get("additionalEventData") or {}).get("sealed") or {}
        if (answer.get("month"), answer.get("records")) != (seal.month, seal.records):
            event_id = written_id(seal.act_event_id)
            what = f"no record in the tree says that {seal.records} records of {seal.month} were sealed"
            self._findings.add(TrailFault.SEAL_UNTRUE, what, event_id=event_id)


def written_id(event_id: bytes) -> str:
    """Return an event's id as records write it."""
    text = event_id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
