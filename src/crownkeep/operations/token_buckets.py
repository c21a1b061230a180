"""Token buckets: how often somebody may ask, kept as one number each and bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

SECONDS_HELD = 10
"""For how long a bucket that is full lets somebody ask at once what the rate allows."""

MOST_BUCKETS = 50_000
"""Buckets of one kind; those that asked least lately are forgotten."""

_ROUNDING = 1e-6


class Buckets:
    """Token buckets by key, each kept as the one moment at which it will be full: a full bucket needs no entry at all."""

    def __init__(self, per_second: float) -> None:
        """Fill each bucket at this rate; none ever refuses where it is 0."""
        self._seconds_each = 1 / per_second if per_second else 0.0
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def wait(self, key: Hashable, now: float) -> float:
        """Return how many seconds pass until one may be taken; 0 where that is now."""
        seconds = self._full_at.get(key, 0.0) + self._seconds_each - now - SECONDS_HELD
        return seconds if seconds > _ROUNDING else 0.0

    def take(self, key: Hashable, count: float, now: float) -> None:
        """Take so many, also where they are not there: then the next has to wait for them, too."""
        if not self._seconds_each:
            return
        self._full_at[key] = max(self._full_at.get(key, 0.0), now) + count * self._seconds_each
        self._full_at.move_to_end(key)
        if len(self._full_at) > MOST_BUCKETS:
            self._full_at.popitem(last=False)

    def __len__(self) -> int:
        return len(self._full_at)
