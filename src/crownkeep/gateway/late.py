"""An application that is made when somebody first asks it for something: a server that programs alone call needs no pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crownkeep.gateway.http import Application, Receive, Scope, Send


class LateApplication:
    """An ASGI application that stands for one that takes long to make."""

    def __init__(self, make: Callable[[], Application]) -> None:
        """Have it made by `make`, on another thread, so that nobody else waits for it."""
        self._make = make
        self._lock = asyncio.Lock()
        self._made: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; those that come while the application is being made wait for it."""
        await (self._made or await self._first())(scope, receive, send)

    async def _first(self) -> Application:
        async with self._lock:
            # Asked again under the lock: of those that waited, the first has made it.
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
            return self._made
