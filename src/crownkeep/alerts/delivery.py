"""Delivery: each serving process sends what is due in the outbox, and no notice is sent by two of them.

    due -> claimed (for ten minutes) -> sent -> forgotten, but for when it left and to whom
                                     -> not sent -> due again after 30 s, 1 min, 2 min ... 1 h -> given up after a day

A process that dies after a notice has left and before it is forgotten lets it leave a second time, with the same Message-ID.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from crownkeep import clock
from crownkeep.alerts import messages, sealed_outbox
from crownkeep.alerts.channels import Channel, Undelivered
from crownkeep.credentials.sealing import Unsealable
from crownkeep.operations.call import Wiring
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy

GIVEN_UP_AFTER = timedelta(days=1)
CLAIMED_FOR = timedelta(minutes=10)
SHORTEST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)

_BATCH = 20
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_FINISH = 5.0
_log = logging.getLogger("crownkeep.alerts")


class Delivery:
    """The delivery of one process: a task of its event loop, started by the wiring and stopped at the end."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring, channel: Channel) -> None:
        self._database = database
        self._writer = writer
        self._wiring = wiring
        self._channel = channel
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for notices."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Finish the notice that is being sent, unless that takes too long: then another process sends it later."""
        self._stopping.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=_SECONDS_TO_FINISH)
            for task in late:
                task.cancel()

    async def send_due(self) -> int:
        """Send what is due now, and return how many notices left; raises what the database raises."""
        sent = 0
        with self._database.snapshot() as db:
            found = outbox.due(db, now=clock.now(), limit=_BATCH)
        for row in found:
            if self._stopping.is_set():
                break
            if await self._claim(row):
                sent += await self._send(row)
        return sent

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = await self.send_due() == _BATCH
            except (DatabaseFault, WriteFailed, WriterBusy) as error:
                _log.warning("the outbox can't be looked at (%s); trying again", type(error).__name__)
                busy = False
            if not busy:
                await self._rest()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), _SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            return

    async def _claim(self, row: NoticeRow) -> bool:
        now = clock.now()
        return await self._writer.submit(lambda db: Commit(outbox.claim(db, row.notice_id, now=now, until=now + CLAIMED_FOR), []))

    async def _send(self, row: NoticeRow) -> bool:
        if row.recipient:
            try:
                await asyncio.to_thread(self._hand_over, row)
            except (Undelivered, Unsealable) as fault:
                await self._put_off(row, str(fault), clock.now())
                return False
        await self._forget(row, fault="")
        return bool(row.recipient)

    def _hand_over(self, row: NoticeRow) -> None:
        values = sealed_outbox.read(self._wiring.keyring, row)
        message = messages.compose(
            row.kind,
            row.recipient,
            values,
            notice_id=row.notice_id,
            written_at=row.created_at,
            settings=self._wiring.settings,
        )
        self._channel.send(message, notice_id=row.notice_id)

    async def _put_off(self, row: NoticeRow, fault: str, now: datetime) -> None:
        if now - row.created_at >= GIVEN_UP_AFTER:
            _log.error("a notice (%s, %s) of account %s is given up: %s", row.notice_id, row.kind, row.account_id, fault)
            await self._forget(row, fault=fault)
            return
        attempts = row.attempts + 1
        due_at = now + delay(attempts)
        _log.warning("a notice (%s, %s) did not leave, attempt %d: %s", row.notice_id, row.kind, attempts, fault)

        def postpone(db: Transaction) -> Commit[None]:
            outbox.postpone(db, row.notice_id, due_at=due_at, attempts=attempts, fault=fault)
            return Commit(None, [])

        await self._writer.submit(postpone)

    async def _forget(self, row: NoticeRow, *, fault: str) -> None:
        ended_at = clock.now()

        def remove(db: Transaction) -> Commit[None]:
            if outbox.remove(db, row.notice_id) and row.recipient:
                deliveries.add(db, sealed_outbox.ended(self._wiring.keyring, row, at=ended_at, fault=fault))
            return Commit(None, [])

        await self._writer.submit(remove)


def delay(attempts: int) -> timedelta:
    """Return how long a notice waits after so many failed attempts: twice as long after each, an hour at most."""
    doubled: timedelta = SHORTEST_DELAY * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_DELAY)
