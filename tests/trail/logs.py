"""A log as a stranger sees it: its checkpoint, its tiles, and a copy of all of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.fixtures.crown import Crown
from tests.fixtures.patience import until

from crownkeep.audit import checkpoints, notes, tiles
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.tiles import Tile
from crownkeep.domain import trail_keys
from crownkeep.storage.database import Database
from crownkeep.storage.trail import leaves, log_keys


def newest(crown: Crown) -> str:
    """Return the newest checkpoint with its signatures, empty before there is one."""
    answer = crown.request("GET", "/tlog/checkpoint")
    return answer.text if answer.status == 200 else ""


def head(crown: Crown) -> Checkpoint:
    """Return what the newest checkpoint says."""
    return checkpoints.read(notes.read(newest(crown)))


def settled(crown: Crown) -> Checkpoint:
    """Wait until a checkpoint counts everything that has been recorded, and return it."""
    database = Database(crown.settings.database_url)

    def counts_all() -> bool:
        with database.snapshot() as db:
            size, waiting = leaves.count(db), leaves.pending_count(db)
        return waiting == 0 and newest(crown) != "" and head(crown).size == size

    until(counts_all)
    database.close()
    return head(crown)


def vkeys(crown: Crown) -> list[str]:
    """Return the log's public keys."""
    database = Database(crown.settings.database_url)
    with database.snapshot() as db:
        found = [key.text for key in trail_keys.public(log_keys.every(db, log_keys.LOG))]
    database.close()
    return found


def copy(crown: Crown, directory: Path) -> Path:
    """Copy all that the log publishes."""
    size = settled(crown).size
    note = newest(crown)
    for tile in tiles_of(size):
        answer = crown.request("GET", f"/tlog/{tile.path}")
        assert answer.status == 200, tile.path
        place = directory / tile.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(answer.body)
    (directory / "checkpoint").write_text(note, encoding="utf-8")
    return directory


def tiles_of(size: int) -> Iterable[Tile]:
    """Return every tile and bundle of a tree of this size, level by level, bundles first."""
    count, level = size, 0
    yield from _of_level(None, size)
    while count:
        yield from _of_level(level, count)
        count, level = count // tiles.WIDTH, level + 1


def _of_level(level: int | None, count: int) -> Iterable[Tile]:
    for number in range(count // tiles.WIDTH):
        yield Tile(level, number)
    if count % tiles.WIDTH:
        yield Tile(level, count // tiles.WIDTH, count % tiles.WIDTH)
