"""The one writer: changes and records from all requests, committed in groups that share one fsync.

    put(items) ----+                      +-- savepoint: work 1
    submit(work) --+--> queue --> group --+-- savepoint: work 2   --> events of all --> COMMIT --> answers leave
    record(event) -+   (bounded)          +-- ...

Requests that arrive while a group commits form the next one. On PostgreSQL the writer's thread carries a group out; on SQLite the
event loop's does, whose statements take microseconds, and the thread does no more than wait for the disk. A group that the
database refuses (a serialization failure, a deadlock) is rolled back and its works are run again one by one, so that no work can
spoil another's. Nobody is answered before the commit; what was not committed did not happen. Where PostgreSQL goes away during a
commit, its events tell whether it took place: what did is not run again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.exc import DBAPIError

from crownkeep.storage.database import Database, Transaction, is_retryable, takes_no_changes
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow

Result = TypeVar("Result")

_log = logging.getLogger("crownkeep.storage")
_GROUP = 64
_QUEUE = 4096
_ATTEMPTS = 10


class WriterBusy(Exception):
    """More works wait than the writer may hold; the caller is told to come again."""


class WriteFailed(Exception):
    """The database did not take the work, and nothing of it happened; or it went away, and nobody can say (`LostCommit`)."""


class LostCommit(Exception):
    """The connection was lost during a commit, and nobody can say whether it took place: it must not be run again."""


@dataclass(slots=True)
class Commit(Generic[Result]):
    """What a work leaves: its result, and the events that must be kept with it."""

    result: Result
    events: list[EventRow]


Work = Callable[[Transaction], Commit[Any]]


@dataclass(slots=True, eq=False)
class Item:
    """What is to be committed for one request: what `work` does and leaves, or `events` alone where there is none."""

    work: Work | None
    events: Sequence[EventRow]
    settle: Callable[[Item], None]
    """Called on the event loop, once, when the commit is on disk or has failed; must not raise."""
    result: object = None
    """What `work` returned, once that is on disk."""
    failure: Exception | None = None
    """Why nothing of it happened, or a LostCommit."""


class Writer:
    """A thread with a connection of its own, fed by the event loop it was started from."""

    def __init__(self, database: Database, observe: Callable[[Transaction, Sequence[EventRow]], None]) -> None:
        """Start the thread; `observe` sees the events of every group in its transaction, and may add to that."""
        self._database = database
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Item] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._is_committing = False
        self._is_stuck = False
        """Whether the database has refused every change since it was last said so."""
        self._commits: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def submit(self, work: Callable[[Transaction], Commit[Result]]) -> Result:
        """Run work in the next group and return its result once that is on disk.

        Work may be run more than once, each time from a fresh state. Raises WriterBusy where the queue is full and WriteFailed
        where the work or the database failed.
        """
        future: asyncio.Future[object] = self._loop.create_future()
        refused = self.put([Item(work, (), partial(_resolve, future))])
        if refused:
            raise WriterBusy
        return cast(Result, await future)

    async def record(self, event: EventRow) -> None:
        """Keep one event with the next group; returns once it is on disk."""
        await self.submit(lambda _: Commit(None, [event]))

    def put(self, items: Sequence[Item]) -> Sequence[Item]:
        """Queue what has come together in one turn of the event loop, and return those for which there is no room.

        All of it is handed to the thread at once: waking it costs more than what most requests do.
        """
        with self._wake:
            room = 0 if self._stopping else max(0, _QUEUE - len(self._waiting))
            # Whatever does not fit is the caller's to refuse: the queue is the one bound on what waits, and on the memory it
            # takes.
            taken = items[:room]
            if taken:
                is_idle = not self._waiting
                self._waiting.extend(taken)
                # A thread that is at work looks again by itself when it is done.
                if is_idle and not self._database.is_sqlite:
                    self._wake.notify()
        if self._database.is_sqlite:
            # Outside of the condition: the works of a group run in there, and nobody should hold a lock for them.
            self._begin_group()
        return items[room:]

    async def stop(self) -> None:
        """Finish what waits, then end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._database.is_sqlite:
            self._begin_group()
        await asyncio.to_thread(self._thread.join)

    @property
    def depth(self) -> int:
        """How many works wait."""
        return len(self._waiting)

    def _run(self) -> None:
        if self._database.is_sqlite:
            while (commit := self._commits.get()) is not None:
                commit()
            return
        while True:
            with self._wake:
                while not self._waiting and not self._stopping:
                    self._wake.wait()
                group = [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]
            if not group:
                return
            self._carry_out(group)
            self._loop.call_soon_threadsafe(_answer, group)

    def _begin_group(self) -> None:
        """Carry out what waits, on the event loop's thread, and leave its commit to the other one."""
        if self._is_committing:
            return
        # Without the lock: on SQLite only the event loop's thread takes from the queue.
        group = [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]
        if not group:
            if self._stopping:
                self._commits.put(None)
            return
        # One group at a time, or two would write into one transaction. `_next_group` clears it, on this same thread.
        self._is_committing = True
        transaction = self._begun(group)
        # Where another process is writing, the thread waits for it, and has the group carried out then.
        commit = partial(self._carry_out, group) if transaction is None else partial(self._finish, transaction, group)
        self._commits.put(lambda: self._end_group(commit, group))

    def _begun(self, group: list[Item]) -> Transaction | None:
        """Return the open transaction in which a group has been carried out; None where that was not possible at once."""
        transaction: Transaction | None = None
        try:
            # It begins on this thread and ends on the writer's: SQLite allows that, and the two never touch it at once.
            transaction = self._database.begin_at_once()
            if transaction is not None:
                self._work(transaction, group)
        except Exception:  # noqa: BLE001 - the works are run again one by one, and whose it was is told
            if transaction is not None:
                self._database.roll_back(transaction)
            return None
        return transaction

    def _finish(self, transaction: Transaction, group: list[Item]) -> None:
        try:
            self._database.commit(transaction)
            self._note_success()
        except Exception:  # noqa: BLE001 - SQLite without memory is no fault of the database's; nothing may end the thread
            # The commit failed, so nothing of it happened: the group is run again, in a transaction of the thread's own.
            self._carry_out(group)

    def _end_group(self, commit: Callable[[], None], group: list[Item]) -> None:
        commit()
        self._loop.call_soon_threadsafe(self._next_group, group)

    def _next_group(self, ended: list[Item]) -> None:
        """Begin the next group before the last one is answered: the disk works meanwhile."""
        self._is_committing = False
        # Before the answers: writing those out would keep the disk idle.
        self._begin_group()
        _answer(ended)

    def _carry_out(self, group: list[Item]) -> None:
        try:
            self._commit(group)
        except LostCommit as error:
            # Whether any of it was kept is unknown, so nothing is run again: it could be done twice.
            for item in group:
                self._fail(item, error)
        except Exception as error:  # noqa: BLE001 - one work's fault must not take its neighbours along, nor end the thread
            # A fault of a group of one is that work's. In a larger group each is tried alone, to find whose it was.
            if len(group) == 1 and not _may_pass_later(error):
                self._fail(group[0], error)
                return
            for item in group:
                self._carry_out_alone(item)

    def _carry_out_alone(self, item: Item) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                self._commit([item])
            except Exception as error:  # noqa: BLE001 - as above: it is raised in its own request
                # Only what the database itself calls temporary is tried again: a conflict, a deadlock, a lost connection.
                if attempt + 1 == _ATTEMPTS or not _may_pass_later(error):
                    self._fail(item, error)
                    return
            else:
                return

    def _commit(self, group: list[Item]) -> None:
        if self._database.is_sqlite:
            with self._database.transaction() as transaction:
                self._on_the_loop(partial(self._work, transaction, group))
            self._note_success()
            return
        rows: Sequence[EventRow] | None = None
        try:
            with self._database.transaction() as transaction:
                rows = self._work(transaction, group)
            self._note_success()
        except DBAPIError as error:
            # The answer to COMMIT was lost. The group's last event is there exactly if all of the group is.
            if rows and error.connection_invalidated and self._is_kept(rows[-1], error):
                return
            raise

    def _is_kept(self, event: EventRow, lost: DBAPIError) -> bool:
        """Tell whether the commit took place whose answer was lost; raises LostCommit where the database can't be asked."""
        for _ in range(_ATTEMPTS):
            try:
                with self._database.transaction() as transaction:
                    return events.is_kept(transaction, event)
            except DBAPIError as error:
                lost = error
        raise LostCommit("the connection was lost during a commit") from lost

    def _work(self, transaction: Transaction, group: list[Item]) -> Sequence[EventRow]:
        """Carry out a group in an open transaction and return the events that it keeps."""
        rows: list[EventRow] = []
        for item in group:
            rows += item.events
            if item.work is not None:
                # A work returns its refusals. What it raises is a fault, and rolls the whole group back.
                commit = item.work(transaction)
                item.result = commit.result
                rows += commit.events
        # Once for the group: one statement keeps all events, and observers see them together.
        if rows:
            events.add_all(transaction, rows)
            self._observe(transaction, rows)
        return rows

    def _fail(self, item: Item, error: Exception) -> None:
        item.failure = error
        if not takes_no_changes(error):
            _log.error("the database did not take a change", exc_info=error)
        elif not self._is_stuck:
            # Every request is one until somebody makes room: it is said once.
            self._is_stuck = True
            _log.error("the database takes no changes: %s; every request is refused until it does", cast(DBAPIError, error).orig)

    def _note_success(self) -> None:
        if self._is_stuck:
            self._is_stuck = False
            _log.warning("the database takes changes again")

    def _on_the_loop(self, work: Callable[[], object]) -> None:
        """Run work on the event loop's thread and wait for it.

        Only waiting (for the write lock, for the disk) is left to this thread: SQLite's statements take microseconds, and two
        threads that both run Python would pass the interpreter's lock back and forth, five milliseconds at a time.
        """
        done: Future[None] = Future()
        self._loop.call_soon_threadsafe(_settle, done, work)
        done.result()


def _settle(done: Future[None], work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - it belongs to the thread that waits
        done.set_exception(error)
    else:
        done.set_result(None)


def _may_pass_later(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and is_retryable(error)


def _answer(group: list[Item]) -> None:
    for item in group:
        try:
            item.settle(item)
        except Exception as error:  # noqa: BLE001 - one of them must not keep the others from their answers
            _log.error("an answer could not be given", exc_info=error)


def _resolve(future: asyncio.Future[object], item: Item) -> None:
    if future.done():
        return
    if item.failure is not None:
        failed = WriteFailed("the database did not take the change")
        failed.__cause__ = item.failure
        future.set_exception(failed)
    else:
        future.set_result(item.result)
