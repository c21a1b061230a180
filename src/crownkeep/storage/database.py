"""The database of an installation: its connections, transactions, and what may be retried."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, RootTransaction
from sqlalchemy.exc import DBAPIError, OperationalError

from crownkeep.storage import additions, engines

Transaction = Connection
"""An open transaction: what every named query takes first."""

DatabaseFault = DBAPIError
"""What the database raises when it can't do what it was asked; for callers outside storage."""

Result = TypeVar("Result")


_DRIVER = "_crownkeep_driver"
"""Where a kept connection has the driver's own."""
_STATEMENTS = "_crownkeep_statements"
"""Where a kept connection to PostgreSQL has what it has prepared; in its pool's notes under the same name."""
_FEW_ROWS = 2
_ATTEMPTS = 8
_READ_ONLY = "25006"
"""A server that was the primary until a fail-over, and now only reads: another connection may lead to the new one."""
# Serialization failure, deadlock, a name that another node took first (run again, the work sees it and says so), a statement that
# somebody made the connection forget, and a server that went away (PostgreSQL, appendix A; YugabyteDB and CockroachDB use 40001).
_RETRIED_STATES = {"40001", "40P01", "23505", "26000", "57P01", "57P02", "57P03", "08000", "08001", "08003", "08006", _READ_ONLY}


# A full disk, a quota, and a server or a transaction that is read-only (PostgreSQL, appendix A).
_UNCHANGEABLE_STATES = {"53100", "53400", "25006"}
_UNCHANGEABLE_CODES = {8, 13}
"""SQLite's result codes SQLITE_READONLY and SQLITE_FULL."""


class Database:
    """One database, and the connections of this process to it: each thread keeps one for reading and one for writing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = engines.make(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        """Whether this is the embedded database."""
        self._may_prepare = not engines.is_pooled(url)
        self._local = threading.local()

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that sees one state throughout and changes nothing."""
        return _Opened(self, "reading", "BEGIN")

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that changes things; commit at the end, roll back on an exception."""
        return _Opened(self, "writing", "BEGIN IMMEDIATE")

    def begin_at_once(self) -> Transaction | None:
        """Begin to write on this thread's own connection without waiting; None where somebody else is writing. On SQLite alone.

        It may be committed or rolled back on another thread.
        """
        try:
            connection = self.kept("writing at once")
            run_plainly(connection, "BEGIN IMMEDIATE")
        except DBAPIError:
            # What else may be wrong is met again, and told, by whoever waits for the lock.
            return None
        return connection

    def commit(self, transaction: Transaction) -> None:
        """Commit what `begin_at_once` began; undone, and raised, where that fails."""
        try:
            run_plainly(transaction, "COMMIT")
        except BaseException:
            self.roll_back(transaction)
            raise

    def roll_back(self, transaction: Transaction) -> None:
        """Undo what `begin_at_once` began; where not even that can be done, its connection is closed, which undoes it too.

        A transaction that stayed open would keep everybody else from writing.
        """
        try:
            _roll_back(transaction)
        except Exception:  # noqa: BLE001 - SQLite without memory is no fault of the database's
            transaction.invalidate()
            transaction.close()

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Run work in a transaction of its own, again where the database asks for that; for commands, not for requests.

        Where the connection is lost during the commit, nobody knows whether it took place: that is raised, and not run again.
        """
        for attempt in range(_ATTEMPTS):
            is_committing = False
            try:
                with self.transaction() as transaction:
                    result = work(transaction)
                    is_committing = True
            except DBAPIError as error:
                is_lost = is_committing and error.connection_invalidated
                if is_lost or attempt + 1 == _ATTEMPTS or not is_retryable(error):
                    raise
            else:
                return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """Close every pooled connection, and this thread's own."""
        for name in ("reading", "writing", "writing at once"):
            self.forget(name)
        self.engine.dispose()

    def kept(self, purpose: str) -> Connection:
        """Return this thread's own connection for `reading`, `writing` or `writing at once`."""
        connection: Connection | None = getattr(self._local, purpose, None)
        if connection is not None and not self.is_sqlite and _was_lost(connection):
            self.forget(purpose)
            connection = None
        if connection is None or connection.closed:
            connection = self.engine.connect()
            if not self.is_sqlite and purpose == "reading":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if purpose == "writing at once":
                connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            setattr(self._local, purpose, connection)
            # Asked of SQLAlchemy each time, it costs as much as a small statement.
            setattr(connection, _DRIVER, connection.connection.driver_connection)
            if not self.is_sqlite:
                setattr(connection, _STATEMENTS, _statements(connection, may_prepare=self._may_prepare))
        return connection

    def forget(self, purpose: str) -> None:
        """Close this thread's own connection, as one that was lost."""
        connection: Connection | None = getattr(self._local, purpose, None)
        setattr(self._local, purpose, None)
        if connection is not None:
            connection.close()


