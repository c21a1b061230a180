"""The pools take turns, and are bounded: one account's heavy questions keep no other waiting."""

import asyncio
import threading

import pytest
from tests.fixtures import coroutines

from crownkeep import errors
from crownkeep.operations.fair_pool import FairPool, PoolLimits

LIMITS = PoolLimits(threads=1, at_once=1, waiting_of_one=3, waiting=5)


class _Held:
    """Work that goes on until it is let go."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self):
        assert self.go.wait(30)


def _in_loop(test):
    pool = FairPool("test", LIMITS)
    try:
        coroutines.run(test(pool))
    finally:
        pool.close()


def test_an_account_that_asks_much_delays_another_by_its_turn_only():
    order = []

    async def test(pool):
        held = _Held()
        first = asyncio.ensure_future(pool.run("flood", held))
        await asyncio.sleep(0)
        more = [asyncio.ensure_future(pool.run("flood", lambda: order.append("flood"))) for _ in range(3)]
        await asyncio.sleep(0)
        other = asyncio.ensure_future(pool.run("other", lambda: order.append("other")))
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(first, other, *more)

    _in_loop(test)

    assert order.index("other") <= 1


def test_a_full_queue_is_told_to_come_again():
    async def test(pool):
        held = _Held()
        running = asyncio.ensure_future(pool.run("a", held))
        await asyncio.sleep(0)
        waiting = [asyncio.ensure_future(pool.run("a", int)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(errors.Throttling, match="Rate exceeded"):
            await pool.run("a", int)
        waiting += [asyncio.ensure_future(pool.run(owner, int)) for owner in ("b", "c")]
        await asyncio.sleep(0)
        with pytest.raises(errors.Throttling, match="Rate exceeded"):
            await pool.run("d", int)
        assert 5 == pool.waiting
        held.go.set()
        await asyncio.gather(running, *waiting)
        assert 0 == pool.waiting

    _in_loop(test)


def test_who_went_away_takes_no_thread_and_what_fails_is_told():
    done = []

    async def test(pool):
        held = _Held()
        running = asyncio.ensure_future(pool.run("a", held))
        await asyncio.sleep(0)
        gone = asyncio.ensure_future(pool.run("b", lambda: done.append("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        held.go.set()
        await running
        with pytest.raises(ZeroDivisionError):
            await pool.run("b", lambda: 1 // 0)

    _in_loop(test)

    assert [] == done


def test_one_account_s_works_run_one_after_the_other_where_it_may_have_one_thread():
    at_once = PoolLimits(threads=2, at_once=1, waiting_of_one=3, waiting=5)

    async def test(pool):
        held = _Held()
        running = asyncio.ensure_future(pool.run("a", held))
        second = asyncio.ensure_future(pool.run("a", int))
        await asyncio.sleep(0)
        await pool.run("b", int)
        assert not second.done()
        held.go.set()
        await asyncio.gather(running, second)

    pool = FairPool("test", at_once)
    coroutines.run(test(pool))
    pool.close()


def test_those_who_share_a_line_may_have_every_thread():
    limits = PoolLimits(threads=2, at_once=1, waiting_of_one=3, waiting=5, shared="everybody")

    async def test(pool):
        held = _Held()
        running = asyncio.ensure_future(pool.run("everybody", held))
        await asyncio.sleep(0)
        await pool.run("everybody", int)
        held.go.set()
        await running

    pool = FairPool("test", limits)
    coroutines.run(test(pool))
    pool.close()
