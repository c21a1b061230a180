"""Long reads give way: they compute for a millisecond at a time, so that everybody else's requests hardly notice them."""

from __future__ import annotations

from crownkeep import clock

SECONDS_AT_ONCE = 0.001
SECONDS_BETWEEN = 0.002


class GivingWay:
    """A long read's pace; its thread alone calls it, never the event loop."""

    def __init__(self) -> None:
        self._since = clock.cpu_seconds()

    def pause(self) -> None:
        """Leave the interpreter to others for a moment, where this thread has had it for a while: call it between two steps."""
        if clock.cpu_seconds() - self._since >= SECONDS_AT_ONCE:
            clock.sleep(SECONDS_BETWEEN)
            self._since = clock.cpu_seconds()
