"""How often another directory may ask: each token has a bucket of ten seconds' worth of requests, which fills steadily."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from crownkeep import clock, errors

SECONDS_HELD = 10
RETRY_AFTER_SECONDS = 1
_MOST = 4096


class _Buckets:
    """Each token's bucket, kept as the one moment at which it will be full; those that asked least lately are forgotten."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def take(self, token_id: str, per_second: int, now: float) -> bool:
        with self._lock:
            full_at = max(self._full_at.get(token_id, 0.0), now) + 1 / per_second
            if full_at - now > SECONDS_HELD:
                return False
            self._full_at[token_id] = full_at
            self._full_at.move_to_end(token_id)
            if len(self._full_at) > _MOST:
                self._full_at.popitem(last=False)
            return True


_buckets = _Buckets()


def require(token_id: str, *, per_second: int) -> None:
    """Take one request of a token's; raises Throttling where none is left. No token is ever refused where it is 0."""
    if per_second and not _buckets.take(token_id, per_second, clock.monotonic()):
        raise errors.Throttling("Rate exceeded")
