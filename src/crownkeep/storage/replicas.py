"""Copies of the embedded database: one moment of it, whole, in another directory, made while others write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Lock

from crownkeep import durable_files

_PARTIAL = ".crownkeep.db.partial"
_SECONDS_TO_WAIT = 30.0


class ReplicaFault(Exception):
    """A copy could not be made; the message says why."""


class DatabaseReplica:
    """The copy of one database in one directory; a connection of its own tells whether anything was committed since."""

    def __init__(self, source: Path, directory: Path) -> None:
        self._source = source
        self._directory = directory
        self._connection: sqlite3.Connection | None = None
        self._copied: int | None = None
        # A copy goes on in its thread when its task is cancelled: closed under it, the driver would use what is gone.
        self._lock = Lock()

    @property
    def place(self) -> Path:
        """Where the copy is, once there is one."""
        return self._directory / self._source.name

    def refresh(self) -> bool:
        """Make the copy anew where something was committed since the last one; returns whether it did. Raises ReplicaFault.

        Whoever reads the directory sees the copy of before or the new one, whole.
        """
        with self._lock:
            try:
                return self._refresh()
            except (sqlite3.Error, OSError) as error:
                self._close()
                raise ReplicaFault(str(error)) from error

    def close(self) -> None:
        """Let go of the database, once a copy that is being made is."""
        with self._lock:
            self._close()

    def _refresh(self) -> bool:
        connection = self._opened()
        # Changes whenever another connection has committed (sqlite.org/pragma.html#pragma_data_version).
        [version] = connection.execute("PRAGMA data_version").fetchone()
        if version == self._copied and self.place.exists():
            return False
        self._copy(connection)
        self._copied = version
        return True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._copied = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            uri = f"{self._source.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, timeout=_SECONDS_TO_WAIT, check_same_thread=False)
        return self._connection

    def _copy(self, connection: sqlite3.Connection) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._directory / _PARTIAL
        partial.unlink(missing_ok=True)
        # Made by us and for us alone, before SQLite writes into it.
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        try:
            with closing(sqlite3.connect(partial)) as copy:
                # All pages in one step, and so of one moment: a copy in several begins again whenever somebody writes between.
                connection.backup(copy, pages=-1)
                # A file that needs nothing beside it: the copy is read by whoever restores it, and by nobody before.
                copy.execute("PRAGMA journal_mode = DELETE")
            durable_files.sync(partial)
            partial.replace(self.place)
            durable_files.sync_directory(self._directory)
        finally:
            partial.unlink(missing_ok=True)
