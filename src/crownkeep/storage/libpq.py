"""Statements on PostgreSQL by way of libpq itself: what every request asks costs a third of the way through a cursor.

What is sent and what comes back is what a cursor of psycopg's would send and return: values are converted by psycopg, each
statement is prepared once for each connection, and an error has the same type. A statement that this way can't take is left to a
cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from psycopg import Connection
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

Cells = tuple[Any, ...]

_USES_BEFORE_PREPARED = 3
"""A statement is prepared once it has been asked so many times: what a start asks once is not."""
_MOST_PREPARED = 500
"""Statements of one connection; each takes memory on the server."""
_MOST_COUNTED = 2000
"""Lists of values make a statement of each length, so what is remembered of statements has a bound."""
_PLACE = re.compile(r"%(.)")
_AUTO = [PyFormat.AUTO]


class Rows:
    """What a statement returned, to be read as from a cursor."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rows: list[Cells], rowcount: int) -> None:
        self._rows = rows
        self._next = 0
        self.rowcount = rowcount
        """How many rows there are, or were changed."""

    def __iter__(self) -> Iterator[Cells]:
        return iter(self.fetchall())

    def fetchone(self) -> Cells | None:
        """Return the next row, None where there is none any more."""
        if self._next >= len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Cells]:
        """Return the rows that have not been read yet."""
        left = self._rows[self._next :] if self._next else self._rows
        self._next = len(self._rows)
        return left


class Statements:
    """The statements of one connection to PostgreSQL."""

    def __init__(self, connection: Connection[Any], *, may_prepare: bool) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._transformer = Transformer(connection)
        self._may_prepare = may_prepare
        self._names = count()
        self._uses: dict[tuple[str, tuple[int, ...]], int] = {}
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def run(self, statement: str, parameters: Sequence[object]) -> Rows | None:
        """Run a statement, whose places are `%s`, in the open transaction; None where it must be left to a cursor.

        Raises psycopg's errors, as a cursor does.
        """
        # Outside of a transaction a cursor begins one, in the connection's isolation.
        if self._libpq.transaction_status != TransactionStatus.INTRANS:
            return None
        text, places = _with_numbers(statement)
        if places != len(parameters):
            return None
        # The C library takes None for NULL, which psycopg's own types leave out.
        given: Any = self._transformer.dump_sequence(parameters, _AUTO * places)
        types, formats = self._transformer.types or (), self._transformer.formats
        if not self._may_prepare:
            return self._read(self._libpq.exec_params(text, given, types, formats))
        name = self._prepared.get((statement, types)) or self._prepare(statement, text, types)
        return None if name is None else self._read(self._libpq.exec_prepared(name, given, formats))

    def _prepare(self, statement: str, text: bytes, types: tuple[int, ...]) -> bytes | None:
        key = (statement, types)
        if len(self._uses) >= _MOST_COUNTED:
            self._uses.clear()
        self._uses[key] = uses = self._uses.get(key, 0) + 1
        if uses < _USES_BEFORE_PREPARED or len(self._prepared) >= _MOST_PREPARED:
            return None
        name = b"crownkeep_%d" % next(self._names)
        self._read(self._libpq.prepare(name, text, types))
        self._prepared[key] = name
        return name

    def _read(self, result: Any) -> Rows:
        if result.status == ExecStatus.TUPLES_OK:
            self._transformer.set_pgresult(result)
            found = result.ntuples
            return Rows(self._transformer.load_rows(0, found, tuple), found)
        if result.status == ExecStatus.COMMAND_OK:
            changed = result.command_tuples
            return Rows([], -1 if changed is None else changed)
        error = error_from_result(result, encoding=self._connection.info.encoding)
        if isinstance(error, InvalidSqlStatementName):
            # Somebody had the server forget (DEALLOCATE, DISCARD): the next attempt prepares anew, under names not yet used.
            self._prepared.clear()
        raise error


@lru_cache(maxsize=_MOST_COUNTED)
def _with_numbers(statement: str) -> tuple[bytes, int]:
    """Return a statement with places as libpq writes them, and how many; -1 places where it has others than `%s`."""
    marks = _PLACE.findall(statement)
    if not set(marks) <= {"s", "%"}:
        return b"", -1
    number = 0

    def numbered(mark: re.Match[str]) -> str:
        nonlocal number
        if mark[1] == "%":
            return "%"
        number += 1
        return f"${number}"

    return _PLACE.sub(numbered, statement).encode(), number
