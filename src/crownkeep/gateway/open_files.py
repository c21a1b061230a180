"""How many files this process may have open: a connection is one, and many systems allow 1,024 unless asked for more."""

from __future__ import annotations

import resource

KEPT = 256
"""Files that are no connections: the database's, those that are read, sockets to other servers."""


def raise_limit(wanted: int) -> int:
    """Raise the limit to `wanted`, or as far as the system permits, and return what it is; it is never lowered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY == soft:
        return wanted
    most = wanted if resource.RLIM_INFINITY == hard else min(wanted, hard)
    if most <= soft:
        return soft
    # The hard limit stays: only root could raise it again.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
