"""Delivery: each serving process delivers what trails have waiting, and no trail is served by two of them at a time.

    due -> claimed (two minutes, renewed with each file) -> files delivered -> out of the queue -> due again after the interval
                                                         -> refused -> shown, recorded, due again after 30 s, 1 min ... 1 h

What is refused stays in the queue as long as it takes. Which events come next is settled before their files are written: after a
death between a file's delivery and the commit that says so, the very same file is delivered again, in its own place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from crownkeep import clock
from crownkeep.audit import digests
from crownkeep.credentials.sealing import Unsealable
from crownkeep.operations.call import Wiring
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.recurring import rest
from crownkeep.storage.trail import buckets as bucket_rows
from crownkeep.storage.trail import digests as digest_rows
from crownkeep.storage.trail import queue, trails
from crownkeep.storage.trail.digests import ChainRow, KeyRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.trail.queue import SettledBatch
from crownkeep.storage.trail.trails import TrailRow
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy
from crownkeep.trail import buckets, digest_files, digest_keys, log_batches, refusals, schedule
from crownkeep.trail.digest_files import DigestFile
from crownkeep.trail.digest_keys import DigestSigner
from crownkeep.trail.directories import BucketRefused
from crownkeep.trail.log_batches import Batch, LogFile

Done = TypeVar("Done")

CLAIMED_FOR = timedelta(minutes=2)
_AT_ONCE = 4
"""Trails that one process serves at the same time: a bucket that does not answer holds up few others."""
_MOST_ROUNDS = 100
_SECONDS_BETWEEN_LOOKS = 1.0
_LOOKS_BETWEEN_SWEEPS = 60
_SECONDS_TO_FINISH = 5.0
_log = logging.getLogger("crownkeep.trail")


class TrailDelivery:
    """The delivery of one process: a task of its event loop, started by the wiring and stopped at the end."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._writer = writer
        self._wiring = wiring
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="trail")

    def start(self) -> None:
        """Begin to look for what is due."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Finish the files that are being delivered, unless that takes too long: then another process delivers them."""
        self._stopping.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=_SECONDS_TO_FINISH)
            for task in late:
                task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def deliver_due(self) -> int:
        """Deliver what is due now, and return how many trails were looked at; raises what the database raises."""
        with self._database.snapshot() as db:
            # Due, not claimed yet: several processes may find the same ones, and `claim` lets one have each.
            found = trails.due(db, now=clock.now(), limit=_AT_ONCE)
        # A bucket that fails in an unforeseen way must not cancel the others' files, which may be half written.
        outcomes = await asyncio.gather(*(self._serve(trail_id) for trail_id in found), return_exceptions=True)
        for trail_id, fault in zip(found, outcomes, strict=True):
            if fault is not None:
                # One trail's fault must not keep others from their files; its claim ends, and it is tried again.
                _log.error("the trail of id `%s` could not be served", trail_id, exc_info=fault)
        return len(found)

    async def _run(self) -> None:
        looks = 0
        while not self._stopping.is_set():
            try:
                # Once a minute: deleted buckets' directories, which costs a walk over the disk.
                if looks % _LOOKS_BETWEEN_SWEEPS == 0:
                    await self._apart(self._sweep)
                looks += 1
                is_busy = await self.deliver_due() == _AT_ONCE
            except (DatabaseFault, WriteFailed, WriterBusy) as error:
                _log.warning("trails can't be looked at (%s); trying again", type(error).__name__)
                is_busy = False
            if not is_busy:
                await rest(self._stopping, _SECONDS_BETWEEN_LOOKS)

    async def _apart(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _sweep(self) -> None:
        with self._database.snapshot() as db:
            discarded = bucket_rows.all_discarded(db)
        if discarded:
            buckets.sweep(self._wiring.settings, discarded)

    async def _commit(self, change: Callable[[Transaction], Done], events: tuple[EventRow, ...] = ()) -> Done:
        return await self._writer.submit(lambda db: Commit(change(db), list(events)))

    async def _serve(self, trail_id: str) -> None:
        now = clock.now()
        trail, settled = await self._commit(partial(_claimed, trail_id=trail_id, now=now))
        # Another process has it, or it was deleted or stopped since it was found.
        if trail is None:
            return
        try:
            is_done = await self._deliver_logs(trail, settled)
        except BucketRefused as fault:
            await self._put_off(trail, log_error=str(fault))
            return
        try:
            if is_done:
                await self._digests_where_due(trail)
        except BucketRefused as fault:
            await self._put_off(trail, digest_error=str(fault))
            return
        await self._commit(partial(schedule.finish, trail=trail, settings=self._wiring.settings, now=clock.now()))

    async def _deliver_logs(self, trail: TrailRow, settled: SettledBatch | None) -> bool:
        """Deliver log files until none wait, and return whether that is so; raises BucketRefused."""
        # Bounded: a trail that gets events faster than it delivers gives its place to others in between.
        for _ in range(_MOST_ROUNDS):
            if settled is None:
                return True
            batch = await self._apart(partial(self._gather, trail, settled))
            for event_id in batch.unreadable:
                _log.error("event %s can't be read and is in no file of `%s`; run `crownkeep trail verify`", event_id, trail.arn)
            for each in batch.files:
                # Every file of a batch is in the bucket before the commit that takes its events out of the queue: rather twice
                # than never.
                await self._apart(partial(self._put, trail, each.row.object_key, each.body, {}))
            settled = await self._commit(partial(_delivered, trail=trail, settled=settled, batch=batch, now=clock.now()))
            if self._stopping.is_set():
                break
        return False

    async def _digests_where_due(self, trail: TrailRow) -> None:
        """Deliver digests at their interval, and the last ones of a trail that is to have no more; raises BucketRefused."""
        if trail.has_digests and not schedule.is_digest_due(trail, now=clock.now()):
            return
        if await self._deliver_digests(trail) and not trail.has_digests:
            await self._commit(lambda db: digest_rows.forget(db, trail.trail_id))

    async def _deliver_digests(self, trail: TrailRow) -> int:
        """Deliver the digest of every chain, and return how many chains there are; raises BucketRefused."""
        now = clock.now()
        with self._database.snapshot() as db:
            chains = digest_rows.chains_of(db, trail.trail_id)
        for chain in chains:
            key = await self._signing_key(chain.region)
            # Settled in a commit of its own before it is written: what a digest covers must not change between its making and its
            # signing.
            await self._commit(partial(digest_files.settle, chain=chain, now=now))
            made = await self._apart(partial(self._digest, trail, chain, key))
            if made is None:
                continue
            await self._apart(partial(self._put, trail, made.object_key, made.body, digests.metadata(made.signature)))
            await self._commit(partial(_digested, trail=trail, made=made, now=clock.now()))
        return len(chains)

    async def _signing_key(self, region: str) -> DigestSigner:
        with self._database.snapshot() as db:
            row = digest_keys.current(db, region, now=clock.now())
        if row is None:
            minted = await self._apart(partial(digest_keys.mint, self._wiring.keyring, region, now=clock.now()))
            row = await self._commit(partial(_keep_key, minted=minted))
        try:
            return digest_keys.opened(self._wiring.keyring, row)
        except Unsealable as error:
            raise BucketRefused("InternalError: the key that signs digests can't be opened; restore the sealing key") from error

    # What follows runs on threads of its own.

    def _gather(self, trail: TrailRow, settled: SettledBatch) -> Batch:
        with self._database.snapshot() as db:
            return log_batches.gather(db, trail, settled)

    def _digest(self, trail: TrailRow, chain: ChainRow, key: DigestSigner) -> DigestFile | None:
        with self._database.snapshot() as db:
            settled = next((each for each in digest_rows.chains_of(db, trail.trail_id) if each.is_same(chain)), None)
            return None if settled is None or settled.planned_end is None else digest_files.make(db, trail, settled, key)

    def _put(self, trail: TrailRow, key: str, body: bytes, metadata: dict[str, str]) -> None:
        with self._database.snapshot() as db:
            row = bucket_rows.of(db, trail.bucket_account_id, trail.bucket_name)
        if row is None:
            raise BucketRefused("NoSuchBucket: The specified bucket does not exist")
        buckets.writable(self._wiring.settings, self._wiring.keyring, row).put(key, body, metadata)

    async def _put_off(self, trail: TrailRow, *, log_error: str | None = None, digest_error: str | None = None) -> None:
        now = clock.now()
        fault = log_error or digest_error or ""
        _log.warning("trail `%s` can't deliver, attempt %d: %s", trail.arn, trail.attempts + 1, fault)
        events = (refusals.event(trail, fault, now=now),) if trail.attempts == 0 else ()
        change = partial(schedule.put_off, trail=trail, now=now, log_error=log_error, digest_error=digest_error)
        await self._commit(change, events)


def _claimed(db: Transaction, *, trail_id: str, now: datetime) -> tuple[TrailRow | None, SettledBatch | None]:
    """Claim a trail, and settle what it delivers first."""
    trail = trails.claim(db, trail_id, now=now, until=now + CLAIMED_FOR)
    return trail, None if trail is None else log_batches.settle(db, trail, now=now)


def _delivered(db: Transaction, *, trail: TrailRow, settled: SettledBatch, batch: Batch, now: datetime) -> SettledBatch | None:
    """Take delivered events out of the queue, and settle the next ones."""
    # Our claim ran out, and whoever has the trail now has put the same files in their places and said so.
    if not queue.unsettle(db, trail.trail_id, settled):
        return log_batches.settle(db, trail, now=now)
    queue.remove(db, trail.trail_id, batch.event_ids)
    if trail.has_digests:
        for each in batch.files:
            _list(db, each, now)
    values: dict[str, object] = {"claimed_until": now + CLAIMED_FOR, "attempts": 0}
    if batch.files:
        values |= {"delivered_at": now, "attempted_at": now, "delivery_error": ""}
    trails.change(db, trail.trail_id, **values)
    return log_batches.settle(db, trail, now=now)


def _list(db: Transaction, made: LogFile, now: datetime) -> None:
    """Have the next digest list a file."""
    row = made.row
    started_at = min(now, row.oldest_at).replace(microsecond=0)
    digest_rows.begin_chain(db, ChainRow(row.trail_id, row.account_id, row.owner_account_id, row.region, started_at))
    digest_rows.add_file(db, row)


def _digested(db: Transaction, *, trail: TrailRow, made: DigestFile, now: datetime) -> None:
    digest_files.follow(db, trail, made)
    trails.change(db, trail.trail_id, claimed_until=now + CLAIMED_FOR, attempts=0, digest_delivered_at=now, digest_error="")


def _keep_key(db: Transaction, *, minted: KeyRow) -> KeyRow:
    """Keep a new key, unless another process has made one meanwhile."""
    found = digest_keys.current(db, minted.region, now=minted.valid_from)
    if found is None:
        digest_rows.add_key(db, minted)
    return found or minted
