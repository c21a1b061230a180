"""Fair shares of the pages: a flood by browsers is refused like one by the API, and hinders nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.fixtures import coroutines
from tests.fixtures.crown import Crown
from tests.signin.browser import signed_in

from crownkeep import clock
from crownkeep.console.kit.shares import Metered
from crownkeep.operations.token_buckets import SECONDS_HELD


@pytest.fixture
def flooded(fresh_crown: Callable[..., Crown], monkeypatch: pytest.MonkeyPatch) -> Crown:
    """A server that lets a principal ask once a second, whose clocks stand and which refuses without delay."""
    monkeypatch.setattr("crownkeep.gateway.shares.LONGEST_DELAY_SECONDS", 0.0)
    crown = fresh_crown(requests_per_second_of_principal=1)
    monkeypatch.setattr(clock, "monotonic", lambda: 1_000.0)
    monkeypatch.setattr(clock, "cpu_seconds", lambda: 0.0)
    return crown


def test_a_flood_of_pages_is_refused_and_takes_from_nobody_else(flooded: Crown):
    loud, quiet = flooded.account(), flooded.account()
    browser, other = signed_in(loud, user="admin"), signed_in(quiet, user="admin")

    quiet.client("sts").get_caller_identity()
    pages = [browser.get("/console/trail") for _ in range(SECONDS_HELD + 2)]

    busy = pages[-1]
    assert [200] * SECONDS_HELD + [503] * 2 == [page.status for page in pages]
    assert ("retry-after", "1") in busy.headers
    assert "The server is busy" in busy.text
    assert 200 == other.get("/console/trail").status


def test_a_page_counts_for_the_computing_of_its_own_steps(monkeypatch: pytest.MonkeyPatch):
    spent = [0.0]
    monkeypatch.setattr(clock, "cpu_seconds", lambda: spent[0])

    async def others() -> None:
        spent[0] += 100.0

    async def page() -> None:
        spent[0] += 1.0
        await asyncio.create_task(others())
        spent[0] += 2.0

    async def run() -> float:
        served = Metered(page())
        await served
        return served.seconds

    assert 3.0 == coroutines.run(run())


def test_what_a_metered_page_raises_or_is_told_is_its_own():
    heard: list[str] = []

    async def page() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    async def run() -> None:
        async def serve() -> None:
            await Metered(page())

        task = asyncio.create_task(serve())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def fault() -> Any:
        raise ArithmeticError("ours")

    async def run_fault() -> None:
        await Metered(fault())

    coroutines.run(run())
    with pytest.raises(ArithmeticError, match="ours"):
        coroutines.run(run_fault())
    assert ["cancelled"] == heard
