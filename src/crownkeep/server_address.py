"""Where the server of a data directory is reached: written down by it, read by the commands beside it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "server.url"
OUTBOUND_IDENTITY = "/outbound-identity"
"""The path at which each account's issuer has its discovery document and its keys (OpenID Connect Discovery 1.0, section 4)."""
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server was reached the last time that one ran, and whether it runs now."""

    url: str
    """Without a slash at the end."""
    is_running: bool


@contextmanager
def announced(directory: Path, url: str) -> Iterator[None]:
    """Write down where a server is reached, and hold the file's lock as long as it serves.

    The lock ends with the process, however that ends. Servers that share a directory share the lock, and the last one's address
    counts.
    """
    descriptor = os.open(directory / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{url}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def read(directory: Path) -> ServerAddress | None:
    """Return what the last server of a data directory wrote down, or None where none has served yet."""
    try:
        descriptor = os.open(directory / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_running = False
    except BlockingIOError:
        is_running = True
    finally:
        url = os.pread(descriptor, _LONGEST, 0).decode("utf-8", "replace").strip()
        os.close(descriptor)
    return ServerAddress(url, is_running) if url else None
