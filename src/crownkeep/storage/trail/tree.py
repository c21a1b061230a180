"""The tree's inner nodes: the root of every complete subtree of 256 leaves, of 65,536 and so on, which never change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, bindparam, select

from crownkeep.audit import merkle, tiles
from crownkeep.audit.merkle import Frontier
from crownkeep.storage.database import Transaction, run_plainly_for_each
from crownkeep.storage.metadata import metadata
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.trail import leaves

table = Table(
    "trail_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

_APPEND = "INSERT INTO trail_nodes (level, number, hash) VALUES (?, ?, ?)"
_from = Prepared(
    select(table.c.hash)
    .where(table.c.level == bindparam("level"), table.c.number >= bindparam("first"), table.c.number < bindparam("before"))
    .order_by(table.c.number)
)


class IncompleteTree(LookupError):
    """A leaf or a node is missing that the tree must have: somebody has removed it."""


class AlteredTree(Exception):
    """The tree is not the one that was signed, or that its leaves lead to: somebody has changed what is in the database."""


class Nodes:
    """Gives the complete subtrees of the tree in a database by height and number; each tile is read once."""

    def __init__(self, db: Transaction) -> None:
        self._db = db
        self._held: dict[tuple[int, int, int], list[bytes]] = {}

    def __call__(self, height: int, number: int) -> bytes:
        """Return the hash of one complete subtree; raises IncompleteTree."""
        level, above = divmod(height, tiles.HEIGHT)
        first, count = number << above, 1 << above
        # A tile holds 256 hashes of one level; the levels between are computed, not stored.
        return merkle.folded(self._row(level, first, count))

    def _row(self, level: int, first: int, count: int) -> list[bytes]:
        key = (level, first, count)
        if key not in self._held:
            self._held[key] = row(self._db, level, first, first + count)
        return self._held[key]


def row(db: Transaction, level: int, first: int, before: int) -> list[bytes]:
    """Return the hashes of a tile's level, from one number to just below another; raises IncompleteTree."""
    if level == 0:
        found = [merkle.leaf_hash(entry) for entry in leaves.entries(db, first, before)]
    else:
        found = [each[0] for each in _from.all(db, {"level": level, "first": first, "before": before})]
    # Missing rows are the only damage that shows here. Changed ones show when a root is compared.
    if len(found) != before - first:
        raise IncompleteTree(f"the tree lacks something of level {level} between {first} and {before - 1}")
    return found


def frontier(db: Transaction, size: int) -> Frontier:
    """Return the right edge of the tree at a size; raises IncompleteTree."""
    nodes = Nodes(db)
    return Frontier(size, [nodes(height, number) for height, number in merkle.peaks(size)])


def append(db: Transaction, completed: Sequence[tuple[int, int, bytes]]) -> None:
    """Keep those of the subtrees that became complete which a tile holds; each with its height, number and hash.

    Whoever goes on from the last checkpoint may come to some that are kept already, and they stay. Raises AlteredTree, before
    anything is written, where another hash stands in the place of one: it would be served in tiles, and proofs be made of it.
    """
    # Every eighth height is stored, as C2SP tlog-tiles lays trees out: the others follow from them.
    due = [(height // tiles.HEIGHT, number, hash_) for height, number, hash_ in completed if height % tiles.HEIGHT == 0]
    new: list[tuple[int, int, bytes]] = []
    # One look for 256 leaves, so that a look for each costs nothing that counts.
    for level, number, hash_ in due:
        found = _from.all(db, {"level": level, "first": number, "before": number + 1})
        if not found:
            new.append((level, number, hash_))
        elif bytes(found[0][0]) != hash_:
            first, last = number << tiles.HEIGHT * level, (number + 1 << tiles.HEIGHT * level) - 1
            raise AlteredTree(f"node {number} of level {level} is kept already, and the leaves {first} to {last} lead to another")
    if new:
        run_plainly_for_each(db, _APPEND, new)
