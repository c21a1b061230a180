"""Verification of a database's trail, with public keys alone: what is as it was, what is missing, and what could not be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from crownkeep import untrusted_json
from crownkeep.audit import checkpoints, leaf, notes, tlog_policy, verification
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.notes import BadSignature, MalformedNote, Note
from crownkeep.audit.tlog_policy import Policy
from crownkeep.audit.verification import Kept, Seal, TrailFault, TrailFindings, TreeCheck, Withholding, WithholdingCheck
from crownkeep.domain import trail_keys
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import checkpoints as checkpoint_rows
from crownkeep.storage.trail import leaves, log_keys, reading, sealed_files, sealed_months, withholdings
from crownkeep.storage.trail.log_keys import LOG
from crownkeep.storage.trail.reading import TrailLine
from crownkeep.storage.trail.sealed_files import SealedFileFault
from crownkeep.trail import publishing
from crownkeep.untrusted_json import UnreadableJson

_AT_ONCE = 1000
_MOST_WITNESSED = 50
Progress = Callable[[int], None]


@dataclass(slots=True)
class TrailReport:
    """What a verification came to."""

    findings: TrailFindings = field(default_factory=TrailFindings)
    origin: str = ""
    size: int = 0
    """How many records the tree has."""
    signed: int = 0
    """How many of them a checkpoint tells of that they are held against."""
    records: int = 0
    """How many records there are, sealed ones among them."""
    sealed: int = 0
    """How many of them are in the files of sealed months."""
    withheld: int = 0
    waiting: int = 0
    """How many records wait for their place in the tree."""
    pending: int = 0
    """How many records no checkpoint that is kept counts yet."""
    checkpoints: int = 0
    newest_at: datetime | None = None
    signed_by: list[str] = field(default_factory=list)
    not_seen: list[str] = field(default_factory=list)

    @property
    def is_as_it_was(self) -> bool:
        """Whether nothing was found that is not as it was."""
        return self.findings.count == 0


def verify(db: Transaction, *, policy: Policy | None, olds: Sequence[Note], progress: Progress) -> TrailReport:
    """Verify all of a trail; `olds` are checkpoints that were kept elsewhere. Without a policy the database's own keys count."""
    report = TrailReport()
    # Whoever can write to the database can exchange these keys too: that is why the report says so.
    trusted = policy or own_policy(db)
    if policy is None:
        report.not_seen.append(
            "whether the keys are the log's: they were read from the database; name them with --policy or --key"
        )
    heads = [*_kept_heads(db, report, trusted)]
    given = [*old_heads(report, trusted, olds)]
    for head in given:
        # A log that has signed it must have kept it: it is kept before anybody sees it.
        if head not in heads:
            what = f"the checkpoint of {head.size} that was given is not among those that are kept"
            report.findings.add(TrailFault.CHECKPOINT_CHANGED, what)
    heads += given
    _check_newest(db, report, trusted)
    tree = TreeCheck(report.findings, heads)
    seals = [
        Seal(row.act_event_id, row.month, row.first_event_id, row.before_event_id, row.records) for row in sealed_months.every(db)
    ]
    acts = WithholdingCheck(report.findings, _acts(db), seals, has_files=sealed_files.directory_of(db) is not None)
    nodes = _NodeCheck(db, report.findings, due=max((head.size for head in heads), default=0))
    expected = _read_lines(db, report, tree, nodes, acts, progress)
    tree.finish()
    report.size, report.signed, report.withheld = tree.size, tree.signed, acts.withheld
    _check_strays(db, report, acts)
    _check_resources(db, report, expected)
    for act in acts.acts:
        if (found := _act_record(db, act.act_event_id)) is not _WITHHELD:
            acts.hold(act, found)
    for seal in seals:
        if (found := _act_record(db, seal.act_event_id)) is not _WITHHELD:
            acts.hold_seal(seal, found)
    _say_what_was_not_seen(report, tree)
    if acts.out_of_sight:
        report.not_seen.append(f"{acts.out_of_sight} records of sealed months: their files are not at hand")
    return report


def own_policy(db: Transaction) -> Policy:
    """Return a policy that trusts the keys that the database names as the log's."""
    return tlog_policy.trusting(trail_keys.public(log_keys.every(db, LOG)))


def _kept_heads(db: Transaction, report: TrailReport, trusted: Policy) -> Iterator[Checkpoint]:
    """Yield the checkpoints that the database keeps, each once its signature was seen to be the log's."""
    # Older keys of the log's have signed older checkpoints, and are known from the database alone.
    known = [*trusted.keys, *trail_keys.public(log_keys.every(db, LOG))]
    after = -1
    while page := checkpoint_rows.page(db, after=after, limit=_AT_ONCE):
        for row in page:
            report.checkpoints += 1
            after = row.size
            head = Checkpoint(row.origin, row.size, row.root)
            try:
                signed = checkpoints.signed_by(notes.read(f"{head.text}\n{row.signatures}"), known)
            except (BadSignature, MalformedNote):
                signed = []
            if signed:
                yield head
            else:
                report.findings.add(TrailFault.CHECKPOINT_CHANGED, f"the checkpoint of {row.size} is not what the log signed")


