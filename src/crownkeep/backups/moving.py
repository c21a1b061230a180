"""Moving everything from one database to another, offline: rows are hashed on both sides, and the trail is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from crownkeep.audit import notes
from crownkeep.backups import restoring
from crownkeep.backups.faults import BackupFault
from crownkeep.storage import copying, migrate
from crownkeep.storage.copying import Row
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import checkpoints
from crownkeep.trail import publishing

Progress = Callable[[str, int], None]
_SPACE = 1 << 256
_encoder = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class Moved:
    """What was moved: how many rows of each table, and how many records of the trail."""

    rows: dict[str, int] = field(default_factory=dict)
    records: int = 0

    @property
    def total(self) -> int:
        """All rows together."""
        return sum(self.rows.values())


@dataclass(slots=True)
class _Sum:
    """How many rows there are, and a sum of their hashes, which doesn't depend on their order."""

    count: int = 0
    total: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.count += 1
            self.total = (self.total + int.from_bytes(hashlib.sha256(_encoder.encode(list(row))).digest(), "big")) % _SPACE


def move(source: Database, target: Database, *, progress: Progress) -> Moved:
    """Copy every row into an empty database, all or nothing, and prove that it is the same; the source is only read.

    Raises BackupFault where the target is not empty, the source of another version, or anything did not arrive.
    """
    if not migrate.is_current(source):
        raise BackupFault("the database to move is of an older version: start the server once, which brings it up to date")
    if not copying.is_empty(target):
        raise BackupFault("the target is not empty, and nothing is written over: name a new database")
    migrate.upgrade(target)
    moved = Moved()
    with source.snapshot() as old:
        newest = checkpoints.newest(old)
        olds = [] if newest is None else [notes.read(publishing.note(old, newest))]
        with target.transaction() as new:
            for name in copying.tables():
                moved.rows[name] = _copied(old, new, name, progress)
            copying.finish(new)
            report = restoring.prove(new, olds)
    moved.records = report.size + report.waiting
    return moved


def _copied(old: Transaction, new: Transaction, name: str, progress: Progress) -> int:
    columns, sent, arrived = copying.columns(name), _Sum(), _Sum()
    copying.clear(new, name)
    for rows in copying.rows(old, name):
        copying.add(new, name, columns, rows)
        sent.add(rows)
        progress(name, len(rows))
    for rows in copying.rows(new, name):
        arrived.add(rows)
    if sent != arrived:
        raise BackupFault(f"the rows of `{name}` did not arrive as they were; nothing was kept")
    return sent.count
