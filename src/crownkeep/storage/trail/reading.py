"""Reading the whole trail for verification and export: in the order of the tree, in pages, within one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from crownkeep.storage.database import Transaction, run_plainly
from crownkeep.storage.trail import events, sealed_files, sealed_months, withholdings
from crownkeep.storage.trail.sealed_files import SealedFileFault, SealedLine

_AT_ONCE = 2000
_LONGEST_NAME = 512
_PAGE = (
    "SELECT l.idx, l.event_id, l.account_id, l.leaf, e.happened_at, e.source, e.name, e.read_only, e.username,"
    " e.access_key_id, e.body, e.resources FROM trail_leaves l LEFT JOIN events e"
    " ON e.account_id = l.account_id AND e.event_id = l.event_id WHERE l.idx >= ? ORDER BY l.idx LIMIT ?"
)
_ONE = _PAGE.replace("l.idx >= ? ORDER BY l.idx LIMIT ?", "l.event_id = ?")
_OF_ACCOUNT = (
    "SELECT l.idx, l.event_id, e.body FROM trail_leaves l LEFT JOIN events e"
    " ON e.account_id = l.account_id AND e.event_id = l.event_id WHERE l.account_id = ? AND l.idx > ? ORDER BY l.idx LIMIT ?"
)
_AWAITING = (
    "SELECT e.body FROM trail_pending p JOIN events e ON e.account_id = p.account_id AND e.event_id = p.event_id"
    " WHERE p.event_id = ?"
)
_WITHOUT_LEAF = (
    "SELECT e.account_id, e.event_id FROM events e"
    " LEFT JOIN trail_leaves l ON l.event_id = e.event_id AND l.account_id = e.account_id"
    " LEFT JOIN trail_pending p ON p.event_id = e.event_id AND p.account_id = e.account_id"
    " WHERE l.idx IS NULL AND p.pending_id IS NULL LIMIT ?"
)
_PENDING_WITHOUT_RECORD = (
    "SELECT p.leaf FROM trail_pending p"
    " LEFT JOIN events e ON e.event_id = p.event_id AND e.account_id = p.account_id"
    " WHERE e.event_id IS NULL LIMIT ?"
)
_NAMED = (
    "SELECT r.account_id, r.event_id, r.resource_type, r.resource_name, e.resources FROM event_resources r"
    " LEFT JOIN events e ON e.account_id = r.account_id AND e.event_id = r.event_id"
    " WHERE (r.account_id, r.resource_name, r.event_id, r.resource_type) > (?, ?, ?, ?)"
    " ORDER BY r.account_id, r.resource_name, r.event_id, r.resource_type LIMIT ?"
)
_ROWS_OF = "SELECT resource_type, resource_name FROM event_resources WHERE account_id = ? AND resource_name = ? AND event_id = ?"
_NODES = "SELECT level, number, hash FROM trail_nodes WHERE level = ? AND number >= ? ORDER BY number LIMIT ?"
_resources = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode


@dataclass(slots=True)
class TrailLine:
    """One leaf, and the record that is kept for it; `record` is None where there is none, or where it can't be read."""

    index: int
    event_id: bytes
    account_id: str
    leaf: bytes
    is_kept: bool
    microseconds: int = 0
    source: str = ""
    name: str = ""
    read_only: str = ""
    username: str = ""
    access_key_id: str = ""
    record: bytes | None = None
    resources: tuple[tuple[str, str], ...] = ()
    is_sealed: bool = False
    """Whether the record is in the file of a sealed month, and no longer in the database."""


OnFault = Callable[[SealedFileFault], None]


def _raise(fault: SealedFileFault) -> None:
    raise fault


def lines(db: Transaction, *, first: int = 0, on_fault: OnFault = _raise) -> Iterator[TrailLine]:
    """Yield every leaf from an index on, with its record, in the order of the tree.

    Whoever goes on where a sealed file can't be read is told of it, and sees its leaves as those of records that are gone.
    """
    while True:
        page = run_plainly(db, _PAGE, (first, _AT_ONCE)).fetchall()
        yield from _with_sealed(db, [_line(row) for row in page], on_fault)
        if len(page) < _AT_ONCE:
            return
        first = page[-1][0] + 1


def of_account(db: Transaction, account_id: str, *, after: int, limit: int) -> list[tuple[int, UUID, bytes | None]]:
    """Return an account's records behind an index, each with its index and event; None where one is gone or can't be read."""
    rows = run_plainly(db, _OF_ACCOUNT, (account_id, after, limit)).fetchall()
    gone = [TrailLine(row[0], bytes(row[1]), account_id, b"", is_kept=False) for row in rows if row[2] is None]
    sealed = {line.index: line.record for line in _with_sealed(db, gone, _raise)}
    return [
        (row[0], UUID(bytes=bytes(row[1])), events.unpacked(row[2]) if row[2] is not None else sealed[row[0]]) for row in rows
    ]


