"""Sequencing: leaves that wait get the next indexes, and the tree its nodes, in one transaction under the lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep.audit import merkle
from crownkeep.audit.merkle import Frontier
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import checkpoints, leaves, sequencer_lease, tree

AT_ONCE = 512


class AlteredTree(Exception):
    """The tree is not the one that was signed: what is in the database is no continuation of the last checkpoint."""


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a step of sequencing came to."""

    frontier: Frontier
    """The tree's right edge once the step is committed."""
    count: int
    """How many leaves got their indexes."""


def step(
    db: Transaction, known: Frontier | None, *, holder: str, now: datetime, until: datetime, limit: int = AT_ONCE
) -> Sequenced | None:
    """Give up to `limit` leaves their indexes; returns None where another process holds the lease.

    `known` is the tree's right edge after this process's last step. Raises AlteredTree, and IncompleteTree.
    """
    # The lease's row stays locked to the end of the transaction: nobody else can append meanwhile, whatever clocks say.
    if not sequencer_lease.take(db, holder, now=now, until=until):
        return None
    size = leaves.count(db)
    # What this process remembers is only used where it is the tree in the database; after another's turn it is read anew, and
    # checked.
    frontier = known.copy() if known is not None and known.size == size else _signed_frontier(db, size)
    waiting = leaves.oldest_pending(db, limit=limit)
    if waiting:
        completed: list[tuple[int, int, bytes]] = []
        for each in waiting:
            frontier.append(merkle.leaf_hash(each.leaf), completed)
        leaves.append(db, size, waiting)
        tree.append(db, completed)
    # The frontier runs ahead of the commit: whoever called keeps it only once the transaction is through.
    return Sequenced(frontier, len(waiting))


def _signed_frontier(db: Transaction, size: int) -> Frontier:
    """Return the right edge of the tree as it is in the database, once it was seen to continue the last checkpoint."""
    newest = checkpoints.newest(db)
    if newest is not None:
        if newest.size > size:
            raise AlteredTree(f"the last checkpoint counts {newest.size} records, and the tree has {size}")
        # The proof that nothing of the past was changed before it is built on: a changed past must never be signed.
        if merkle.root_at(newest.size, tree.Nodes(db)) != newest.root:
            raise AlteredTree(f"the first {newest.size} records do not lead to the root of the last checkpoint")
    return tree.frontier(db, size)
