"""The spool: alerts as files in a folder of this machine, for a program that takes them away.

One file for each notice, complete from the moment that it has its name, and for its owner alone. Its name is the notice's id, so
that a notice which is written twice is one file.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from crownkeep.alerts.undelivered import Undelivered

MOST_FILES = 10_000
"""Files in one folder; beyond them notices wait, so that a program that takes nothing away fills no disk."""

_FOLDER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MODE, _FOLDER_MODE = 0o600, 0o700
_UNDER_WAY = ".under-way"


def fault_of(folder: str) -> str:
    """Say why a text is no folder of the spool, empty where it is one."""
    return "" if _FOLDER.fullmatch(folder) else "a folder's name has small letters, digits and hyphens, and no path"


def put(spool: Path, folder: str, name: str, content: bytes) -> None:
    """Write a file into a folder of the spool; raises Undelivered."""
    if fault_of(folder):
        raise Undelivered("the receiver is no folder of the spool", is_gone=True)
    directory = spool / folder
    try:
        for each in (spool, directory):
            each.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        _refuse_strange(directory)
        if sum(1 for _ in os.scandir(directory)) >= MOST_FILES:
            raise Undelivered(f"the folder holds {MOST_FILES} files already: nobody takes them away")
        _write(directory, name, content)
    except OSError as error:
        raise Undelivered(f"the folder can't be written to: {error.strerror}") from error


def _refuse_strange(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Undelivered("the folder is a link, or somebody else's")


def _write(directory: Path, name: str, content: bytes) -> None:
    under_way = directory / f"{name}{_UNDER_WAY}"
    # What a process that was killed has left of the same notice is written anew.
    under_way.unlink(missing_ok=True)
    descriptor = os.open(under_way, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    under_way.rename(directory / name)
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
