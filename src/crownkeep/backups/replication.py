"""The replica of the embedded database, which a server keeps in another directory, such as one of another disk.

look every `replica_seconds` -> is this process the one that copies? -> was anything committed? -> copy on a thread

Of several processes one copies, by a lock on the directory: whoever is killed gives it up at once.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from pathlib import Path

from crownkeep.settings import Settings
from crownkeep.storage.recurring import RecurringLook
from crownkeep.storage.replicas import DatabaseReplica, ReplicaFault

_LOCK = ".crownkeep.lock"
_SQLITE = "sqlite:///"
_log = logging.getLogger("crownkeep.backups")


class Replication:
    """The replication of one process: a task of its event loop. Nothing happens where no directory is set."""

    def __init__(self, settings: Settings) -> None:
        source = Path(settings.database_url.removeprefix(_SQLITE))
        self._directory = settings.replica_place
        self._replica = DatabaseReplica(source, self._directory or Path())
        self._lock: int | None = None
        self._fault = ""
        self._looks = RecurringLook(
            self.look, first_after=0.0, every=float(settings.replica_seconds), log=_log, complaint="no replica can be made"
        )

    def start(self) -> None:
        """Begin to copy, where a directory is set."""
        if self._directory is not None:
            self._looks.start()

    async def stop(self) -> None:
        """End; the last copy stays as it is."""
        await self._looks.stop()
        await asyncio.to_thread(self._replica.close)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def look(self) -> bool:
        """Copy the database where it changed and no other process copies it; returns whether it was copied.

        What goes wrong is logged once, and tried again.
        """
        try:
            done = await asyncio.to_thread(self._refresh)
        except (ReplicaFault, OSError) as error:
            if str(error) != self._fault:
                self._fault = str(error)
                _log.warning("no replica of the database can be made in `%s`: %s; trying again", self._directory, error)
            return False
        self._fault = ""
        return done

    def _refresh(self) -> bool:
        return self._is_ours() and self._replica.refresh()

    def _is_ours(self) -> bool:
        if self._lock is not None:
            return True
        directory = self._replica.place.parent
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True
