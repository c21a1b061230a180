"""Delivery: each serving process sends what is due in the outbox, and no letter is sent by two of them.

    due -> claimed (for ten minutes) -> sent -> forgotten, but for when it left and to whom
                                     -> not sent -> due again after 30 s, 1 min, 2 min ... 1 h -> given up after a day

A process that dies after a letter has left and before it is forgotten lets it leave a second time, with the same Message-ID.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from crownkeep import clock
from crownkeep.credentials.sealing import Unsealable
from crownkeep.notify import messages, outbox
from crownkeep.notify.channels import Channel, Undelivered
from crownkeep.operations.call import Wiring
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.notices import deliveries
from crownkeep.storage.notices import outbox as letters
from crownkeep.storage.notices.outbox import LetterRow
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy

GIVEN_UP_AFTER = timedelta(days=1)
CLAIMED_FOR = timedelta(minutes=10)
SHORTEST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)

_BATCH = 20
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_FINISH = 5.0
_log = logging.getLogger("crownkeep.notify")


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
        """Begin to look for letters."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Finish the letter that is being sent, unless that takes too long: then another process sends it later."""
        self._stopping.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=_SECONDS_TO_FINISH)
            for task in late:
                task.cancel()

    async def send_due(self) -> int:
        """Send what is due now, and return how many letters left; raises what the database raises."""
        sent = 0
        with self._database.snapshot() as db:
            found = letters.due(db, now=clock.now(), limit=_BATCH)
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

    async def _claim(self, row: LetterRow) -> bool:
        now = clock.now()
        return await self._writer.submit(
            lambda db: Commit(letters.claim(db, row.letter_id, now=now, until=now + CLAIMED_FOR), [])
        )

    async def _send(self, row: LetterRow) -> bool:
        if row.recipient:
            try:
                await asyncio.to_thread(self._hand_over, row)
            except (Undelivered, Unsealable) as fault:
                await self._put_off(row, str(fault), clock.now())
                return False
        await self._forget(row, fault="")
        return bool(row.recipient)

    def _hand_over(self, row: LetterRow) -> None:
        values = outbox.read(self._wiring.keyring, row)
        message = messages.compose(
            row.kind,
            row.recipient,
            values,
            letter_id=row.letter_id,
            written_at=row.created_at,
            settings=self._wiring.settings,
        )
        self._channel.send(message, letter_id=row.letter_id)

    async def _put_off(self, row: LetterRow, fault: str, now: datetime) -> None:
        if now - row.created_at >= GIVEN_UP_AFTER:
            _log.error("a letter (%s, %s) of account %s is given up: %s", row.letter_id, row.kind, row.account_id, fault)
            await self._forget(row, fault=fault)
            return
        attempts = row.attempts + 1
        due_at = now + delay(attempts)
        _log.warning("a letter (%s, %s) did not leave, attempt %d: %s", row.letter_id, row.kind, attempts, fault)

        def postpone(db: Transaction) -> Commit[None]:
            letters.postpone(db, row.letter_id, due_at=due_at, attempts=attempts, fault=fault)
            return Commit(None, [])

        await self._writer.submit(postpone)

    async def _forget(self, row: LetterRow, *, fault: str) -> None:
        ended_at = clock.now()

        def remove(db: Transaction) -> Commit[None]:
            if letters.remove(db, row.letter_id) and row.recipient:
                deliveries.add(db, outbox.ended(self._wiring.keyring, row, at=ended_at, fault=fault))
            return Commit(None, [])

        await self._writer.submit(remove)


def delay(attempts: int) -> timedelta:
    """Return how long a letter waits after so many failed attempts: twice as long after each, an hour at most."""
    doubled: timedelta = SHORTEST_DELAY * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_DELAY)
