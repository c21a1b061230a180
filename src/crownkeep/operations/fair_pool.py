"""A pool of threads whose owners take turns: what one account asks for keeps no other waiting for more than its turn."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from crownkeep import errors

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much of a pool there is, and how much of it is for one owner."""

    threads: int
    at_once: int
    """Works of one owner that run at the same time."""
    waiting_of_one: int
    """Works of one owner that may wait; a further one is told to come again."""
    waiting: int
    shared: str | None = None
    """The owner that stands for many, who may have every thread."""


def for_passwords(threads: int, *, shared: str) -> PoolLimits:
    """Leave one thread, and on small machines one core, to everybody else, however many passwords one account sets."""
    return PoolLimits(threads, at_once=max(1, threads - 1), waiting_of_one=128, waiting=1024, shared=shared)


class FairPool:
    """Threads for work that takes long; used on its event loop alone.

    Each owner has a queue of its own, and a thread that becomes free takes the next owner's oldest work.
    """

    def __init__(self, name: str, limits: PoolLimits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix=name)
        self._queues: OrderedDict[str, deque[tuple[Callable[[], Any], asyncio.Future[Any]]]] = OrderedDict()
        self._running: Counter[str] = Counter()
        self._waiting = 0

    async def run(self, owner: str, work: Callable[[], Done]) -> Done:
        """Run work when it is its owner's turn; raises Throttling where too much waits already."""
        # Refused at once: a work that waits longer than its client does is done for nobody.
        if not self.has_room(owner):
            raise errors.Throttling("Rate exceeded")
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(owner, deque())
        queue.append((work, future))
        self._waiting += 1
        self._start()
        return await future

    def has_room(self, owner: str) -> bool:
        """Tell whether another work of an owner may wait."""
        queue = self._queues.get(owner)
        return self._waiting < self._limits.waiting and (queue is None or len(queue) < self._limits.waiting_of_one)

    @property
    def waiting(self) -> int:
        """How many works wait."""
        return self._waiting

    def close(self) -> None:
        """Let go of the threads; what runs is finished first."""
        self._threads.shutdown(cancel_futures=True)

    def _start(self) -> None:
        while self._running.total() < self._limits.threads:
            # The first in the queue of owners that may have another thread: an owner at its limit is passed over, and keeps its
            # place.
            owner = next((each for each in self._queues if self._running[each] < self._most_of(each)), None)
            if owner is None:
                return
            queue = self._queues[owner]
            work, future = queue.popleft()
            self._waiting -= 1
            # Whoever has had a turn goes behind all others.
            if queue:
                self._queues.move_to_end(owner)
            else:
                del self._queues[owner]
            if not future.done():  # whoever asked may have gone away
                self._run(owner, work, future)

    def _most_of(self, owner: str) -> int:
        return self._limits.threads if owner == self._limits.shared else self._limits.at_once

    def _run(self, owner: str, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self._running[owner] += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)

        def finish(done: asyncio.Future[Any]) -> None:
            self._running[owner] -= 1
            # Or every account that ever asked would stay in the counter.
            if not self._running[owner]:
                del self._running[owner]
            self._start()
            fault = None if done.cancelled() else done.exception()
            # Whoever asked has gone away meanwhile; the work was done all the same.
            if future.done():
                return
            if done.cancelled():
                future.cancel()
            elif fault is not None:
                future.set_exception(fault)
            else:
                future.set_result(done.result())

        running.add_done_callback(finish)
