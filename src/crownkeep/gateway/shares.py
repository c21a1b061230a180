"""Fair shares: how many requests, and how much computing, one account and one principal may ask of this process beside others.

Whoever asks alone may have it all. Where others ask, too, accounts take turns (`intake`), and each account and principal
has a bucket that holds ten seconds' worth and fills steadily. A request takes one from the principal's and the account's, and one
more for each further millisecond of computing that it turned out to cost. What an empty bucket refuses is AWS's Throttling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from crownkeep import clock, errors
from crownkeep.operations.token_buckets import Buckets
from crownkeep.principals import Principal

BYTES_OF_BUCKET = 250
"""About what an entry with its key takes."""
LONGEST_DELAY_SECONDS = 1.0
MOST_DELAYED = 1_000
RECORDS_PER_SECOND = 1
SECONDS_BESIDE = 5
"""How long somebody who has asked counts as asking beside others."""


class Contention:
    """Whether others ask beside somebody: told by the two who asked last, so it costs the same however many there are."""

    def __init__(self) -> None:
        self._last: Hashable = None
        self._last_at = 0.0
        self._before: Hashable = None
        self._before_at = 0.0

    def note(self, key: Hashable, now: float) -> None:
        """Take note of somebody who asks."""
        # Only a change of who asks moves the two places on. That is enough to know of one other, and never grows.
        if key != self._last:
            self._before, self._before_at = self._last, self._last_at
            self._last = key
        self._last_at = now

    def is_beside(self, key: Hashable, now: float) -> bool:
        """Tell whether somebody else has asked in the last seconds."""
        other, at = (self._before, self._before_at) if key == self._last else (self._last, self._last_at)
        return other is not None and now - at < SECONDS_BESIDE


class Shares:
    """The shares of a serving process; used on its event loop alone."""

    def __init__(self, *, of_account: int, of_principal: int) -> None:
        """Let each have so many requests a second; 0 is as many as there are."""
        self._beside_accounts = Contention()
        self._beside_principals = Contention()
        self._accounts = Buckets(of_account)
        self._principals = Buckets(of_principal)
        self._records = Buckets(RECORDS_PER_SECOND)
        self._delayed = 0

    def require(self, principal: Principal) -> None:
        """Take a request's share; raises Throttling where others ask, too, and the principal or its account has none left."""
        now = clock.monotonic()
        self._beside_accounts.note(principal.account_id, now)
        self._beside_principals.note(_key(principal), now)
        if self._wait(principal, now):
            raise errors.Throttling("Rate exceeded")
        self._take(principal, 1, now)

    def charge(self, principal: Principal, seconds: float) -> None:
        """Take what a request cost beyond one, by the seconds of computing that it took."""
        # In milliseconds; the first one is what every request has paid for.
        beyond = seconds * 1_000 - 1
        if beyond > 0:
            self._take(principal, beyond, clock.monotonic())

    def may_record(self, account_id: str) -> bool:
        """Tell whether one more refusal of an account's may be recorded now: a flood must not fill its trail."""
        # A bucket of its own, so that what is recorded of refusals takes nothing from what may be asked.
        now = clock.monotonic()
        if self._records.wait(account_id, now):
            return False
        self._records.take(account_id, 1, now)
        return True

    async def delay(self, principal: Principal) -> None:
        """Let a refused request wait until the next has a chance, so that whoever only waits for answers asks more slowly."""
        seconds = min(self._wait(principal, clock.monotonic()), LONGEST_DELAY_SECONDS)
        # Waiting costs memory: beyond this many, refusals leave at once, and the client's own speed is its own affair.
        if self._delayed >= MOST_DELAYED:
            return
        self._delayed += 1
        try:
            await asyncio.sleep(max(seconds, LONGEST_DELAY_SECONDS / 4))
        finally:
            self._delayed -= 1

    def bytes_held(self) -> int:
        """Return about how much memory the buckets take."""
        return BYTES_OF_BUCKET * (len(self._accounts) + len(self._principals) + len(self._records))

    def _wait(self, principal: Principal, now: float) -> float:
        account, key = principal.account_id, _key(principal)
        of_account = self._accounts.wait(account, now) if self._beside_accounts.is_beside(account, now) else 0.0
        return max(of_account, self._principals.wait(key, now) if self._beside_principals.is_beside(key, now) else 0.0)

    def _take(self, principal: Principal, count: float, now: float) -> None:
        account, key = principal.account_id, _key(principal)
        # Without anybody beside, nothing is taken: whoever was alone all night starts the day with a full bucket.
        if self._beside_accounts.is_beside(account, now):
            self._accounts.take(account, count, now)
        if self._beside_principals.is_beside(key, now):
            self._principals.take(key, count, now)


def _key(principal: Principal) -> tuple[str, str]:
    """A role's sessions share what the role has, or one could be made for each request."""
    return principal.account_id, principal.unique_id
