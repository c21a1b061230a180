"""Engines: a pool of connections to SQLite or PostgreSQL, as a URL says, each set up as we rely on it."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from crownkeep.storage import steps

_BUSY_MILLISECONDS = 10_000
_SECONDS_TO_CONNECT = 5
_POOLED = "pgbouncer"
"""The URL's parameter that says a pooler is between us and PostgreSQL: `?pgbouncer=true`."""


class UnusableDatabaseUrl(ValueError):
    """The database's URL can't be used; the message says why without repeating the URL, which may hold a password."""


def make(url: str) -> Engine:
    """Return an engine for a database; raises UnusableDatabaseUrl."""
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
        event.listen(engine, "do_connect", lambda *_: _keep_to_owner(parsed.database))
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        try:
            # A server that doesn't answer must not stop the event loop for the two minutes that TCP tries.
            options: dict[str, Any] = {} if "connect_timeout" in parsed.query else {"connect_timeout": _SECONDS_TO_CONNECT}
            # Whoever takes a step of the schema sees which versions run (`health.nodes`).
            options["application_name"] = steps.NODE + steps.newest()
            # Statements are prepared by `libpq` alone: a cursor that prepared some would forget all with each rollback, ours too.
            options["prepare_threshold"] = None
            driven = parsed.set(drivername="postgresql+psycopg").difference_update_query([_POOLED])
            return create_engine(driven, pool_size=8, max_overflow=24, pool_pre_ping=True, connect_args=options)
        except ModuleNotFoundError as error:
            raise UnusableDatabaseUrl(
                f"PostgreSQL needs its driver: run `{sys.executable} -m pip install 'psycopg[binary]>=3.3'`"
            ) from error
    raise UnusableDatabaseUrl(f"no driver for the database `{parsed.get_backend_name()}`; use a sqlite or postgresql URL")


def is_pooled(url: str) -> bool:
    """Tell whether the next transaction may run on another connection, which has no statement prepared here."""
    return make_url(url).query.get(_POOLED) == "true"


def _keep_to_owner(file: str | None) -> None:
    """Make the database's files the owner's alone: SQLite makes them as readable as the umask lets it.

    An existing file is not opened: closing it would end the locks that this process holds on it (POSIX, fcntl).
    """
    if not file or file.startswith((":memory:", "file:")):
        return
    # What is wrong with a path is said by SQLite, which is asked next.
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    for each in (file, f"{file}-wal", f"{file}-shm"):
        # It may not be there, or be somebody else's to say who reads it.
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            if stat.S_IMODE(Path(each).stat().st_mode) & 0o077:
                Path(each).chmod(0o600)


def _prepare_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own: we begin transactions ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection, which SQLAlchemy doesn't type
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "foreign_keys = ON",
        # A file that somebody else has made must not bring functions in its schema (SQLite, "Defense Against The Dark Arts").
        "trusted_schema = OFF",
        # Negative is in KiB: 32 MiB for each connection.
        "cache_size = -32768",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
