"""Outbound calls: one for those who ask the same, few at a time for each account, and nobody waits for others' silent servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from threading import Event

import pytest
from tests.fixtures import coroutines

from crownkeep import errors
from crownkeep.operations import outbound_calls
from crownkeep.operations.outbound_calls import OutboundCall, OutboundCalls


@pytest.fixture
def silence() -> Iterator[Event]:
    """What silent servers wait for; it is over when the test is."""
    over = Event()
    yield over
    over.set()


class Asked:
    """A server that notes who asked it, and answers once it may."""

    def __init__(self, until: Event | None = None) -> None:
        self.times = 0
        self._until = until

    def call(self, account_id: str, topic: str | None = None) -> OutboundCall:
        return OutboundCall(self._answer, account_id, topic)

    def _answer(self) -> object:
        self.times += 1
        if self._until is not None:
            self._until.wait()
        return "answer"


def run(work: Callable[[OutboundCalls], Awaitable[None]], over: Event) -> None:
    async def whole() -> None:
        calls = OutboundCalls()
        try:
            await work(calls)
        finally:
            over.set()
            calls.close()

    coroutines.run(whole())


async def begun(*asked: Asked) -> None:
    while not all(each.times for each in asked):
        await asyncio.sleep(0.001)


def test_the_silent_servers_of_one_account_do_not_keep_another_account_waiting(silence: Event):
    silent = Asked(silence)

    async def work(calls: OutboundCalls) -> None:
        waiting = [asyncio.create_task(calls.run(silent.call("a", f"provider {n}"))) for n in range(60)]
        await begun(silent)

        assert "answer" == await calls.run(Asked().call("b", "provider"))

        assert not any(task.done() for task in waiting)
        assert silent.times <= outbound_calls.MOST_OF_ACCOUNT

    run(work, silence)


def test_what_many_ask_alike_is_asked_once(silence: Event):
    asked = Asked(silence)

    async def work(calls: OutboundCalls) -> None:
        waiting = [asyncio.create_task(calls.run(asked.call(account, "provider"))) for account in "aabb"]
        await begun(asked)
        silence.set()

        assert ["answer"] * 4 == await asyncio.gather(*waiting)

    run(work, silence)
    assert 1 == asked.times


def test_nobody_joins_a_call_that_waits_behind_the_silent_servers_of_another_account(silence: Event):
    first, second, provider = Asked(silence), Asked(silence), Asked()

    async def work(calls: OutboundCalls) -> None:
        holding = [asyncio.create_task(calls.run(each.call("a"))) for each in (first, second)]
        await begun(first, second)
        behind = asyncio.create_task(calls.run(provider.call("a", "provider")))
        await asyncio.sleep(0)

        assert "answer" == await calls.run(provider.call("b", "provider"))

        assert not any(task.done() for task in (*holding, behind))

    run(work, silence)


def test_an_account_that_has_too_many_waiting_is_told_to_come_again_and_others_are_not(silence: Event):
    silent = Asked(silence)

    async def work(calls: OutboundCalls) -> None:
        most = outbound_calls.MOST_WAITING_OF_ACCOUNT
        waiting = [asyncio.create_task(calls.run(silent.call("a", "provider"))) for _ in range(most)]
        await begun(silent)

        with pytest.raises(errors.Throttling):
            await calls.run(Asked().call("a"))

        assert "answer" == await calls.run(Asked().call("b"))
        assert not any(task.done() for task in waiting)

    run(work, silence)


def test_whoever_gives_up_waiting_takes_the_answer_from_nobody(silence: Event):
    asked = Asked(silence)

    async def work(calls: OutboundCalls) -> None:
        gives_up, stays = (asyncio.create_task(calls.run(asked.call("a", "provider"))) for _ in range(2))
        await begun(asked)
        gives_up.cancel()
        await asyncio.sleep(0)
        silence.set()

        assert "answer" == await stays

    run(work, silence)