def _with_sealed(db: Transaction, lines: Sequence[TrailLine], on_fault: OnFault) -> Sequence[TrailLine]:
    """Add to lines whose records are gone from the database what sealed files have of them."""
    gone = {line.index: line for line in lines if not line.is_kept}
    if not gone:
        return lines
    # A month's ids are a range, as ids begin with the time: so the few months that may have them are found without looking into
    # files.
    event_ids = [bytes(line.event_id) for line in gone.values()]
    hidden = {
        account_id: withholdings.hidden_ranges(db, account_id) for account_id in {line.account_id for line in gone.values()}
    }
    for month in sealed_months.overlapping(db, min(event_ids), max(event_ids) + b"\0"):
        # Verification of a copy without its files goes on, and reports those records as gone.
        if sealed_files.directory_of(db) is None and on_fault is not _raise:
            continue
        try:
            file = sealed_files.file_of(db, month.month)
            blocks = sealed_files.blocks_with(sealed_files.load(file), gone)
        except SealedFileFault as fault:
            on_fault(fault)
            continue
        # One broken block costs its own records and not the month's.
        for block in blocks:
            try:
                found = [line for _, each in sealed_files.lines_of(file, [block]) for line in each]
            except SealedFileFault as fault:
                on_fault(fault)
                continue
            for sealed in found:
                line = gone.get(sealed.index)
                # A file is never rewritten at once: what was withheld after it was written is hidden here until it is.
                if line is not None and not withholdings.is_hidden(bytes(line.event_id), hidden[line.account_id]):
                    _take(line, sealed)
    return lines


def _take(line: TrailLine, sealed: SealedLine) -> None:
    """Take a record from a file; whether it is the one of the leaf is for the verifier to say."""
    if sealed.record is None or sealed.columns is None:
        return
    line.source, line.name, line.read_only, line.username, line.access_key_id, line.resources = sealed.columns
    line.record, line.is_sealed = sealed.record.encode(), True
    line.microseconds = sealed.entry.microseconds


def _line(row: Any) -> TrailLine:
    if row[10] is None:
        return TrailLine(row[0], row[1], row[2], row[3], is_kept=False)
    # Where the resources can't be read, the record counts as unreadable too: they are a part of the leaf.
    named = _named(row[11])
    record = events.unpacked(row[10]) if named is not None else None
    return TrailLine(row[0], row[1], row[2], row[3], True, row[4], row[5], row[6], row[7], row[8], row[9], record, named or ())


def _named(resources: bytes | None) -> tuple[tuple[str, str], ...] | None:
    """Return the resources of an event, None where somebody has made them unreadable."""
    try:
        return _resources(resources) if resources else ()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def without_leaf(db: Transaction, *, limit: int) -> list[tuple[str, bytes]]:
    """Return the account and id of events that have no leaf, up to a limit."""
    return [(row[0], row[1]) for row in run_plainly(db, _WITHOUT_LEAF, (limit,)).fetchall()]


def pending_without_record(db: Transaction, *, limit: int) -> list[bytes]:
    """Return leaves that wait and have no record, up to a limit."""
    return [row[0] for row in run_plainly(db, _PENDING_WITHOUT_RECORD, (limit,)).fetchall()]


def strange_resources(db: Transaction) -> Iterator[tuple[str, bytes, str, bool]]:
    """Yield every row that finds an event by a resource: account, event, the resource's name, and whether the event names it."""
    # Paged by the whole key and not by an offset: nothing is skipped, and each page costs the same.
    after: tuple[object, ...] = ("", "", b"", "")
    while True:
        page = run_plainly(db, _NAMED, (*after, _AT_ONCE)).fetchall()
        for account_id, event_id, kind, name, resources in page:
            named = {(each, text[:_LONGEST_NAME]) for each, text in _named(resources) or ()}
            yield account_id, event_id, name, (kind, name) in named
        if len(page) < _AT_ONCE:
            return
        account_id, event_id, kind, name = page[-1][:4]
        after = (account_id, name, event_id, kind)


def is_found_by(db: Transaction, account_id: str, event_id: bytes, resource: tuple[str, str]) -> bool:
    """Tell whether an event is found by a resource that it names."""
    rows = run_plainly(db, _ROWS_OF, (account_id, resource[1][:_LONGEST_NAME], event_id)).fetchall()
    return (resource[0], resource[1][:_LONGEST_NAME]) in {(row[0], row[1]) for row in rows}


def nodes(db: Transaction, level: int) -> Iterator[tuple[int, bytes]]:
    """Yield the nodes that are kept of a level, in their order."""
    first = 0
    while True:
        page = run_plainly(db, _NODES, (level, first, _AT_ONCE)).fetchall()
        for row in page:
            yield row[1], row[2]
        if len(page) < _AT_ONCE:
            return
        first = page[-1][1] + 1


def of_event(db: Transaction, event_id: UUID) -> TrailLine | None:
    """Return an event's leaf with its record by its id alone, None where the tree has none."""
    row = run_plainly(db, _ONE, (event_id.bytes,)).fetchone()
    return None if row is None else _with_sealed(db, [_line(row)], _raise)[0]


def awaiting(db: Transaction, event_id: bytes) -> bytes | None:
    """Return the record of an event whose leaf has no index yet."""
    row = run_plainly(db, _AWAITING, (event_id,)).fetchone()
    return None if row is None else events.unpacked(row[0])
