"""Files that are written whole, durably and for their owner alone: nobody ever sees half of one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusively(file: Path) -> Iterator[None]:
    """Wait for the lock of a file that is replaced when it changes, and hold it; it lies beside the file."""
    descriptor = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_if_missing(file: Path, text: str) -> None:
    """Make a file with this text unless another process has just made it; nobody ever sees half of one."""
    temporary = _write_temporary(file, text)
    try:
        os.link(temporary, file)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
    sync_directory(file.parent)


def write_new(file: Path, content: bytes) -> None:
    """Write a file that is not there yet, durably and for its owner alone; raises FileExistsError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace(file: Path, text: str) -> None:
    """Put a file with this text into a place at once, durably and for its owner alone."""
    _write_temporary(file, text).replace(file)
    sync_directory(file.parent)


def _write_temporary(file: Path, text: str) -> Path:
    # mkstemp opens with mode 0600 and O_EXCL, so the secret is never readable by others, not even for an instant.
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return Path(name)


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk."""
    sync(path)


def sync(path: Path) -> None:
    """Have what was written to a file, or a directory, on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
