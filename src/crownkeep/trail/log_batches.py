"""From waiting events to log files: a bounded number at a time, one file for each account and Region.

1. which events come next is settled in the database     so that a second attempt makes the very same files
2. the files are made and delivered
3. the events leave the queue, and the next ones are settled
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crownkeep.audit import log_files, trail_scope
from crownkeep.audit.log_files import LogFolder
from crownkeep.audit.trail_scope import Seen
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import events, queue, trails
from crownkeep.storage.trail.digests import FileRow
from crownkeep.storage.trail.queue import SettledBatch
from crownkeep.storage.trail.trails import TrailRow

MOST_EVENTS = 1_000
MOST_BYTES = 8 * 1024 * 1024
"""What is read at once, and so the most that is in one file, before it is compressed."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file that is ready to be delivered."""

    row: FileRow
    body: bytes
    """Compressed, as it is delivered."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that leave the queue together, and the files that they are in."""

    event_ids: Sequence[UUID]
    files: Sequence[LogFile]
    unreadable: Sequence[UUID]
    """Those whose records were made unreadable; they are in no file, and hold nobody else's up."""


def settle(db: Transaction, trail: TrailRow, *, now: datetime) -> SettledBatch | None:
    """Settle which events a trail delivers next, None where none wait; the same ones until they are delivered."""
    return queue.settle(db, trail.trail_id, trail.account_id, limit=MOST_EVENTS, now=now)


def gather(db: Transaction, trail: TrailRow, settled: SettledBatch) -> Batch:
    """Make files of settled events, the same each time; what the trail does not cover leaves the queue with them."""
    waiting = queue.waiting(db, trail.trail_id, settled.event_ids)
    scopes = {version: trail_scope.read_scope(text) for version, text in trails.scopes_of(db, trail.trail_id).items()}
    records = events.records(db, [(each.account_id, each.event_id) for each in waiting])
    taken: list[UUID] = []
    unreadable: list[UUID] = []
    sorted_in: dict[tuple[str, str], list[tuple[Seen, bytes]]] = {}
    size = 0
    for each in waiting:
        record = records.get(each.event_id)
        size += len(record or b"")
        if size > MOST_BYTES and taken:
            break
        taken.append(each.event_id)
        seen = trail_scope.seen_in(record) if record is not None else None
        if record is None or seen is None:
            if each.event_id in records:
                unreadable.append(each.event_id)
            continue
        scope = scopes[each.scope_version]
        if trail_scope.covers(scope, seen):
            region = seen.aws_region if scope.is_multi_region else scope.home_region
            sorted_in.setdefault((each.account_id, region), []).append((seen, record))
    files = [_file(trail, account_id, region, found, settled.settled_at) for (account_id, region), found in sorted_in.items()]
    return Batch(taken, files, unreadable)


def place(trail: TrailRow, account_id: str, region: str) -> LogFolder:
    """Return where a trail's files of an account and Region go."""
    return LogFolder(trail.key_prefix, trail.organization_id or "", account_id, region)


def _file(trail: TrailRow, account_id: str, region: str, found: Sequence[tuple[Seen, bytes]], now: datetime) -> LogFile:
    text = log_files.contents([record for _, record in found])
    sha256 = hashlib.sha256(text)
    distinct = log_files.distinct([trail.trail_id.encode(), sha256.digest()])
    times = [seen.event_time for seen, _ in found]
    row = FileRow(
        trail_id=trail.trail_id,
        object_key=log_files.log_key(place(trail, account_id, region), now, distinct),
        account_id=account_id,
        owner_account_id=trail.account_id,
        region=region,
        bucket_name=trail.bucket_name,
        sha256=sha256.hexdigest(),
        oldest_at=min(times),
        newest_at=max(times),
    )
    return LogFile(row, log_files.compressed(text))
