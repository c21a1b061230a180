"""How often another directory may ask: each token has a bucket of ten seconds' worth of requests, which fills steadily."""

from __future__ import annotations

from functools import cache
from threading import Lock

from crownkeep import clock, errors
from crownkeep.operations.token_buckets import Buckets

_lock = Lock()
"""Reads are carried out on the event loop, and changes on the writer's thread."""


@cache
def _buckets(per_second: int) -> Buckets:
    return Buckets(per_second)


def require(token_id: str, *, per_second: int) -> None:
    """Take one request of a token's; raises Throttling where none is left. No token is ever refused where it is 0."""
    if not per_second:
        return
    now, buckets = clock.monotonic(), _buckets(per_second)
    with _lock:
        if buckets.wait(token_id, now):
            raise errors.Throttling("Rate exceeded")
        buckets.take(token_id, 1, now)
