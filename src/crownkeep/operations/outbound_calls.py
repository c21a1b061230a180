"""Outbound calls: what an operation must ask a server elsewhere before its transaction, such as the keys of an identity provider.

Whoever registers a server that never answers makes only the requests of their own account wait: each account has few calls under
way at a time, and what several requests ask alike is asked once for all of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from weakref import WeakValueDictionary

from crownkeep import errors

THREADS = 32
MOST_OF_ACCOUNT = 2
"""Calls of one account that are under way at the same time; its further ones wait for these."""
MOST_WAITING_OF_ACCOUNT = 64
MOST_WAITING = 2048
"""Requests that wait for calls, of one account and of all: a further one is told to come again."""


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """Work that waits for somebody else's server.

    A `prepare` step returns one where it can't answer from what is known. It is run with no transaction open and in a pool of its
    own, so that a slow server elsewhere holds up nobody who hashes a password; its answer becomes the handler's `call.prepared`.
    It does not raise for what the server does: it returns that, and the handler refuses. It ends within a bounded time.
    """

    run: Callable[[], object]
    account_id: str
    """Whose role or provider it is for: the account that the wait is counted against."""
    topic: Hashable = None
    """What it asks. Requests that ask the same while a call is under way wait for that one; None is asked for each by itself."""


class OutboundCalls:
    """The outbound calls of a serving process; used on its event loop alone."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="outbound")
        self._under_way: dict[Hashable, asyncio.Future[object]] = {}
        self._queued: dict[tuple[str, Hashable], asyncio.Task[object]] = {}
        self._waiting: Counter[str] = Counter()
        # A semaphore lives for as long as somebody waits at it, so that the accounts of the past leave nothing behind.
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def run(self, call: OutboundCall) -> object:
        """Make a call, or wait for the one that asks the same; raises Throttling where too many wait already."""
        account_id = call.account_id
        if self._waiting[account_id] >= MOST_WAITING_OF_ACCOUNT or self._waiting.total() >= MOST_WAITING:
            raise errors.Throttling("Rate exceeded")
        self._waiting[account_id] += 1
        try:
            # Whoever gives up waiting takes the answer from nobody else.
            return await asyncio.shield(self._shared(call))
        finally:
            self._waiting[account_id] -= 1
            if not self._waiting[account_id]:
                del self._waiting[account_id]

    def close(self) -> None:
        """Let go of the pool; calls that have not begun are not made."""
        self._pool.shutdown(cancel_futures=True)

    def _shared(self, call: OutboundCall) -> asyncio.Future[object]:
        if call.topic is None:
            return self._task(call)
        under_way = self._under_way.get(call.topic)
        # Whatever account asks: the answer is public, and the call is already being paid for.
        if under_way is not None:
            return under_way
        # Calls that only wait for a place are shared within their account: others would have to wait for its slow servers.
        mine = (call.account_id, call.topic)
        task = self._queued.get(mine)
        if task is None:
            task = self._queued[mine] = self._task(call)
            task.add_done_callback(lambda _: self._queued.pop(mine, None))
        return task

    def _task(self, call: OutboundCall) -> asyncio.Task[object]:
        return asyncio.get_running_loop().create_task(self._in_turn(call))

    async def _in_turn(self, call: OutboundCall) -> object:
        places = self._places.setdefault(call.account_id, asyncio.Semaphore(MOST_OF_ACCOUNT))
        async with places:
            return await asyncio.shield(self._made(call))

    def _made(self, call: OutboundCall) -> asyncio.Future[object]:
        # Asked again: another account's request may have begun the same call while this one waited for a place.
        under_way = None if call.topic is None else self._under_way.get(call.topic)
        if under_way is None:
            under_way = asyncio.get_running_loop().run_in_executor(self._pool, call.run)
            if call.topic is not None:
                self._under_way[call.topic] = under_way
                under_way.add_done_callback(lambda _: self._under_way.pop(call.topic, None))
        return under_way
