"""Steps of sign-in: what changes something although nobody has signed in yet, and so cannot be an operation.

An operation asks what its caller may do. Here there is no caller: somebody shows a password, a code or a link, and what comes of
it commits together with its events. `tests/house/test_one_door.py` lists who may call this, each with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from crownkeep import clock
from crownkeep.operations.invoke import Door
from crownkeep.storage.database import Transaction
from crownkeep.storage.writer import Commit

Done = TypeVar("Done")


async def commit(door: Door, work: Callable[[Transaction], Commit[Done]]) -> Done:
    """Commit a step: its changes and its events, or none.

    Work may run more than once and must not raise: what it refuses it answers. Raises Throttling where too much waits and
    ServiceUnavailable where the database does not take it.
    """
    return await door.carry_out(work)


async def wait_since(began: float, seconds: float) -> None:
    """Wait until so many seconds have passed since a moment of the monotonic clock: an answer's time then tells nothing."""
    # The event loop's timers may ring a moment early.
    while (left := seconds - (clock.monotonic() - began)) > 0:
        await asyncio.sleep(left)
