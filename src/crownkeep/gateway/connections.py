"""Connections: how many there may be, how long each may take, and which one goes first when there are too many.

A connection is counted from its first moment to its last. A look once a second ends those that take too long, so that a request
pays for no timer. Where there are too many, the one that has been waiting longest makes room: an honest client connects again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger("crownkeep.gateway")

SECONDS_TO_TAKE_AN_ANSWER = 60
"""How long a client may leave bytes of its answer untaken."""

SECONDS_TO_LEAVE = 2
"""How long a client that was refused may take to read why."""

_LOOKED_AT = 64
_SECONDS_BETWEEN_WARNINGS = 60


class Stage(Enum):
    """What a connection waits for, or that we do."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    SERVED = "served"
    LEAVING = "leaving"


class Ended(Enum):
    """Why a connection was ended from our side; the values are labels of a metric."""

    IDLE = "idle"
    HEAD_TOO_SLOW = "head_too_slow"
    BODY_TOO_SLOW = "body_too_slow"
    ANSWER_NOT_TAKEN = "answer_not_taken"
    MADE_ROOM = "made_room"
    TOO_MANY = "too_many"
    TOO_MANY_OF_ADDRESS = "too_many_of_address"
    HEAD_TOO_LARGE = "head_too_large"
    MALFORMED = "malformed"


class Connection(Protocol):
    """What is asked of a connection here."""

    stage: Stage
    since: int
    """The tick at which its stage began."""

    def end(self, reason: Ended) -> None:
        """End it, and say why where somebody may be listening."""

    def unsent(self) -> int:
        """Return how many bytes of answers its client has not taken."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections one process holds, and how long they may wait, in seconds."""

    total: int
    per_address: int
    idle: int
    head: int
    body: int


class Connections:
    """The open connections of one process."""

    def __init__(self, limits: ConnectionLimits, *, is_exempt: Callable[[str], bool]) -> None:
        self._limits = limits
        self._is_exempt = is_exempt
        self._seconds = {
            Stage.IDLE: limits.idle,
            Stage.HEAD: limits.head,
            Stage.BODY: limits.body,
            Stage.LEAVING: SECONDS_TO_LEAVE,
        }
        # The order of these dicts is the line: a dict keeps insertion order, and taking out and putting back moves to the end.
        # Each with the tick at which it was put in its place: first come those that nobody has looked at for longest.
        self._open: dict[Connection, int] = {}
        self._by_address: dict[str, dict[Connection, int]] = {}
        self._addresses: dict[Connection, str] = {}
        self._unsent_since: dict[Connection, int] = {}
        self._ended: Counter[Ended] = Counter()
        self._warned = -_SECONDS_BETWEEN_WARNINGS
        self.tick = 0
        """Seconds since the start, counted by `watch`."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def ended(self) -> Mapping[Ended, int]:
        """How many connections were ended from our side, by reason."""
        return self._ended

    def admit(self, connection: Connection, address: str) -> bool:
        """Take a connection in, and return whether there was room or could be made; one that was not taken in is to be aborted.

        Trusted proxies and this computer stand for many clients: they have no limit of their own.
        """
        # An empty key has no limit of its own: exempt addresses stand for many clients.
        key = "" if self._is_exempt(address) else _network(address)
        own = self._by_address.setdefault(key, {}) if key else {}
        if len(own) >= self._limits.per_address and not self._make_room(own):
            self.count(Ended.TOO_MANY_OF_ADDRESS)
            return False
        if len(self._open) >= self._limits.total:
            self._warn()
            if not self._make_room(self._open):
                self.count(Ended.TOO_MANY)
                return False
        self._open[connection] = self.tick
        if key:
            # Anew: whoever made room may have been the last of its address.
            self._by_address.setdefault(key, own)[connection] = self.tick
            self._addresses[connection] = key
        return True

    def forget(self, connection: Connection) -> None:
        """Let go of a connection that has ended."""
        self._open.pop(connection, None)
        self._unsent_since.pop(connection, None)
        key = self._addresses.pop(connection, "")
        own = self._by_address.get(key)
        if own is not None:
            own.pop(connection, None)
            if not own:
                del self._by_address[key]

    def count(self, reason: Ended) -> None:
        """Count a connection that is ended from our side."""
        self._ended[reason] += 1

    async def watch(self) -> None:
        """End connections that take too long, for as long as this runs."""
        while True:
            await asyncio.sleep(1)
            self.look()

    def look(self) -> None:
        """Go over all connections once, as happens every second."""
        self.tick += 1
        # A copy, since ending a connection removes it from the dict.
        for connection in list(self._open):
            # A stage without a limit of its own, SERVED, never is too long: how long an answer takes is up to us.
            if self.tick - connection.since > self._seconds.get(connection.stage, self.tick):
                connection.end(_TOO_LONG[connection.stage])
            elif not connection.unsent():
                self._unsent_since.pop(connection, None)
            elif self.tick - self._unsent_since.setdefault(connection, self.tick) > SECONDS_TO_TAKE_AN_ANSWER:
                connection.end(Ended.ANSWER_NOT_TAKEN)

    def _make_room(self, among: dict[Connection, int]) -> bool:
        """End the connection that has been waiting longest and return whether there was one.

        Those that were busy since they were last looked at go to the end of the line. At most so many are looked at as a new
        connection may cost; an address of its own goes before a proxy, behind which there are many.
        """
        oldest: Connection | None = None
        # Bounded: whoever opens connections as fast as possible must not make each new one cost a walk over all.
        for _ in range(min(len(among), _LOOKED_AT)):
            connection = next(iter(among))
            placed = among.pop(connection)
            among[connection] = max(placed, connection.since)
            # Somebody waits for an answer there, and it may be a change: no request is cut off for a newcomer.
            if connection.stage is Stage.SERVED:
                continue
            if oldest is None or self._rank(connection) < self._rank(oldest):
                oldest = connection
            # The first one that has not moved since it was last looked at is the oldest there is: everything behind it was
            # placed later.
            if connection.since <= placed and connection in self._addresses:
                break
        if oldest is None:
            return False
        # Forgotten here and not only when the transport says so: until then it would count, and be ended again.
        self.forget(oldest)
        oldest.end(Ended.MADE_ROOM)
        return True

    def _rank(self, connection: Connection) -> tuple[bool, int]:
        # False sorts first: connections of single addresses go before those of proxies, then the one that waits longest.
        return connection not in self._addresses, connection.since

    def _warn(self) -> None:
        if self.tick - self._warned >= _SECONDS_BETWEEN_WARNINGS:
            self._warned = self.tick
            _log.warning("%d connections are open, which is the most: those that wait longest make room", len(self._open))


_TOO_LONG = {
    Stage.IDLE: Ended.IDLE,
    Stage.HEAD: Ended.HEAD_TOO_SLOW,
    Stage.BODY: Ended.BODY_TOO_SLOW,
    Stage.LEAVING: Ended.IDLE,
}


def _network(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    # `::ffff:192.0.2.1` is the IPv4 address that it holds; of a real IPv6 address the last 64 bits are free to choose.
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex())
