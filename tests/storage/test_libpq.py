"""Statements on libpq itself return, and refuse, what a cursor of psycopg's does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from crownkeep.storage import health
from crownkeep.storage.database import Database, DatabaseFault, Transaction, driver, run_plainly, savepoint
from crownkeep.storage.libpq import Rows, Statements

TIMES = 4
"""Often enough that a statement is prepared."""
ASKED: list[tuple[str, Any]] = [
    ("SELECT name, number, body, is_new FROM kept ORDER BY name", ()),
    ("SELECT * FROM kept WHERE name = %s AND number = %s", ("half", 7)),
    ("SELECT * FROM kept WHERE body = %s OR number IS NOT DISTINCT FROM %s ORDER BY name", (b"\x00\xff", None)),
    ("SELECT name FROM kept WHERE is_new = %s AND number < %s", (True, 1 << 40)),
    ("SELECT name FROM kept WHERE name LIKE 'ha%%' LIMIT %s", (1,)),
    ("SELECT sum(number), %s::json FROM kept", ('{"a": 1}',)),
    ("SELECT name FROM kept WHERE name = %s", ("' OR true --",)),
    ("SELECT name FROM kept WHERE name = %s", ("ümit",)),
    ("UPDATE kept SET number = %s WHERE name = %s", (70_000, "b")),
    ("SAVEPOINT again", ()),
    ("SELECT name FROM kept WHERE number > %(least)s", {"least": 1}),
]
REFUSED = [
    ("INSERT INTO kept VALUES (%s)", ("b",), psycopg.errors.UniqueViolation),
    ("SELECT * FROM nowhere WHERE name = %s", ("b",), psycopg.errors.UndefinedTable),
    ("SELECT name FROM kept WHERE name = %s", ("b\0c",), psycopg.DataError),
]


@pytest.fixture(scope="module")
def database(postgres) -> Iterator[Database]:
    opened = Database(postgres.database())
    with opened.transaction() as db:
        run_plainly(db, "CREATE TABLE kept (name text PRIMARY KEY, number bigint, body bytea, is_new boolean)")
        run_plainly(db, "INSERT INTO kept VALUES (?, ?, ?, ?), ('b', NULL, NULL, NULL)", ("half", 7, b"\x00\xff", True))
    yield opened
    opened.close()


@pytest.mark.parametrize("may_prepare", [True, False])
def test_what_libpq_returns_is_what_a_cursor_returns(database: Database, may_prepare: bool) -> None:
    with database.transaction() as db:
        statements = statements_of(db, may_prepare)
        for statement, parameters in ASKED:
            cursor = driver(db).execute(statement, parameters)
            expected = (cursor.fetchall() if cursor.description else [], cursor.rowcount)

            answered = [statements.run(statement, parameters) for _ in range(TIMES)]

            assert (answered[-1] is None) is isinstance(parameters, dict)
            assert all(expected == (rows.fetchall(), rows.rowcount) for rows in answered if rows is not None)


@pytest.mark.parametrize(("statement", "parameters", "fault"), REFUSED)
@pytest.mark.parametrize("may_prepare", [True, False])
def test_what_libpq_refuses_is_an_error_of_the_same_kind(
    database: Database, statement: str, parameters: tuple, fault: type[psycopg.Error], may_prepare: bool
) -> None:
    with database.transaction() as db:
        statements = statements_of(db, may_prepare)

        with pytest.raises(fault) as refused, driver(db).transaction():
            [statements.run(statement, parameters) for _ in range(TIMES)]

    assert fault.sqlstate == refused.value.sqlstate


def test_a_connection_that_was_ended_is_a_fault_of_the_database_and_replaced(database: Database, postgres) -> None:
    with pytest.raises(DatabaseFault) as fault, database.transaction() as db:
        ask_of_one_that_is_ended(db, postgres)
    with database.transaction() as db:
        answer = run_plainly(db, "SELECT 1").fetchone()

    assert (1,) == answer
    assert isinstance(fault.value.orig, psycopg.OperationalError)


def test_statements_stay_prepared_when_something_is_undone(database: Database) -> None:
    """A cursor that had prepared some itself would have the server forget all of them."""
    for _ in range(3):
        with suppress(Undone), database.transaction() as db:
            ask_often(db)
            with suppress(Undone), savepoint(db):
                ask_often(db)
                raise Undone
            ask_often(db)
            raise Undone
    with database.transaction() as db:
        answer = run_plainly(db, "SELECT 7").fetchone()

    assert (7,) == answer


def test_a_statement_that_the_server_was_made_to_forget_is_prepared_anew(database: Database) -> None:
    with database.transaction() as db:
        ask_often(db)
    with database.transaction() as db:
        db.exec_driver_sql("DEALLOCATE ALL")

    answer = database.write(lambda db: run_plainly(db, "SELECT 7").fetchone())

    assert (7,) == answer


class Undone(Exception):
    """Undoes what was done before it."""


def ask_often(db: Transaction) -> None:
    """Ask so often that whoever prepares statements has prepared these: one by way of a cursor, one without."""
    for _ in range(2 * TIMES):
        db.execute(text("SELECT name FROM kept"))
        run_plainly(db, "SELECT 7")


def test_rows_are_read_one_by_one_or_all_that_are_left() -> None:
    rows = Rows([(1,), (2,), (3,)], 3)

    assert ((1,), [(2,), (3,)], None, []) == (rows.fetchone(), rows.fetchall(), rows.fetchone(), rows.fetchall())
    assert [1, 2] == [number for (number,) in Rows([(1,), (2,)], 2)]


def test_which_versions_run_is_said_however_often_somebody_asks(database: Database) -> None:
    with database.snapshot() as db:
        answers = [health.nodes(db) for _ in range(TIMES)]

    assert [answers[0]] * TIMES == answers
    assert answers[0]


def statements_of(db: Transaction, may_prepare: bool) -> Statements:
    """Return the statements of a connection as one that may, or may not, prepare them; none is prepared yet."""
    driver(db).execute("DEALLOCATE ALL")
    return Statements(driver(db), may_prepare=may_prepare)


def ask_of_one_that_is_ended(db: Transaction, postgres) -> None:
    for _ in range(TIMES):
        run_plainly(db, "SELECT 1")
    postgres.run_sql(f"SELECT pg_terminate_backend({driver(db).info.backend_pid})")
    run_plainly(db, "SELECT 1")
