"""Sealing months: written to a file, verified, recorded, and only then dropped from the database; a kill loses nothing.

    file written -> read back, every record held against its leaf -> SealMonth, recorded -> records dropped, a few at a time

Until the act is recorded the database has all, and the file is written anew. From then on the file has all, and what the database
still has is dropped by whoever comes next.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

from crownkeep import clock
from crownkeep.audit import leaf, notes, verification
from crownkeep.audit.leaf import Leaf
from crownkeep.audit.verification import Kept, TrailFindings
from crownkeep.errors import ValidationError
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import checkpoints, leaves, reading, sealed_files, sealed_months, withholdings
from crownkeep.storage.trail.sealed_files import SealedBlock, SealedIndex, SealedLine
from crownkeep.storage.trail.sealed_months import DroppedRecord, SealedMonthRow
from crownkeep.storage.trail.withholdings import Ranges
from crownkeep.trail import publishing

Record = Callable[[str], object]
"""Asks for SealMonth, given the SHA-256 of the file that was verified."""
_LOCK = ".sealing.lock"
_PIECE = 1 << 20
_NAMED = 3
"""Trails that a refusal names."""


class NotSealable(Exception):
    """A month can't be sealed; the message says why, and what to do."""


def seal(database: Database, month: str, *, record: Record) -> SealedMonthRow:
    """Seal a month, or finish what was begun; raises NotSealable, SealedFileFault, OSError, AwsError and DatabaseFault."""
    for _ in steps(database, month, record=record):
        pass
    with database.snapshot() as db:
        row = sealed_months.named(db, month)
    if row is None:
        raise NotSealable(f"the act that seals {month} is not there: seal it again")
    return row


def steps(database: Database, month: str, *, record: Record) -> Generator[str, None, None]:
    """Seal a month step by step, and yield what was done once it is on the disk; whoever comes later goes on from there."""
    with database.snapshot() as db:
        place = _place(db, month)
    # One process at a time, on this machine or another that shares the directory.
    with exclusively(place.parent):
        with database.snapshot() as db:
            # Asked under the lock: another process may have come further meanwhile.
            is_recorded = sealed_months.named(db, month) is not None
        if not is_recorded:
            _write(database, month, place)
            yield "written"
        with database.snapshot() as db:
            # Read back from the disk, also when the act was recorded before: what is dropped next is only there.
            digest = _hold_all(db, place)
        yield "verified"
        if not is_recorded:
            try:
                record(digest)
            except ValidationError:
                # A month that has not ended: its file is of no use to anybody.
                sealed_files.remove(place)
                raise
            yield "recorded"
        yield from _drop(database, place)


def _place(db: Transaction, month: str) -> Path:
    try:
        sealed_months.span(month)
    except ValueError as error:
        raise NotSealable(str(error)) from error
    place = sealed_files.file_of(db, month)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


@contextmanager
def exclusively(directory: Path) -> Iterator[None]:
    """Hold the lock of a directory of sealed files; raises NotSealable where another process does."""
    # A link in the place of the lock could have another file opened.
    descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise NotSealable("another process is at the sealed files: try again when it has ended") from error
    finally:
        os.close(descriptor)


def _write(database: Database, month: str, place: Path) -> None:
    with database.snapshot() as db:
        pending, queued = sealed_months.waiting(db, month)
        if pending:
            raise NotSealable(f"{pending} records of {month} have no place in the tree yet: run the server, and seal it then")
        if queued:
            raise NotSealable(_undelivered(db, month, queued))
        indexes, newest = sealed_months.indexes(db, month), checkpoints.newest(db)
        # The file's own checkpoint must count every record in it, so that it can be verified without the database.
        if indexes is None or newest is None or newest.size <= indexes[1]:
            raise NotSealable(f"the tree has no records of {month}, or no checkpoint counts them all yet")
        head = {"checkpoint": publishing.note(db, newest), "selected": True, "month": month, "token": clock.token_bytes(16).hex()}
        sealed_files.write(place, head, _lines(db, month, indexes))


def _undelivered(db: Transaction, month: str, queued: int) -> str:
    """Return why a month waits for trails, by their names: whoever seals it is not whose trails they are."""
    waiting = sealed_months.awaited(db, month)
    named = ", ".join(f"{each.arn} (bucket `{each.bucket_name}`)" for each in waiting[:_NAMED])
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    return (
        f"{queued} records of {month} are still to be delivered by {named}{more}: `crownkeep trail bucket list` shows"
        " the buckets; give an account the one it lacks, or have it delete the trail"
    )


def _lines(db: Transaction, month: str, indexes: tuple[int, int]) -> Iterator[SealedLine]:
    first, before = sealed_months.ids_of(month)
    for line in reading.lines(db, first=indexes[0]):
        if line.index > indexes[1]:
            return
        if line.is_kept and first.bytes <= bytes(line.event_id) < before.bytes:
            if line.record is None:
                raise NotSealable(f"the record at index {line.index} can't be read any more: run `crownkeep trail verify`")
            columns = (line.source, line.name, line.read_only, line.username, line.access_key_id, line.resources)
            yield SealedLine(line.index, notes.encode(line.leaf), line.record.decode(), columns)


