"""The intake: what has arrived is carried out together, once per turn of the event loop, and accounts go in turn.

Requests that arrive in one turn share a snapshot of the database and one hand-over to the writer, which cost as much as the rest
of a request does. While several accounts ask, so many requests of each go on in a turn and no more, one where they take long, and
so many wait for their commit at a time: an account that keeps many connections busy makes another wait for a few of its requests,
however many it sends and whatever they ask.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from crownkeep import clock
from crownkeep.gateway.shares import Contention

MOST_AT_ONCE = 64
"""Requests of one turn: the loop reads no socket before they are done."""

MOST_BESIDE = 2
"""Requests of one account in one turn while others ask."""

LONG_SECONDS = 0.001
"""An account whose last request took longer has one in a turn while others ask: no request ends before it is through."""

MOST_KNOWN_LONG = 1_000
"""Accounts of which that is remembered."""

MOST_IN_COMMIT_BESIDE = 3
"""Requests of one account that wait for their commit while others ask: the larger a group is, the longer the next one waits."""

Arrival = TypeVar("Arrival")


class Intake(Generic[Arrival]):
    """What waits for the event loop's next turn, by account."""

    def __init__(self, carry_out: Callable[[list[Arrival]], None]) -> None:
        """Have each turn's arrivals carried out; that must not raise."""
        self._carry_out = carry_out
        self._contention = Contention()
        self._waiting: OrderedDict[Hashable, deque[Arrival]] = OrderedDict()
        # Requests that were carried out and wait for the disk. Turns go on meanwhile, so this is what keeps one account from
        # filling every group.
        self._in_commit: Counter[Hashable] = Counter()
        # Accounts whose last request took long. Whoever asks for little is in here for no longer than until the next one.
        self._long: OrderedDict[Hashable, None] = OrderedDict()
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
        self._ask_for_turn()

    def is_beside(self, account: Hashable) -> bool:
        """Tell whether others have asked in the last seconds."""
        return self._contention.is_beside(account, clock.monotonic())

    def took(self, account: Hashable, seconds: float) -> None:
        """Note how long a request of an account kept the turn that it was in."""
        if seconds <= LONG_SECONDS:
            self._long.pop(account, None)
            return
        self._long[account] = None
        if len(self._long) > MOST_KNOWN_LONG:
            self._long.popitem(last=False)

    def begun(self, account: Hashable) -> None:
        """Note that one of an account's requests waits for its commit."""
        self._in_commit[account] += 1

    def ended(self, account: Hashable) -> None:
        """Note that one of those has been committed, or could not be."""
        left = self._in_commit[account] - 1
        if left > 0:
            self._in_commit[account] = left
        else:
            del self._in_commit[account]
        # An account at its limit is only looked at again now: nothing else would wake the loop for it.
        if self._waiting:
            self._ask_for_turn()

    def _ask_for_turn(self) -> None:
        if not self._is_due:
            self._is_due = True
            # `call_soon`, not at once: whatever else arrives in this turn of the loop joins the same snapshot.
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_due = False
        together = self._together()
        if not together:
            return  # all who wait have as much in commit as they may: its end asks for the next turn
        if self._waiting:
            # Behind whatever the loop has to do by now: sockets are read, and answers leave, between two turns.
            self._ask_for_turn()
        self._carry_out(together)

    def _together(self) -> list[Arrival]:
        """Take the next requests out of the lines: of the account that has waited longest first."""
        together: list[Arrival] = []
        now = clock.monotonic()
        # One pass over the lines there are now; a line that is put back goes to the end, behind those that were not reached.
        for _ in range(len(self._waiting)):
            account, line = self._waiting.popitem(last=False)
            most = self._most_now(account) if self._contention.is_beside(account, now) else MOST_AT_ONCE
            for _ in range(min(most, MOST_AT_ONCE - len(together), len(line))):
                together.append(line.popleft())
            # Empty lines are dropped, so strangers' addresses leave nothing behind.
            if line:
                self._waiting[account] = line
            if len(together) >= MOST_AT_ONCE:
                break
        return together

    def _most_now(self, account: Hashable) -> int:
        most = 1 if account in self._long else MOST_BESIDE
        return min(most, max(0, MOST_IN_COMMIT_BESIDE - self._in_commit[account]))