def old_heads(report: TrailReport, trusted: Policy, olds: Sequence[Note]) -> Iterator[Checkpoint]:
    """Yield the checkpoints that somebody kept elsewhere; notes where they are not the log's."""
    for note in olds:
        head = checkpoints.read(note)
        try:
            signed = checkpoints.signed_by(note, trusted.keys)
        except BadSignature as error:
            report.findings.add(TrailFault.SIGNATURE_WRONG, f"the checkpoint of {head.size} that was given: {error}")
            continue
        if not any(each.key.name == head.origin for each in signed):
            what = f"the checkpoint of {head.size} that was given is signed by no known key of the log"
            report.findings.add(TrailFault.SIGNATURE_WRONG, what)
        yield head


def _check_newest(db: Transaction, report: TrailReport, trusted: Policy) -> None:
    """Hold the newest checkpoint, with all its signatures, against the policy."""
    newest = checkpoint_rows.newest(db)
    report.waiting = leaves.pending_count(db)
    report.pending = report.waiting + max(0, leaves.count(db) - (newest.size if newest else 0))
    if newest is None:
        return
    report.origin, report.newest_at = newest.origin, newest.signed_at
    faults = []
    # Witnesses come a few seconds later: the newest that enough of them have signed is the one that counts.
    # At most a few dozen: witnesses are seconds late, and not days.
    for row in (newest, *checkpoint_rows.witnessed(db, at_least=0, limit=_MOST_WITNESSED)):
        try:
            signed = trusted.check(notes.read(publishing.note(db, row)))
        except (BadSignature, MalformedNote) as error:
            faults.append(f"the newest checkpoint, of {newest.size}: {error}")
            continue
        report.signed_by = sorted({each.key.name for each in signed})
        if row.size < newest.size:
            report.not_seen.append(
                f"{newest.size - row.size} leaves are newer than the last checkpoint that enough witnesses signed"
            )
        return
    report.findings.add(TrailFault.SIGNATURE_WRONG, faults[0])


def _acts(db: Transaction) -> list[Withholding]:
    return [
        Withholding(row.act_event_id, row.account_id, row.first_event_id, row.last_event_id, row.records, row.reason)
        for row in withholdings.every(db)
        if row.kind != withholdings.SEAL
    ]


def _read_lines(
    db: Transaction, report: TrailReport, tree: TreeCheck, nodes: _NodeCheck, acts: WithholdingCheck, progress: Progress
) -> int:
    """Hold every leaf against the tree and its record; returns how many rows there must be that find events by resources."""
    expected, unreadable = 0, set[str]()

    def note(fault: SealedFileFault) -> None:
        # A file that can't be read is one finding, and not one for each of its records.
        if str(fault) not in unreadable:
            unreadable.add(str(fault))
            report.findings.add(TrailFault.SEALED_FILE, str(fault))

    for line in reading.lines(db, on_fault=note):
        nodes.hold(tree.add(line.index, line.leaf))
        entry = verification.read_leaf(
            report.findings, line.leaf, index=line.index, event_id=line.event_id, account_id=line.account_id
        )
        report.records += line.is_kept or line.is_sealed
        report.sealed += line.is_sealed
        if line.is_kept:
            expected += len({(kind, name[:512]) for kind, name in line.resources})
        if entry is not None:
            _hold_line(report.findings, acts, entry, line)
        if line.index % _AT_ONCE == 0:
            progress(line.index)
    nodes.finish()
    return expected


def _hold_line(findings: TrailFindings, acts: WithholdingCheck, entry: leaf.Leaf, line: TrailLine) -> None:
    if not line.is_kept and not line.is_sealed:
        acts.miss(entry, index=line.index)
    elif line.record is None:
        event_id = verification.written_id(entry.event_id)
        what = f"the record of event {event_id} can't be read any more"
        findings.add(TrailFault.RECORD_CHANGED, what, index=line.index, event_id=event_id)
    else:
        verification.hold_record(findings, entry, kept(line, line.record), index=line.index)


def kept(line: TrailLine, record: bytes) -> Kept:
    """Return a line's record with what it is found by."""
    return Kept(
        microseconds=line.microseconds,
        source=line.source,
        name=line.name,
        read_only=line.read_only,
        username=line.username,
        access_key_id=line.access_key_id,
        record=record,
        resources=line.resources,
    )


