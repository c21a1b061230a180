"""Copies of the trail for others: JSON lines that can be verified, CloudTrail's own files, and OCSF events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crownkeep.audit import notes, ocsf
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import microseconds
from crownkeep.storage.trail import checkpoints, reading
from crownkeep.storage.trail.reading import TrailLine
from crownkeep.storage.trail.sealed_files import EXPORT
from crownkeep.trail import proving, publishing

VERSION = 1


@dataclass(frozen=True, slots=True)
class TrailSelection:
    """Which records are wanted; what is None selects nothing out."""

    account_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    event_name: str | None = None
    username: str | None = None
    source: str | None = None
    access_key_id: str | None = None
    event_id: str | None = None
    resource: str | None = None
    text: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == TrailSelection()

    def has(self, line: TrailLine) -> bool:
        """Tell whether a record is wanted: it agrees with everything that the selection names."""
        wanted = (
            (self.account_id, line.account_id),
            (self.event_name, line.name),
            (self.username, line.username),
            (self.source, line.source),
            (self.access_key_id, line.access_key_id),
            (self.event_id, line.event_id.hex()),
        )
        if any(sought is not None and sought != found for sought, found in wanted):
            return False
        if self.since is not None and line.microseconds < microseconds(self.since):
            return False
        if self.until is not None and line.microseconds >= microseconds(self.until):
            return False
        if self.resource is not None and self.resource not in {name for _, name in line.resources}:
            return False
        return self.text is None or self.text.casefold() in (line.record or b"").decode().casefold()


def verifiable(db: Transaction, selection: TrailSelection) -> Iterator[str]:
    """Yield an export line by line: the checkpoint, then each leaf with its record; a withheld record is null.

    A whole export holds the leaves that the checkpoint counts, so that the tree can be built anew from it.
    """
    newest = checkpoints.newest(db)
    if newest is None:
        return
    head = {EXPORT: VERSION, "checkpoint": publishing.note(db, newest), "selected": not selection.is_everything}
    yield json.dumps(head, ensure_ascii=False)
    for line in reading.lines(db):
        if line.index >= newest.size:
            return
        if selection.is_everything or (line.record is not None and selection.has(line)):
            yield json.dumps(_as_json(line), ensure_ascii=False)


def _as_json(line: TrailLine) -> Mapping[str, object]:
    record = line.record.decode() if line.record is not None else None
    columns = proving.columns(line) if record is not None else None
    return {"index": line.index, "leaf": notes.encode(line.leaf), "record": record, "columns": columns}


def records(db: Transaction, selection: TrailSelection) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the index and the record of all that is wanted, in the order of the tree."""
    for index, content in encoded_records(db, selection):
        yield index, json.loads(content)


def encoded_records(db: Transaction, selection: TrailSelection) -> Iterator[tuple[int, bytes]]:
    """Yield the same, each record as it is kept."""
    for line in reading.lines(db):
        if line.record is not None and selection.has(line):
            yield line.index, line.record


def cloudtrail(db: Transaction, selection: TrailSelection) -> Iterator[str]:
    """Yield one CloudTrail log file, in pieces."""
    before = '{"Records":['
    for _, record in records(db, selection):
        yield before + json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        before = ","
    yield ("" if before == "," else before) + "]}"


def ocsf_events(db: Transaction, selection: TrailSelection) -> Iterator[str]:
    """Yield each record as an OCSF event, one a line."""
    for _, record in records(db, selection):
        yield json.dumps(ocsf.of_record(record), ensure_ascii=False)


FORMATS: Mapping[str, tuple[Callable[[Transaction, TrailSelection], Iterator[str]], str]] = {
    "jsonl": (verifiable, "\n"),
    "cloudtrail": (cloudtrail, ""),
    "ocsf": (ocsf_events, "\n"),
}
"""What writes each format, and what stands behind each piece."""
