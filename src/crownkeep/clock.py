"""The only source of time and chance: everything else is handed what it needs.

Tests move time with `time-machine`; nothing here can be switched off or seeded in a running server.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime


def now() -> datetime:
    """Answer the present moment, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Answer seconds of a clock that never goes back; only differences mean something."""
    return time.monotonic()


def token_bytes(count: int) -> bytes:
    """Answer `count` unpredictable bytes of the operating system's source."""
    return os.urandom(count)


def revision() -> int:
    """Answer a fresh random revision of 62 bits: never the same twice, so a rolled-back one can't come back."""
    return int.from_bytes(os.urandom(8), "big") >> 2
