"""The database: SQLite by default, PostgreSQL when its URL says so; connections, transactions and what may be retried."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

Transaction = Connection
"""An open transaction: what every named query takes first."""

DatabaseFault = DBAPIError
"""What the database raises when it can't do what it was asked; for callers outside storage."""

Result = TypeVar("Result")


class UnusableDatabaseUrl(ValueError):
    """The database's URL can't be used; the message says why without repeating the URL, which may hold a password."""


_BUSY_MILLISECONDS = 10_000
_ATTEMPTS = 8
# Serialization failure, deadlock, a name that another node took first (run again, the work sees it and says so), and a server
# that went away (PostgreSQL, appendix A; YugabyteDB and CockroachDB use 40001).
_RETRIED_STATES = {"40001", "40P01", "23505", "57P01", "57P02", "57P03", "08000", "08003", "08006"}


class Database:
    """One database, and the connections of this process to it: each thread keeps one for reading and one for writing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._local = threading.local()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """Open a transaction that sees one state throughout and changes nothing."""
        with self._kept("reading", begin="BEGIN", isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction that changes things; commit at the end, roll back on an exception."""
        with self._kept("writing", begin="BEGIN IMMEDIATE") as connection:
            yield connection

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Run work in a transaction of its own, again where the database asks for that; for commands, not for requests."""
        for attempt in range(_ATTEMPTS):
            try:
                with self.transaction() as transaction:
                    return work(transaction)
            except DBAPIError as error:
                if attempt + 1 == _ATTEMPTS or not is_retryable(error):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """Close every pooled connection, and this thread's own."""
        for name in ("reading", "writing"):
            self._forget(name)
        self.engine.dispose()

    @contextmanager
    def _kept(self, name: str, *, begin: str, **options: object) -> Iterator[Transaction]:
        connection: Connection | None = getattr(self._local, name, None)
        if connection is None or connection.closed:
            connection = self.engine.connect()
            if not self.is_sqlite:
                connection = connection.execution_options(**options)
            setattr(self._local, name, connection)
        try:
            if self.is_sqlite:
                with _by_hand(connection, begin):
                    yield connection
            else:
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            if error.connection_invalidated:
                self._forget(name)
            raise

    def _forget(self, name: str) -> None:
        connection: Connection | None = getattr(self._local, name, None)
        setattr(self._local, name, None)
        if connection is not None:
            connection.close()


@contextmanager
def _by_hand(connection: Connection, begin: str) -> Iterator[None]:
    """Begin and end a transaction on the driver itself: SQLAlchemy's own bookkeeping costs ten times what SQLite does."""
    try:
        run_plainly(connection, begin)
        yield
        run_plainly(connection, "COMMIT")
    except BaseException:
        if driver(connection).in_transaction:
            run_plainly(connection, "ROLLBACK")
        raise


def driver(transaction: Transaction) -> Any:
    """Answer the driver's own connection, for the few statements that every request makes."""
    return transaction.connection.driver_connection


def run_plainly(transaction: Transaction, statement: str, parameters: Sequence[object] = ()) -> Any:
    """Run a statement on the driver itself and answer its cursor; what it raises is a DatabaseFault, as ever.

    A parameter's place is `?`. For the few statements that every request makes: through SQLAlchemy they cost five times as much.
    """
    if transaction.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    faults = transaction.dialect.loaded_dbapi.Error
    try:
        return driver(transaction).execute(statement, parameters)
    except faults as error:
        raise _as_fault(error, statement, faults, transaction.dialect) from error


def _as_fault(error: Exception, statement: str, faults: type[Exception], dialect: Dialect) -> Exception:
    lost = dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]  # a driver's error, which it knows by itself
    return DBAPIError.instance(statement, None, error, faults, connection_invalidated=lost, dialect=dialect)


def is_retryable(error: DBAPIError) -> bool:
    """Answer whether the same work may succeed when it is run again from its start."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _RETRIED_STATES
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


@contextmanager
def savepoint(transaction: Transaction) -> Iterator[None]:
    """Undo what is done inside when it raises, and keep the transaction open."""
    run_plainly(transaction, "SAVEPOINT deed")
    try:
        yield
    except BaseException:
        run_plainly(transaction, "ROLLBACK TO SAVEPOINT deed")
        run_plainly(transaction, "RELEASE SAVEPOINT deed")
        raise
    run_plainly(transaction, "RELEASE SAVEPOINT deed")


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UnusableDatabaseUrl(
            "the database's URL can't be read; write `sqlite:////DIR/FILE` or `postgresql://HOST/NAME`"
        ) from error
    if parsed.get_backend_name() == "sqlite":
        # Writers wait for one another instead of failing; every commit reaches the disk before anybody is told.
        engine = create_engine(
            parsed, poolclass=QueuePool, pool_size=8, max_overflow=24, connect_args={"check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        try:
            return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=8, max_overflow=24)
        except ModuleNotFoundError as error:
            raise UnusableDatabaseUrl("PostgreSQL needs the extra `postgres`; run `pip install 'crownkeep[postgres]'`") from error
    raise UnusableDatabaseUrl(f"no driver for the database `{parsed.get_backend_name()}`; use a sqlite or postgresql URL")


def _prepare_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own: we begin transactions ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection, which SQLAlchemy doesn't type
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cache_size = -32768",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
