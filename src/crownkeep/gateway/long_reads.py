"""Reads that take long: which of which accounts did, so that the next ones are carried out beside the event loop.

Most reads end in less time than it takes to hand them to another thread. A list of a thousand rows keeps the loop for several
times as long, and everybody who asks meanwhile waits for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from crownkeep.operations.registry import Operation

LONG_SECONDS = 0.002
LONG_BYTES = 2**16
"""An answer of this size took long to gather and to write, on however quick a machine: that of about two hundred users."""

MOST_KNOWN = 1_000


def is_long(seconds: float, body: bytes) -> bool:
    """Tell whether a read that computed for so long, and came to this, is carried out beside the loop the next time."""
    return seconds > LONG_SECONDS or len(body) > LONG_BYTES


class LongReads:
    """What took long when it was last asked, by account and operation; used on the event loop alone."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Hashable, str, str], None] = OrderedDict()

    def note(self, account: Hashable, operation: Operation) -> None:
        """Remember that a read of an account took long."""
        key = _key(account, operation)
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def forget(self, account: Hashable, operation: Operation) -> None:
        """Note that it took no longer than others do."""
        self._known.pop(_key(account, operation), None)

    def holds(self, account: Hashable, operation: Operation) -> bool:
        """Tell whether the account's last read of this kind took long."""
        return bool(self._known) and _key(account, operation) in self._known


def _key(account: Hashable, operation: Operation) -> tuple[Hashable, str, str]:
    # Services have operations of one name.
    return account, operation.service.name, operation.name