class _NodeCheck:
    """Holds the nodes that are kept against those that the leaves lead to.

    Those above leaves that no checkpoint counts yet may still be missing: they are kept before it is signed.
    """

    def __init__(self, db: Transaction, findings: TrailFindings, *, due: int) -> None:
        self._db = db
        self._findings = findings
        self._due = due
        self._levels: dict[int, Iterator[tuple[int, bytes]]] = {}
        self._next: dict[int, tuple[int, bytes] | None] = {}

    def hold(self, completed: Sequence[tuple[int, int, bytes]]) -> None:
        for level, number, found in completed:
            if level not in self._levels:
                self._levels[level] = reading.nodes(self._db, level)
                self._next[level] = next(self._levels[level], None)
            # Nodes that the leaves never led to: somebody has added them.
            while (there := self._next[level]) is not None and there[0] < number:
                self._differ(level, there[0])
                self._next[level] = next(self._levels[level], None)
            if there is not None and there[0] == number:
                is_wrong = there[1] != found
                self._next[level] = next(self._levels[level], None)
            else:
                is_wrong = number + 1 << 8 * level <= self._due
            if is_wrong:
                self._differ(level, number)

    def finish(self) -> None:
        for level, there in self._next.items():
            if there is not None:
                self._differ(level, there[0])

    def _differ(self, level: int, number: int) -> None:
        first, last = number << 8 * level, (number + 1 << 8 * level) - 1
        what = f"node {number} of level {level} is not what the leaves {first} to {last} lead to"
        self._findings.add(TrailFault.NODE_CHANGED, what, index=first)


def _check_strays(db: Transaction, report: TrailReport, acts: WithholdingCheck) -> None:
    """Name records without a leaf, and leaves that wait and have no record."""
    for account_id, event_id in reading.without_leaf(db, limit=_AT_ONCE):
        written = verification.written_id(event_id)
        what = f"event {written} of account `{account_id}` has no leaf: it was put there by something else than the server"
        report.findings.add(TrailFault.RECORD_WITHOUT_LEAF, what, event_id=written)
    for content in reading.pending_without_record(db, limit=_AT_ONCE):
        acts.miss(leaf.read(content), index=report.size)


def _check_resources(db: Transaction, report: TrailReport, expected: int) -> None:
    """Hold the rows that find events by their resources against the events: no other rows, and no fewer."""
    right = 0
    for account_id, event_id, name, is_named in reading.strange_resources(db):
        if is_named:
            right += 1
            continue
        written = verification.written_id(event_id)
        what = f"event {written} of account `{account_id}` is found by `{name}`, which it does not name"
        report.findings.add(TrailFault.RESOURCES_CHANGED, what, event_id=written)
    # As many right rows as there must be: none is missing, and the second pass is spared.
    if right >= expected:
        return
    for line in reading.lines(db, on_fault=lambda _: None):
        for resource in line.resources if line.is_kept else ():
            if not reading.is_found_by(db, line.account_id, line.event_id, resource):
                written = verification.written_id(line.event_id)
                what = f"event {written} is not found by `{resource[1]}`, which it names"
                report.findings.add(TrailFault.RESOURCES_CHANGED, what, index=line.index, event_id=written)


_WITHHELD: dict[str, object] = {}
"""What stands for the record of an act that was withheld later; the act that did so is held against its own."""


def _act_record(db: Transaction, event_id: bytes) -> dict[str, object] | None:
    """Return the record of an act, None where the tree has none."""
    try:
        line = reading.of_event(db, UUID(bytes=event_id))
    except SealedFileFault:
        # It was named where the leaves were read.
        return _WITHHELD
    record = line.record if line is not None else reading.awaiting(db, event_id)
    # Withheld later: the act that did so is held against its own record.
    if line is not None and not line.is_kept and not line.is_sealed:
        return _WITHHELD
    if not record:
        return None
    try:
        found: dict[str, object] = untrusted_json.read(record)
    except UnreadableJson:
        # Not the bytes that were recorded, which its own leaf says: what they were is not known.
        return None
    return found


def _say_what_was_not_seen(report: TrailReport, tree: TreeCheck) -> None:
    if report.waiting:
        report.not_seen.append(f"{report.waiting} records wait for their place in the tree")
    if tree.could_not_see:
        report.not_seen.append(f"{tree.could_not_see} leaves behind a gap, which no checkpoint could be held against")
    unsigned = tree.size - tree.signed
    if unsigned and not tree.could_not_see:
        report.not_seen.append(f"{unsigned} leaves are newer than the last checkpoint that the tree agrees with")
    if report.withheld:
        report.not_seen.append(f"{report.withheld} records were withheld: their leaves are in the tree, their bytes are gone")
