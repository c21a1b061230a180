"""What anybody may read of the trail, as C2SP's tlog-tiles has it: the newest checkpoint, tiles of hashes, bundles of leaves.

A leaf says when something happened in which account, and nothing else; whoever has its record can see that it is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.audit import tiles
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.tiles import Tile
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import checkpoints, leaves, tree
from crownkeep.storage.trail.checkpoints import CheckpointRow

PREFIX = "/tlog/"
_SHOWN_FOR = "public, max-age=1"
_NEVER_CHANGES = "public, max-age=604800, immutable"


@dataclass(frozen=True, slots=True)
class Published:
    """One answer: its bytes, what they are, and for how long they may be kept."""

    body: bytes
    content_type: str
    cache_control: str


def published(db: Transaction, path: str) -> Published | None:
    """Return what lies at a path beneath the prefix, None where nothing does; raises IncompleteTree."""
    newest = checkpoints.newest(db)
    if newest is None:
        return None
    if path == "checkpoint":
        return Published(note(db, newest).encode(), "text/plain; charset=utf-8", _SHOWN_FOR)
    tile = tiles.read_path(path)
    if tile is None or not _is_in_tree(tile, newest.size):
        return None
    before = tile.first + tile.width
    if tile.level is None:
        body = tiles.write_bundle(leaves.entries(db, tile.first, before))
    else:
        body = b"".join(tree.row(db, tile.level, tile.first, before))
    return Published(body, "application/octet-stream", _NEVER_CHANGES)


def note(db: Transaction, row: CheckpointRow) -> str:
    """Return a checkpoint with all its signatures that are kept."""
    lines = row.signatures + "".join(checkpoints.cosigned(db, row.size))
    return f"{Checkpoint(row.origin, row.size, row.root).text}\n{lines}"


def _is_in_tree(tile: Tile, size: int) -> bool:
    """Tell whether a checkpoint has shown that the tree has all of a tile."""
    complete = size >> (tiles.HEIGHT * (tile.level or 0))
    return tile.first + tile.width <= complete
