"""Sweeping: rows of sign-in that are over are removed now and then, by whoever happens to write; nobody reads them before."""

from __future__ import annotations

from crownkeep import clock

_ONE_IN = 32


def is_due() -> bool:
    """Tell whether this write should sweep: once in a while, since each sweep costs as much as three other statements."""
    return clock.token_bytes(1)[0] % _ONE_IN == 0