def _hold_all(db: Transaction, place: Path) -> str:
    """Hold every record of a file against its leaf in the tree, and return the file's SHA-256; raises NotSealable."""
    # Of what is on the disk, and by no index that was made before.
    for block, lines in sealed_files.lines_of(place, sealed_files.scan(place).blocks):
        entries = dict(enumerate(leaves.entries(db, block.first_index, block.last_index + 1), block.first_index))
        for line in lines:
            # The leaf in the file is compared with the tree's, and then the record with the leaf.
            if line.record is not None and notes.decode(line.leaf) != entries.get(line.index):
                raise NotSealable(f"the sealed file has another leaf at index {line.index} than the tree")
            _hold(line, line.entry)
    digest = sha256()
    with place.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _hold(line: SealedLine, entry: Leaf) -> None:
    if line.record is None or line.columns is None:
        return
    findings = TrailFindings()
    source, name, read_only, username, access_key_id, resources = line.columns
    record = line.record.encode()
    found = Kept(entry.microseconds, source, name, read_only, username, access_key_id, record, resources)
    verification.hold_record(findings, entry, found, index=line.index)
    if findings.count:
        raise NotSealable(f"{findings.first[0].text}: run `crownkeep trail verify`")


def _drop(database: Database, place: Path) -> Iterator[str]:
    """Drop from the database what the file has, a member at a time: other writers wait no longer than for that."""
    for _, lines in sealed_files.lines_of(place, sealed_files.load(place).blocks):
        with database.snapshot() as db:
            found = _still_kept(db, lines)
        if found:
            database.write(partial(sealed_months.drop, records=found))
            yield "dropped"


def _still_kept(db: Transaction, lines: list[SealedLine]) -> list[DroppedRecord]:
    of_account: dict[str, list[DroppedRecord]] = {}
    for line in lines:
        if line.columns is not None:
            entry = line.entry
            found = DroppedRecord(entry.account_id, entry.event_id, tuple(name for _, name in line.columns[5]))
            of_account.setdefault(entry.account_id, []).append(found)
    kept: list[DroppedRecord] = []
    for account_id, records in of_account.items():
        event_ids = [each.event_id for each in records]
        there = sealed_months.kept_ids(db, account_id, min(event_ids), max(event_ids))
        kept += [each for each in records if each.event_id in there]
    return kept


def destroy_withheld(database: Database) -> int:
    """Destroy in the files what was withheld since it was sealed, and return how many records that were.

    Nobody has seen them since the act; this is about their bytes. Raises SealedFileFault, NotSealable and OSError.
    """
    destroyed = 0
    with database.snapshot() as db:
        directory, months = sealed_files.directory_of(db), sealed_months.every(db)
        hidden = {
            month.month: {row.account_id: withholdings.hidden_ranges(db, row.account_id) for row in rows}
            for month in months
            if (rows := withholdings.sealed_by(db, month.act_event_id))
        }
    if directory is None:
        return 0
    for month, ranges in hidden.items():
        place = directory / f"{month}.jsonl.gz"
        # By the index, which costs a look for each file; the file itself is rewritten only where it must be.
        if any(ranges.values()) and _has_hidden(sealed_files.load(place), ranges):
            with exclusively(directory):
                destroyed += _rewrite(place, month, ranges)
    return destroyed


def _has_hidden(index: SealedIndex, ranges: Mapping[str, Ranges]) -> bool:
    """Tell by the index alone whether a file may hold bytes of what was withheld."""
    for account_id, found in index.accounts.items():
        for first, last in ranges.get(account_id, ()):
            if first > found.last_id or last < found.first_id:
                continue
            key = sealed_files.key_of(account_id, "EventId", first.hex())
            if first != last or any(index.has(block, key) for block in index.blocks):
                return True
    return False


def _rewrite(place: Path, month: str, ranges: Mapping[str, Ranges]) -> int:
    destroyed = 0

    def kept_lines(blocks: list[SealedBlock]) -> Iterator[SealedLine]:
        nonlocal destroyed
        for _, lines in sealed_files.lines_of(place, blocks):
            for line in lines:
                # The leaf stays: it proves that there was a record, and when.
                said = leaf.read(notes.decode(line.leaf))
                if line.record is not None and withholdings.is_hidden(said.event_id, ranges.get(said.account_id, ())):
                    destroyed += 1
                    yield SealedLine(line.index, line.leaf, None, None)
                else:
                    yield line

    head = sealed_files.head_of(place) | {"month": month, "token": clock.token_bytes(16).hex()}
    sealed_files.write(place, head, kept_lines(sealed_files.scan(place).blocks))
    return destroyed
