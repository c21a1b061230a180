"""Sequencing: the tree grows by the leaves that were added to it, and on PostgreSQL those that wait get the next indexes.

All of it is done in one transaction under the lease. On SQLite a leaf has its index from the transaction that wrote it
(`leaves`), so that no more is left to do than to hash it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep.audit import merkle
from crownkeep.audit.merkle import Frontier
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import checkpoints, leaves, sequencer_lease, tree
from crownkeep.storage.trail.checkpoints import CheckpointRow
from crownkeep.storage.trail.tree import AlteredTree, IncompleteTree

AT_ONCE = 2048
"""Leaves in one step: about two milliseconds, for which requests on the same event loop wait."""


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a step of sequencing came to."""

    frontier: Frontier
    """The tree's right edge once the step is committed."""
    has_more: bool
    """Whether another step finds more to do."""


def step(
    db: Transaction, known: Frontier | None, *, holder: str, now: datetime, until: datetime, limit: int = AT_ONCE
) -> Sequenced | None:
    """Let the tree grow, and give up to `limit` leaves their indexes; returns None where another process holds the lease.

    `known` is the tree's right edge after this process's last step. Raises AlteredTree, and IncompleteTree.
    """
    # The lease's row stays locked to the end of the transaction: nobody else can append meanwhile, whatever clocks say.
    if not sequencer_lease.take(db, holder, now=now, until=until):
        return None
    size = leaves.count(db)
    newest = checkpoints.newest(db)
    # What this process remembers is only used where nobody else has signed since; otherwise the tree is read anew, and checked.
    is_known = known is not None and (newest.size if newest else 0) <= known.size <= size
    frontier = known.copy() if known is not None and is_known else _kept_frontier(db, newest, size)
    completed: list[tuple[int, int, bytes]] = []
    first = frontier.size
    entries = leaves.entries(db, first, min(size, first + AT_ONCE))
    if len(entries) != min(size - first, AT_ONCE):
        raise IncompleteTree(f"the tree lacks a leaf between {first} and {size - 1}")
    frontier.extend([merkle.leaf_hash(entry) for entry in entries], completed)
    waiting = leaves.oldest_pending(db, limit=limit) if frontier.size == size else []
    frontier.extend([merkle.leaf_hash(each.leaf) for each in waiting], completed)
    # Nodes first: where a false one stands, no leaf is moved, as the writer commits the works of others beside this one.
    tree.append(db, completed)
    if waiting:
        leaves.append(db, size, waiting)
    # The frontier runs ahead of the commit: whoever called keeps it only once the transaction is through.
    return Sequenced(frontier, frontier.size < size or len(waiting) == limit)


def _kept_frontier(db: Transaction, newest: CheckpointRow | None, size: int) -> Frontier:
    """Return the right edge of the tree of the last checkpoint, once its nodes were seen to lead to that checkpoint's root."""
    if newest is not None:
        if newest.size > size:
            raise AlteredTree(f"the last checkpoint counts {newest.size} records, and the tree has {size}")
        # The proof that nothing of the past was changed before it is built on: a changed past must never be signed.
        if merkle.root_at(newest.size, tree.Nodes(db)) != newest.root:
            raise AlteredTree(f"the first {newest.size} records do not lead to the root of the last checkpoint")
    # Nodes behind the checkpoint may be kept as well, but nobody has vouched for them. Hashing the leaves again, as a rule those
    # of some seconds, holds such nodes against what they lead to.
    return tree.frontier(db, newest.size if newest else 0)
