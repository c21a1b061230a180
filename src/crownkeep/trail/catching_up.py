"""Sequencing and signing at once, for commands: what was done while no server ran gets its place in the tree, too."""

from __future__ import annotations

from crownkeep import clock
from crownkeep.audit.merkle import Frontier
from crownkeep.credentials.sealing import Keyring
from crownkeep.domain import trail_keys
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import checkpoints, log_keys, sequencer_lease, sequencing
from crownkeep.storage.trail.log_keys import LOG
from crownkeep.storage.trail.sequencing import Sequenced
from crownkeep.trail import signing


def catch_up(database: Database, keyring: Keyring) -> None:
    """Give everything that waits its place, and sign; a server may do so beside it, and neither does anything twice.

    Raises AlteredTree, IncompleteTree and Unsealable.
    """
    trail_keys.prepare(database, keyring)
    holder = clock.token_bytes(16).hex()
    frontier: Frontier | None = None
    while (done := _step(database, frontier, holder)) is not None and done.has_more:
        frontier = done.frontier
    if done is not None and done.frontier.size:
        # Bound to a name of its own: a lambda would see the variable's last value, and mypy can't know that it is no None.
        whole = done.frontier
        database.write(lambda db: _sign(db, keyring, whole))


def _step(database: Database, known: Frontier | None, holder: str) -> Sequenced | None:
    now = clock.now()

    def work(db: Transaction) -> Sequenced | None:
        sequencer_lease.seize(db, holder)
        # It keeps nobody waiting: where a server runs, that goes on at once.
        return sequencing.step(db, known, holder=holder, now=now, until=now)

    return database.write(work)


def _sign(db: Transaction, keyring: Keyring, frontier: Frontier) -> None:
    newest, now = checkpoints.newest(db), clock.now()
    if newest is None or newest.size < frontier.size:
        signers = trail_keys.signers(keyring, log_keys.every(db, LOG), now=now)
        checkpoints.add(db, *signing.sign(frontier, signers, now=now))
