"""Copying a database row by row, between any two databases that we run on: read in one snapshot, and written in one transaction.

Rows travel as plain values (numbers, texts, bytes, booleans), which both databases keep alike. Memory holds a few rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Boolean, Table, inspect

from crownkeep.storage.database import Database, Transaction, driver, run_plainly, run_plainly_for_each
from crownkeep.storage.schema import metadata

_AT_ONCE = 50
Row = Sequence[Any]


def tables() -> list[str]:
    """Return the names of all tables, each after those that it refers to."""
    return [str(table.name) for table in metadata.sorted_tables]


def columns(name: str) -> list[str]:
    """Return the names of a table's columns."""
    return [str(column.name) for column in metadata.tables[name].columns]


def rows(db: Transaction, name: str) -> Iterator[list[Row]]:
    """Yield the rows of a table, a few at a time."""
    table = metadata.tables[name]
    statement = f"SELECT {', '.join(columns(name))} FROM {name}"  # noqa: S608 - our own names
    if db.dialect.name == "sqlite":
        with closing(run_plainly(db, statement)) as cursor:
            yield from _few(cursor, table)
    else:
        # A cursor with a name stays at the server, which else would send the whole table at once.
        with driver(db).cursor(name="copying") as cursor:
            cursor.execute(statement)
            yield from _few(cursor, table)


def _few(cursor: Any, table: Table) -> Iterator[list[Row]]:
    flags = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    # Fifty at a time: a record may be large, and a copy must not need the memory of a table.
    while found := cursor.fetchmany(_AT_ONCE):
        yield [_with_flags(list(row), flags) for row in found] if flags else found


def _with_flags(row: list[Any], flags: Sequence[int]) -> Row:
    for place in flags:
        # SQLite keeps booleans as 0 and 1, which PostgreSQL refuses for its own type.
        row[place] = None if row[place] is None else bool(row[place])
    return row


def add(db: Transaction, name: str, names: Sequence[str], found: Sequence[Row]) -> None:
    """Add rows to a table, whose columns are given; both names were read from a copy that nobody but us can have made."""
    if not all(each.isidentifier() for each in (name, *names)):
        raise ValueError("a table or a column has no such name")
    marks = ", ".join("?" * len(names))
    run_plainly_for_each(db, f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks})", found)  # noqa: S608 - see above


def clear(db: Transaction, name: str) -> None:
    """Remove what the steps of a new database have put into a table."""
    if run_plainly(db, f"SELECT count(*) FROM {name}").fetchone()[0]:  # noqa: S608 - as above
        run_plainly(db, f"DELETE FROM {name}")  # noqa: S608 - as above


def finish(db: Transaction) -> None:
    """Let numbers that PostgreSQL draws go on above those that were added."""
    if db.dialect.name == "sqlite":
        return
    for table in metadata.sorted_tables:
        drawn = table.autoincrement_column
        if drawn is not None:
            highest = f"(SELECT coalesce(max({drawn.name}), 0) + 1 FROM {table.name})"  # noqa: S608 - our own names
            sequence = f"pg_get_serial_sequence('{table.name}', '{drawn.name}')"
            run_plainly(db, f"SELECT setval({sequence}, {highest}, false)")


def is_empty(database: Database) -> bool:
    """Tell whether a database has no tables at all."""
    with database.snapshot() as db:
        return not inspect(db).get_table_names()
