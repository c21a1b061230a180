"""Long reads give way: they compute for a millisecond at a time, and not while the event loop carries out requests.

Python's threads share one lock. The event loop lets go of it at each statement that it gives to the database, and a thread that
computes takes it each time: a request would wait a dozen times. So a long read stands aside while requests are carried out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crownkeep import clock

SECONDS_AT_ONCE = 0.001
SECONDS_BETWEEN = 0.002
SECONDS_ASIDE = 0.0003
MOST_ASIDE = 4
"""How many times the time that it has computed a long read stands aside: a loop that is never idle slows it down, and no more."""

_turns: list[None] = []
"""One for each loop of this process that is carrying out requests; a list, because its two changes are atomic."""


@contextmanager
def turn_of_the_loop() -> Iterator[None]:
    """Keep long reads aside meanwhile; for the event loop's thread alone."""
    _turns.append(None)
    try:
        yield
    finally:
        _turns.pop()


class GivingWay:
    """A long read's pace; its thread alone calls it, never the event loop."""

    def __init__(self) -> None:
        self._began = self._since = clock.cpu_seconds()
        self._aside = 0.0

    def pause(self) -> None:
        """Leave the interpreter to others for a moment, where they need it or this thread has had it for a while.

        Call it between two steps.
        """
        most = SECONDS_AT_ONCE + MOST_ASIDE * (clock.cpu_seconds() - self._began)
        while _turns and self._aside < most:
            clock.sleep(SECONDS_ASIDE)
            self._aside += SECONDS_ASIDE
        if clock.cpu_seconds() - self._since >= SECONDS_AT_ONCE:
            clock.sleep(SECONDS_BETWEEN)
            self._since = clock.cpu_seconds()
