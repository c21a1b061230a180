"""The sequencer: every committed record gets its place in the tree, and the tree a signed checkpoint, within a second.

    record committed -> in the tree, under the lease -> checkpoint signed -> kept -> shown

One process at a time does so; each looks several times a second whether something waits and nobody does. No request waits for
it, and it keeps nothing that is not in the database: whoever comes next goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from crownkeep import clock
from crownkeep.audit.merkle import Frontier
from crownkeep.credentials.sealing import Unsealable
from crownkeep.domain import trail_keys
from crownkeep.operations.call import Wiring
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.recurring import rest
from crownkeep.storage.trail import checkpoints, leaves, log_keys, sequencer_lease, sequencing
from crownkeep.storage.trail.checkpoints import CheckpointRow, CosignatureRow
from crownkeep.storage.trail.log_keys import LOG
from crownkeep.storage.trail.sequencing import Sequenced
from crownkeep.storage.trail.tree import AlteredTree, IncompleteTree
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy
from crownkeep.trail import own_records, signing

SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_CHECKPOINTS = 0.5
"""A server that is busy signs no more often: what a checkpoint costs does not depend on how many records it is the first of."""
LEASED_FOR = timedelta(seconds=0.7)
"""How long the others wait for a process that has died; it holds what it does together in no way."""

_SECONDS_TO_FINISH = 5.0
_log = logging.getLogger("crownkeep.trail")


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at the database found."""

    is_mine: bool
    has_pending: bool
    signed_size: int
    size: int


class Sequencer:
    """The sequencer of one process: a task of its event loop, started by the wiring and stopped at the end."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._writer = writer
        self._wiring = wiring
        self._holder = clock.token_bytes(16).hex()
        self._frontier: Frontier | None = None
        self._signing = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._fault = ""
        self._is_altered = False
        self._has_signed = False
        self.leads = False
        """Whether this process is the one that sequences, as of its last look."""

    def start(self) -> None:
        """Begin to look for records."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Finish the step that is under way, and give what waits its place."""
        self._stopping.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=_SECONDS_TO_FINISH)
            for task in late:
                task.cancel()
        self._signing.shutdown(wait=False)

    async def catch_up(self) -> bool:
        """Sequence and sign all that waits; returns whether this process is the one that does.

        Raises what the database raises, AlteredTree, IncompleteTree and Unsealable.
        """
        self._has_signed = False
        look = self._look()
        self.leads = look.is_mine
        # Looking costs a snapshot and no lock: processes that don't lead never disturb the one that does.
        if not look.is_mine:
            return False
        if not look.has_pending and look.size == look.signed_size:
            return True
        while (done := await self._step()) is not None and done.has_more:
            pass
        if done is None:
            return False
        await self._sign(done.frontier)
        self._has_signed = True
        return True

    async def _run(self) -> None:
        while True:
            # Read before the look, so that the last look comes after the stop: what was recorded until then gets its place.
            ending = self._stopping.is_set()
            try:
                await self._go_on()
            except (DatabaseFault, WriteFailed, WriterBusy) as error:
                self._say(f"the trail can't be sequenced ({type(error).__name__}); trying again")
            if ending:
                return
            await rest(self._stopping, SECONDS_BETWEEN_CHECKPOINTS if self._has_signed else SECONDS_BETWEEN_LOOKS)

    async def _go_on(self) -> None:
        """Catch up; a tree that was altered is said and recorded once, so that the operator's receivers are told."""
        try:
            await self.catch_up()
            self._say("")
            self._is_altered = False
        except Unsealable as error:
            self._say(f"no checkpoint is signed: {error}; run `crownkeep trail verify`")
        except (AlteredTree, IncompleteTree) as error:
            # Not whenever the text is another one: it may count the records, of which this makes one more.
            if not self._is_altered:
                await self._writer.record(own_records.tree_altered(str(error), now=clock.now()))
                self._say(f"no checkpoint is signed: {error}; run `crownkeep trail verify`")
            self._is_altered = True

    def _say(self, fault: str) -> None:
        """Say once what is wrong, for as long as it is."""
        if fault and fault != self._fault:
            _log.error("%s", fault)
        self._fault = fault

    def _look(self) -> _Look:
        with self._database.snapshot() as db:
            lease = sequencer_lease.held(db)
            newest = checkpoints.newest(db)
            signed = newest.size if newest else 0
            # A lease that has run out may be taken. Whether two try at once is decided by the row's lock, and not here.
            is_mine = lease is not None and (lease.holder == self._holder or lease.held_until <= clock.now())
            return _Look(is_mine, leaves.has_pending(db), signed, leaves.count(db))

    async def _step(self) -> Sequenced | None:
        """Take one step; what this process knows of the tree is what that step committed."""
        now = clock.now()
        faults: list[Exception] = []

        def work(db: Transaction) -> Commit[Sequenced | None]:
            faults.clear()
            try:
                return Commit(sequencing.step(db, self._frontier, holder=self._holder, now=now, until=now + LEASED_FOR), [])
            except (AlteredTree, IncompleteTree) as error:
                # Nothing was written yet; the works of others in this group go on.
                # Raised out of the group it would have the works of others run again, again and again.
                faults.append(error)
                return Commit(None, [])

        done = await self._writer.submit(work)
        if faults:
            # Nothing in memory may be trusted after this: the next step reads and checks the tree anew.
            self._frontier = None
            raise faults[0]
        self._frontier = done.frontier if done is not None else None
        return done

    async def _sign(self, frontier: Frontier) -> None:
        """Sign the tree as it was committed, keep that, and only then let anybody see it."""
        if frontier.size == 0:
            return
        with self._database.snapshot() as db:
            rows = log_keys.every(db, LOG)
        now = clock.now()
        signers = trail_keys.signers(self._wiring.keyring, rows, now=now)
        # ML-DSA and the like take milliseconds; the event loop serves requests meanwhile. On a thread of their own: those of the
        # loop may be busy with whatever others ask for, and everybody waits for a checkpoint.
        work = partial(signing.sign, frontier, signers, now=now)
        row, others = await asyncio.get_running_loop().run_in_executor(self._signing, work)
        await self._writer.submit(partial(_keep, row=row, others=others))


def _keep(db: Transaction, *, row: CheckpointRow, others: list[CosignatureRow]) -> Commit[None]:
    """Keep a checkpoint, unless another process has meanwhile kept one of a tree as large."""
    newest = checkpoints.newest(db)
    # Never two checkpoints of one size: a log that says two things of one size is what witnesses are there to catch.
    if newest is None or newest.size < row.size:
        checkpoints.add(db, row, others)
    return Commit(None, [])
