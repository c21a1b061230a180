"""What a service manager is told (sd_notify(3)): that the server listens, that it is alive, and that it ends.

Nothing is said where nobody asks: NOTIFY_SOCKET names who listens, and WATCHDOG_USEC how often to say that all is well.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"
_ALIVE = "WATCHDOG=1"


def tell(state: str) -> None:
    """Tell the service manager a state; costs nothing where there is none, and waits for nobody."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
        client.setblocking(False)
        client.sendto(state.encode(), "\0" + place[1:] if place.startswith("@") else place)


def watchdog_seconds() -> float | None:
    """Return how often this process says that it is alive, twice within what it is given; None where nobody watches."""
    given = os.environ.get("WATCHDOG_USEC", "")
    return int(given) / 2_000_000 if given.isdecimal() and int(given) > 0 else None


async def keep_telling() -> None:
    """Say again and again, from the event loop, that it goes round; ends at once where nobody watches."""
    seconds = watchdog_seconds()
    while seconds is not None:
        tell(_ALIVE)
        await asyncio.sleep(seconds)
