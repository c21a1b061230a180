"""Files that say what an account lets in, or what was done to it: their owner's alone, and never somebody else's by a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_MODE = 0o600


class UnsafeFile(Exception):
    """A file can't be read or written safely; the text says why."""


def write(path: Path, text: str) -> None:
    """Write a file anew, readable for its owner alone; raises UnsafeFile."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file anew, readable for its owner alone; raises UnsafeFile."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            _own(descriptor, path)
            os.ftruncate(descriptor, 0)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise UnsafeFile(_said(path, "written", error)) from error


def append(path: Path, line: str) -> None:
    """Append a line, durably; what a kill cut off does not swallow it. Raises UnsafeFile."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        with os.fdopen(descriptor, "rb+", buffering=0) as file:
            _own(descriptor, path)
            size = file.seek(0, os.SEEK_END)
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            file.write((("\n" if is_cut else "") + line + "\n").encode())
            os.fsync(descriptor)
    except OSError as error:
        raise UnsafeFile(_said(path, "written", error)) from error


def read(path: Path) -> str | None:
    """Return what such a file says, None where there is none.

    What another user could have written is not believed: it would say what was done, and what wasn't. Raises UnsafeFile.
    """
    try:
        # Not blocking: a pipe that somebody has put in its place would be waited for without end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnsafeFile(_said(path, "read", error)) from error
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
            raise UnsafeFile(f"`{path}` could be written by others: look into it, then `chmod 600` it, or move it away")
        return file.read().decode(errors="replace")


def _own(descriptor: int, path: Path) -> None:
    """Make an open file its owner's alone; a file of somebody else's is not written."""
    about = os.fstat(descriptor)
    if stat.S_ISREG(about.st_mode):
        if about.st_uid != os.geteuid():
            raise UnsafeFile(f"`{path}` belongs to another user: move it away")
        os.fchmod(descriptor, _MODE)  # one that was there before may be anybody's to read


def _said(path: Path, done: str, error: OSError) -> str:
    if path.is_symlink():
        return f"`{path}` can't be {done}: it is a symbolic link, which is not followed here"
    return f"`{path}` can't be {done}: {error.strerror}"
