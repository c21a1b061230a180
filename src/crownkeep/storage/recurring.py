"""Work that comes back: a task of the event loop that looks every so often, and of several processes one, under a lease.

A lease is a row of `notice_leases` that ends by itself: a process that dies keeps its work from the others for no longer. It only
spares double work, as clocks of machines differ; what must not happen twice is up to the transaction that keeps its outcome.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from crownkeep import clock
from crownkeep.storage.database import DatabaseFault, Transaction
from crownkeep.storage.notices import leases
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy

_NOBODY = "000000000000"
"""The account of a lease that concerns the whole server: accounts are purged with their leases, and this is none of them."""


@dataclass(frozen=True, slots=True)
class WorkLease:
    """The lease of one kind of work, as one process takes and keeps it."""

    writer: Writer
    work: str
    span: timedelta
    holder: str = field(default_factory=lambda: clock.token_bytes(16).hex())

    async def take(self) -> bool:
        """Take the lease; returns False where another process holds it."""
        return await self.writer.submit(self._take)

    async def renew(self) -> bool:
        """Hold it for another span from now; returns False where it ran out and another process has taken it."""
        return await self.writer.submit(lambda db: Commit(self.extend(db, self.span), []))

    async def release(self) -> None:
        """Give it back, so that another process need not wait for its end."""
        await self.writer.submit(self._release)

    def extend(self, db: Transaction, span: timedelta) -> bool:
        """Hold it for a span from now, in the transaction that keeps what was done under it."""
        return leases.renew(db, self.holder, until=clock.now() + span)

    def _take(self, db: Transaction) -> Commit[bool]:
        now = clock.now()
        return Commit(leases.take(db, self.work, _NOBODY, holder=self.holder, now=now, until=now + self.span), [])

    def _release(self, db: Transaction) -> Commit[None]:
        leases.release(db, self.work, holder=self.holder)
        return Commit(None, [])


class RecurringLook:
    """A look that is taken again and again until it is stopped; a database that fails now is asked again next time."""

    def __init__(
        self, look: Callable[[], Awaitable[object]], *, first_after: float, every: float, log: logging.Logger, complaint: str
    ) -> None:
        """Both spans are seconds. The complaint begins what is logged: `<complaint> (OperationalError); trying again`."""
        self._look = look
        self._first_after = first_after
        self._every = every
        self._log = log
        self._complaint = complaint
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started."""
        return self._task is not None

    def start(self) -> None:
        """Begin; the first look waits, as a server that has just started has more urgent work."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End, in the middle of a look too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await asyncio.sleep(self._first_after)
        while True:
            try:
                await self._look()
            except (DatabaseFault, WriteFailed, WriterBusy) as error:
                self._log.warning("%s (%s); trying again", self._complaint, type(error).__name__)
            await asyncio.sleep(self._every)


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until the event is set."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
