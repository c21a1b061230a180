"""Delivery: each serving process sends what is due in the outbox, a lane at a time, and no lane is sent by two of them.

    due -> its lane leased (for 15 s, renewed) -> sent -> forgotten, but for when it left and to whom
                                               -> not sent -> due again later -> given up: kept for 30 days, to be sent by hand

A lane is all that goes to one receiver, or to one address, about one account: its notices leave in the order they were written,
and those behind one that does not leave wait for it. A process that dies lets others take its lanes over. One that dies after a
notice has left and before that is noted lets it leave a second time, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from crownkeep import clock
from crownkeep.alerts import routing
from crownkeep.alerts.carriers import Carriers
from crownkeep.alerts.channels import Channel
from crownkeep.alerts.endings import Endings
from crownkeep.alerts.observer import Observer
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.operations.call import Wiring
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.notices import alert_digests, alert_receivers, leases, outbox
from crownkeep.storage.notices.alert_receivers import AlertReceiverRow
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.recurring import rest
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy

LEASED_FOR = timedelta(seconds=15)
RENEWED_EVERY = timedelta(seconds=5)

_BATCH = 32
_LANES_AT_ONCE = 256
_LANES_OF_ACCOUNT = 4
"""Lanes other than mail that are sent for one account at a time: its receivers that hang hold up no other's.

