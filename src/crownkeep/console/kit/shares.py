"""Fair shares of the pages: each counts as a request of whoever is signed in, and for the computing that it takes."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Protocol

from crownkeep import clock
from crownkeep.principals import Principal


class PageShares(Protocol):
    """The shares of accounts and principals, which the API's requests take from, too."""

    def require(self, principal: Principal) -> None:
        """Take a request's share; raises Throttling where others ask, too, and none is left."""

    def charge(self, principal: Principal, seconds: float) -> None:
        """Take what a request cost beyond one, by the seconds of computing that it took."""

    async def delay(self, principal: Principal) -> None:
        """Let a refused request wait."""


class Metered:
    """A coroutine whose computing is measured: what it waits for, others compute in the meantime."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        """Measure this coroutine while it is awaited."""
        self._work = work
        self.seconds = 0.0
        """How long it has computed so far, in seconds of this thread's CPU."""

    def __await__(self) -> Generator[Any, Any, None]:
        """Run the coroutine and pass on what it waits for."""
        step: Any = self._work.send
        sent: Any = None
        while True:
            began = clock.cpu_seconds()
            try:
                waited_for = step(sent)
            except StopIteration:
                return
            finally:
                self.seconds += clock.cpu_seconds() - began
            try:
                sent = yield waited_for
                step = self._work.send
            # Thrown into the coroutine at its next step, as `await` does (PEP 380): a cancellation must run its `finally`.
            except BaseException as error:  # noqa: BLE001 - an end or a cancellation belongs to the coroutine
                step, sent = self._work.throw, error