class _Opened(AbstractContextManager[Transaction]):
    """A transaction from its beginning to its end.

    On SQLite it is begun and ended on the driver itself, where SQLAlchemy's own bookkeeping costs ten times what SQLite does.
    """

    __slots__ = ("_begin", "_connection", "_database", "_purpose", "_root")

    def __init__(self, database: Database, purpose: str, begin: str) -> None:
        self._database = database
        self._purpose = purpose
        self._begin = begin
        self._root: RootTransaction | None = None

    def __enter__(self) -> Transaction:
        self._connection = self._database.kept(self._purpose)
        if self._database.is_sqlite:
            run_plainly(self._connection, self._begin)
        else:
            self._root = self._connection.begin()
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self._root is not None:
                self._root.__exit__(kind, error, trace)
            elif error is None:
                _commit(self._connection)
            else:
                _roll_back(self._connection)
        finally:
            if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _READ_ONLY:
                # Given back to the pool, it would be handed out again.
                self._connection.invalidate()
                self._database.forget(self._purpose)
            elif (isinstance(error, DBAPIError) and error.connection_invalidated) or self._is_stuck():
                self._database.forget(self._purpose)

    def _is_stuck(self) -> bool:
        """Tell whether SQLite could not even undo a transaction: open, it would keep everybody else from writing."""
        return self._root is None and bool(driver(self._connection).in_transaction)


def _commit(connection: Connection) -> None:
    try:
        run_plainly(connection, "COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: Connection) -> None:
    if driver(connection).in_transaction:
        run_plainly(connection, "ROLLBACK")


def _was_lost(connection: Connection) -> bool:
    """Tell whether a PostgreSQL connection that does nothing was ended by the other side; costs a system call where it wasn't.

    A server that ends, or is ended, closes its sockets: something can then be read where nothing was asked.
    """
    if connection.closed or connection.invalidated:
        return True
    held = driver(connection)
    if held.closed:
        return True
    poll = select.poll()
    poll.register(held.fileno(), select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        # It may be a notice, too: asked, a living server answers.
        held.execute("SELECT 1")
        held.rollback()
    except connection.dialect.loaded_dbapi.Error:
        connection.invalidate()
        return True
    return False


def driver(transaction: Transaction) -> Any:
    """Return the driver's own connection, for the few statements that every request makes."""
    known = getattr(transaction, _DRIVER, None)
    return transaction.connection.driver_connection if known is None else known


def _statements(connection: Connection, *, may_prepare: bool) -> Any:
    """Return what runs the statements of a connection to PostgreSQL, which may have been another's in the pool before."""
    # Here and not above: the driver is installed where there is a PostgreSQL.
    from crownkeep.storage.libpq import Statements

    return connection.info.setdefault(_STATEMENTS, Statements(driver(connection), may_prepare=may_prepare))


def run_plainly(transaction: Transaction, statement: str, parameters: Sequence[object] = ()) -> Any:
    """Run a statement on the driver itself and return its cursor; what it raises is a DatabaseFault, as ever.

    A parameter's place is `?`. For the few statements that every request makes: through SQLAlchemy they cost five times as much.
    """
    if transaction.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    return run_as_written(transaction, statement, parameters)


def run_as_written(transaction: Transaction, statement: str, parameters: Sequence[object]) -> Any:
    """Run a statement that is written in the driver's own way, as `run_plainly` does."""
    try:
        statements = getattr(transaction, _STATEMENTS, None)
        if statements is not None and (rows := statements.run(statement, parameters)) is not None:
            return rows
        return driver(transaction).execute(statement, parameters)
    # Evaluated where something is raised, and only there.
    except transaction.dialect.loaded_dbapi.Error as error:
        raise _as_fault(error, statement, transaction.dialect) from error


def run_plainly_for_each(transaction: Transaction, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Run a statement once for each row of parameters, on the driver itself, as `run_plainly` does.

    PostgreSQL takes rows that are only added by COPY, which costs half; a few are spared what a COPY takes to begin and end.
    """
    is_sqlite = transaction.dialect.name == "sqlite"
    if not is_sqlite and len(rows) <= _FEW_ROWS:
        for row in rows:
            run_plainly(transaction, statement, row)
        return
    copying = None if is_sqlite else additions.as_copy(statement)
    try:
        cursor = driver(transaction).cursor()
        if copying is None:
            cursor.executemany(additions.as_addition(statement) if is_sqlite else statement.replace("?", "%s"), rows)
            return
        with cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(row)
    except transaction.dialect.loaded_dbapi.Error as error:
        raise _as_fault(error, statement, transaction.dialect) from error


def _as_fault(error: Exception, statement: str, dialect: Dialect) -> Exception:
    faults = dialect.loaded_dbapi.Error
    lost = dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]  # a driver's error, which it knows by itself
    return DBAPIError.instance(statement, None, error, faults, connection_invalidated=lost, dialect=dialect)


def is_retryable(error: DBAPIError) -> bool:
    """Tell whether the same work may succeed when it is run again from its start."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _RETRIED_STATES
    # SQLITE_BUSY and SQLITE_LOCKED have this word of their texts in common.
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def takes_no_changes(error: Exception) -> bool:
    """Tell whether the database refuses whatever would change it: its disk is full, or it may only be read."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _UNCHANGEABLE_STATES
    # Extended result codes have the primary one in their last byte.
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _UNCHANGEABLE_CODES


@contextmanager
def savepoint(transaction: Transaction) -> Iterator[None]:
    """Undo what is done inside when it raises, and keep the transaction open."""
    # One name for all: savepoints of a group follow one another, and are never nested.
    run_plainly(transaction, "SAVEPOINT work")
    try:
        yield
    except BaseException:
        # Rolling back to a savepoint leaves it there; it is released as well, or the next one would stand inside of it.
        run_plainly(transaction, "ROLLBACK TO SAVEPOINT work")
        run_plainly(transaction, "RELEASE SAVEPOINT work")
        raise
    run_plainly(transaction, "RELEASE SAVEPOINT work")
