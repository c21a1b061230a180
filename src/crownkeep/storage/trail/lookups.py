"""Looking records up wherever they are: in the database, or in the files of sealed months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import events, sealed_files, sealed_months, withholdings
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.trail.sealed_files import SealedLine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Hidden = Sequence[tuple[bytes, bytes]]


def newest(
    db: Transaction, account_id: str, *, first: UUID, before: UUID, limit: int, attribute: tuple[str, str] | None = None
) -> list[EventRow]:
    """Return up to `limit` events with ids from `first` to just below `before`, the newest first, sealed ones among them.

    `attribute` is one of LookupEvents' attribute keys and the value it must have. Raises SealedFileFault where a file that is
    needed is missing: what is found would look like all there is.
    """
    if attribute is not None and attribute[0] == "EventId":
        sought = UUID(attribute[1])
        first, before = max(first, sought), min(before, UUID(int=min(sought.int + 1, (1 << 128) - 1)))
    found = events.newest(db, account_id, first=first, before=before, limit=limit, attribute=attribute)
    months = sealed_months.overlapping(db, first.bytes, before.bytes)
    if not months:
        return found
    hidden = withholdings.hidden_ranges(db, account_id)
    for month in months:
        if len(found) < limit or found[-1].event_id.bytes < month.before_event_id:
            file = sealed_files.file_of(db, month.month)
            sealed = _in_file(file, account_id, attribute, (first.bytes, before.bytes), hidden, limit)
            found = sorted({row.event_id: row for row in (*sealed, *found)}.values(), key=_id_of, reverse=True)[:limit]
    return found


def sealed_ids(db: Transaction, account_id: str, first: bytes, before: bytes) -> list[bytes]:
    """Return the ids of an account's events that are in files and not withheld, from one to just below another; in no order."""
    hidden = withholdings.hidden_ranges(db, account_id)
    found: list[bytes] = []
    for month in sealed_months.overlapping(db, first, before):
        file = sealed_files.file_of(db, month.month)
        for block in sealed_files.blocks_found_by(sealed_files.load(file), account_id, None):
            for _, lines in sealed_files.lines_of(file, [block]):
                rows = (_wanted(line, account_id, None, (first, before), hidden) for line in lines)
                found += [row.event_id.bytes for row in rows if row is not None]
    return found


def _id_of(row: EventRow) -> UUID:
    return row.event_id


def _in_file(
    file: Path, account_id: str, attribute: tuple[str, str] | None, between: tuple[bytes, bytes], hidden: Hidden, limit: int
) -> list[EventRow]:
    index = sealed_files.load(file)
    sought = _as_found(attribute)
    found: list[EventRow] = []
    for block in sealed_files.blocks_found_by(index, account_id, sought):
        if block.last_id < between[0] or block.first_id >= between[1]:
            continue
        if len(found) >= limit and block.last_id < sorted((row.event_id.bytes for row in found), reverse=True)[limit - 1]:
            break
        for _, lines in sealed_files.lines_of(file, [block]):
            found += [row for line in lines if (row := _wanted(line, account_id, sought, between, hidden)) is not None]
    return sorted(found, key=_id_of, reverse=True)[:limit]


def _as_found(attribute: tuple[str, str] | None) -> tuple[str, str] | None:
    if attribute is None:
        return None
    key, value = attribute
    if key == "EventId":
        return key, UUID(value).hex
    return (key, value[:512]) if key == "ResourceName" else attribute


def _wanted(
    line: SealedLine, account_id: str, attribute: tuple[str, str] | None, between: tuple[bytes, bytes], hidden: Hidden
) -> EventRow | None:
    """Return the event of a line if it is one that is sought."""
    entry = line.entry
    if line.record is None or line.columns is None or entry.account_id != account_id:
        return None
    if not between[0] <= entry.event_id < between[1] or withholdings.is_hidden(entry.event_id, hidden):
        return None
    if attribute is not None and attribute not in set(sealed_files.found_by(line, entry)):
        return None
    source, name, read_only, username, access_key_id, resources = line.columns
    return EventRow(
        account_id=account_id,
        event_id=UUID(bytes=entry.event_id),
        happened_at=_EPOCH + timedelta(microseconds=entry.microseconds),
        source=source,
        name=name,
        read_only=read_only,
        username=username,
        access_key_id=access_key_id,
        record=line.record.encode(),
        resources=resources,
    )
