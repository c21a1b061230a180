"""The only source of time and chance: everything else is handed what it needs.

Tests move time with `time-machine`; nothing here can be switched off or seeded in a running server.
"""

from __future__ import annotations

import ctypes
import os
import time
from datetime import UTC, datetime
from threading import Lock


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds of a clock that never goes back; only differences mean something."""
    return time.monotonic()


def cpu_seconds() -> float:
    """Return the seconds of computing that this thread has used so far; only differences mean something."""
    return time.thread_time()


def token_bytes(count: int) -> bytes:
    """Return `count` unpredictable bytes of the operating system's source."""
    return os.urandom(count)


def id_bytes(count: int) -> bytes:
    """Return `count` unpredictable bytes for ids that are shown to people and guard nothing.

    They come from the same source in larger draws, since asking the kernel costs more than the rest of making an id.
    """
    with _drawn_lock:
        if len(_drawn) < count:
            _drawn.extend(os.urandom(4096))
        taken = bytes(_drawn[-count:])
        del _drawn[-count:]
    return taken


_TIME_ERROR = 5
_drawn = bytearray()
_drawn_lock = Lock()
os.register_at_fork(after_in_child=_drawn.clear)


def revision() -> int:
    """Return a fresh random revision of 62 bits: never the same twice, so a rolled-back one can't come back."""
    return int.from_bytes(id_bytes(8), "big") >> 2


def fraction() -> float:
    """Return a random number from 0 up to 1, to draw samples by; it guards nothing."""
    return int.from_bytes(id_bytes(6), "big") / 2**48


def is_synchronised() -> bool | None:
    """Tell whether somebody keeps this machine's clock right, as the kernel knows it (adjtimex(2)); None where it can't say."""
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    if ask is None:
        return None
    # A struct timex of zeros (208 bytes on 64 bits) asks, and sets nothing.
    state = int(ask(ctypes.create_string_buffer(512)))
    return None if state < 0 else state != _TIME_ERROR


def sleep(seconds: float) -> None:
    """Let time pass; only for commands and for threads of long work, since a server has other requests to see to."""
    time.sleep(seconds)
