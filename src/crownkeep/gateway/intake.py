"""The intake: what has arrived is carried out together, once per turn of the event loop, and accounts go in turn.

Requests that arrive in one turn share a snapshot of the database and one hand-over to the writer, which cost as much as the rest
of a request does. While several accounts ask, so many requests of each go on in a turn and no more: an account that keeps many
connections busy makes another wait for a few of its requests, however many there are.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from crownkeep import clock
from crownkeep.gateway.shares import Contention

MOST_AT_ONCE = 64
"""Requests of one turn: the loop reads no socket before they are done."""

MOST_BESIDE = 2
"""Requests of one account in one turn while others ask."""

Arrival = TypeVar("Arrival")


class Intake(Generic[Arrival]):
    """What waits for the event loop's next turn, by account."""

    def __init__(self, carry_out: Callable[[list[Arrival]], None]) -> None:
        """Have each turn's arrivals carried out; that must not raise."""
        self._carry_out = carry_out
        self._contention = Contention()
        self._waiting: OrderedDict[Hashable, deque[Arrival]] = OrderedDict()
        self._is_due = False

    def add(self, account: Hashable, arrival: Arrival) -> None:
        """Put a request in its account's line; its turn never comes before this one of the loop's has ended.

        So a snapshot is always opened after the requests that read in it arrived, and shows what was committed before they did.
        """
        self._contention.note(account, clock.monotonic())
        line = self._waiting.get(account)
        if line is None:
            line = self._waiting[account] = deque()
        line.append(arrival)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        together = self._together()
        self._is_due = bool(self._waiting)
        if self._is_due:
            # Behind whatever the loop has to do by now: sockets are read, and answers leave, between two turns.
            asyncio.get_running_loop().call_soon(self._turn)
        self._carry_out(together)

    def _together(self) -> list[Arrival]:
        """Take the next requests out of the lines: of the account that has waited longest first."""
        together: list[Arrival] = []
        now = clock.monotonic()
        for _ in range(len(self._waiting)):
            account, line = self._waiting.popitem(last=False)
            most = MOST_BESIDE if self._contention.is_beside(account, now) else MOST_AT_ONCE
            for _ in range(min(most, MOST_AT_ONCE - len(together), len(line))):
                together.append(line.popleft())
            if line:
                self._waiting[account] = line
            if len(together) >= MOST_AT_ONCE:
                break
        return together