The operator's receivers are counted apart, and sent to by threads of their own: whoever has taken an account over could add
receivers that answer slowly, to keep the operator's from hearing.
"""
_MAIL_THREADS, _OPERATORS_THREADS, _OTHER_THREADS = 4, 16, 32
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_FINISH = 5.0
_log = logging.getLogger("crownkeep.alerts")


@dataclass(frozen=True, slots=True)
class _Lane:
    name: str
    account_id: str
    is_mail: bool

    @property
    def share(self) -> tuple[str, bool]:
        """Of which lanes only so many are sent at a time."""
        return self.account_id, self.name.startswith(routing.OPERATORS_LANE)


class Delivery:
    """The delivery of one process: a task of its event loop, started by the wiring and stopped at the end."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring, observer: Observer, mail: Channel) -> None:
        self._database = database
        self._writer = writer
        self._observer = observer
        self._carriers = Carriers(wiring, mail)
        self._endings = Endings(writer, wiring.keyring)
        self._holder = clock.token_bytes(16).hex()
        # Mail must not wait for webhooks that hang.
        self._mail_pool = ThreadPoolExecutor(_MAIL_THREADS, thread_name_prefix="mail")
        self._operators_pool = ThreadPoolExecutor(_OPERATORS_THREADS, thread_name_prefix="operators-alerts")
        self._other_pool = ThreadPoolExecutor(_OTHER_THREADS, thread_name_prefix="alerts")
        self._lanes: set[asyncio.Task[int]] = set()
        self._shares: Counter[tuple[str, bool]] = Counter()
        self._renewed_at = clock.now()
        self._woken = asyncio.Event()
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for notices, and look at once when one is written."""
        loop = asyncio.get_running_loop()
        self._observer.outbox.on_added = lambda: _call_soon(loop, self._woken.set)
        self._task = loop.create_task(self._run())

    async def stop(self) -> None:
        """Finish what is being sent, unless that takes too long: then another process sends it later."""
        self._is_stopping = True
        self._observer.outbox.on_added = None
        self._woken.set()
        tasks = [task for task in (self._task, *self._lanes) if task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_SECONDS_TO_FINISH)
            for task in late:
                task.cancel()
        for pool in (self._mail_pool, self._operators_pool, self._other_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    async def send_due(self) -> int:
        """Send what is due now, and return how many notices left; raises what the database raises."""
        # Looked at in a snapshot first: without work, no transaction is written every second.
        lanes = await self._lease() if self._has_work() else []
        return sum(await asyncio.gather(*map(self._send_lane, lanes)))

    async def _run(self) -> None:
        while not self._is_stopping:
            # What was just written is not committed yet: asked in the writer's own turn, it is.
            was_woken = self._woken.is_set()
            self._woken.clear()
            try:
                # Before new lanes are taken: a lane that is being sent must not run out because of a long look.
                await self._renew()
                free = _LANES_AT_ONCE - len(self._lanes)
                found = await self._lease(free) if free and (was_woken or self._has_work()) else []
                for lane in found:
                    task = asyncio.get_running_loop().create_task(self._send_safely(lane))
                    self._lanes.add(task)
                    task.add_done_callback(self._lanes.discard)
            except (DatabaseFault, WriteFailed, WriterBusy) as error:
                _log.warning("the outbox can't be looked at (%s); trying again", type(error).__name__)
            await rest(self._woken, _SECONDS_BETWEEN_LOOKS)

    def _has_work(self) -> bool:
        now = clock.now()
        with self._database.snapshot() as db:
            return bool(outbox.heads(db, now=now, limit=1) or alert_digests.due(db, now=now, limit=1))

    async def _lease(self, limit: int = _LANES_AT_ONCE) -> list[_Lane]:
        """Lease lanes that have something due, and write the summaries of spans that have ended."""
        return await self._writer.submit(lambda db: Commit(self._lease_in(db, limit), []))

    def _lease_in(self, db: Transaction, limit: int) -> list[_Lane]:
        now = clock.now()
        self._observer.summarize(db, now)
        taken: list[_Lane] = []
        busy = Counter(self._shares)
        # Twice as many as may be taken, since some belong to accounts that have their share already.
        for row in outbox.heads(db, now=now, limit=2 * limit):
            lane = _Lane(row.lane, row.account_id, is_mail=row.channel == outbox.MAIL)
            # Mail has a pool of its own and one server, so it has no share to keep.
            if len(taken) >= limit or (not lane.is_mail and busy[lane.share] >= _LANES_OF_ACCOUNT):
                continue
            if leases.take(db, row.lane, row.account_id, holder=self._holder, now=now, until=now + LEASED_FOR):
                taken.append(lane)
                busy[lane.share] += not lane.is_mail
        return taken

    async def _renew(self) -> None:
        now = clock.now()
        if not self._lanes or now - self._renewed_at < RENEWED_EVERY:
            return
        # Noted before the commit: a database that hangs must not let every look try again.
        self._renewed_at = now

        def renew(db: Transaction) -> Commit[None]:
            leases.renew(db, self._holder, until=now + LEASED_FOR)
            return Commit(None, [])

        await self._writer.submit(renew)

    async def _send_safely(self, lane: _Lane) -> int:
        self._shares[lane.share] += not lane.is_mail
        try:
            return await self._send_lane(lane)
        except (DatabaseFault, WriteFailed, WriterBusy) as error:
            # Its lease ends by itself, and what has left leaves again under the same id.
            _log.warning("what became of a notice can't be noted (%s)", type(error).__name__)
            return 0
        finally:
            self._shares[lane.share] -= not lane.is_mail
            # Drops what has come down to zero, or each account that ever had a notice would stay.
            self._shares += Counter()

    async def _send_lane(self, lane: _Lane) -> int:
        sent, is_held = 0, True
        while is_held:
            sent += await self._send_waiting(lane)
            is_held = not await self._release(lane)
        return sent

    async def _send_waiting(self, lane: _Lane) -> int:
        sent, goes_on = 0, True
        while goes_on and not self._is_stopping:
            with self._database.snapshot() as db:
                # Read anew for each batch, as notices are added, put off and taken back meanwhile.
                rows = outbox.of_lane(db, lane.name, limit=_BATCH)
            goes_on = bool(rows)
            for row in rows:
                # The order of a lane is kept: one that is not due yet holds back those behind it.
                goes_on = goes_on and row.due_at <= clock.now() and await self._send(row, lane)
                if not goes_on:
                    break
                sent += bool(row.recipient)
        return sent

    async def _release(self, lane: _Lane) -> bool:
        """Give a lane back, unless something came meanwhile: whoever was woken for that has found the lane leased."""

        def release(db: Transaction) -> Commit[bool]:
            now, is_mine = clock.now(), leases.release(db, lane.name, holder=self._holder)
            ahead = outbox.of_lane(db, lane.name, limit=1)
            if not is_mine or not ahead or ahead[0].due_at > now or self._is_stopping:
                return Commit(True, [])
            leases.take(db, lane.name, lane.account_id, holder=self._holder, now=now, until=now + LEASED_FOR)
            return Commit(False, [])

        return await self._writer.submit(release)

    async def _send(self, row: NoticeRow, lane: _Lane) -> bool:
        """Send one notice, and say whether the next of its lane may follow."""
        if not row.recipient:
            return await self._endings.sent(row)
        receiver = self._receiver(row)
        # Asked before each notice: nothing leaves for a receiver that was removed or disabled a moment ago.
        if row.receiver_id and (receiver is None or receiver.disabled_at is not None):
            await self._endings.give_up(row, "its receiver was removed or disabled", now=clock.now())
            return True
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool(lane), self._carriers.hand_over, row, receiver)
        except Undelivered as fault:
            return await self._endings.put_off(row, fault, now=clock.now())
        except Exception:  # noqa: BLE001 - a notice that nobody can send must not hold up its lane
            # It is one attempt that failed: uncounted, it would come again for ever, and what is behind it never.
            _log.exception("a notice could not be sent")
            return await self._endings.put_off(row, Undelivered("a fault of the server's own; see its log"), now=clock.now())
        return await self._endings.sent(row)

    def _pool(self, lane: _Lane) -> ThreadPoolExecutor:
        if lane.is_mail:
            return self._mail_pool
        return self._operators_pool if lane.name.startswith(routing.OPERATORS_LANE) else self._other_pool

    def _receiver(self, row: NoticeRow) -> AlertReceiverRow | None:
        if not row.receiver_id:
            return None
        with self._database.snapshot() as db:
            return alert_receivers.with_id(db, row.account_id, row.receiver_id)


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[], object]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work)
