"""Prepared queries: written once in SQLAlchemy's words, compiled once for each kind of database, run on the driver itself.

SQLAlchemy's own way to run a statement costs four times what SQLite needs; what is sent and what comes back is the same. The
text of a statement with a list of values depends on the list's length: `PreparedList` keeps one for each power of two. Those with
several lists, or with very long ones, are run by SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Delete, Insert, Select, Update
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import ReturningInsert

from crownkeep.columns import Column, Moments
from crownkeep.storage.database import Transaction, run_as_written
from crownkeep.storage.metadata import Moment, moment_of

Convert = Callable[[Any], Any]
Statement = Select[Any] | Insert | ReturningInsert[Any] | Update | Delete


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: tuple[str, ...]
    """The parameters' names in the order of their places."""
    fixed: Mapping[str, Any]
    """The values of parameters that the statement itself holds."""
    binds: Mapping[str, Convert]
    results: tuple[tuple[int, Convert], ...]
    """The columns whose values must be converted."""


class _Statement:
    """One statement, compiled where it is first used."""

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def _for(self, db: Transaction) -> _Compiled:
        # Two threads may compile the same; both texts are equal, and the last one stays.
        compiled = self._compiled.get(db.dialect.name)
        if compiled is None:
            compiled = self._compiled[db.dialect.name] = _compile(self._statement, db)
        return compiled


class Prepared(_Statement):
    """One SELECT without expanding parameters, or an INSERT that returns columns."""

    __slots__ = ()

    def first(self, db: Transaction, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row, or None where there is none."""
        compiled = self._for(db)
        row = run_as_written(db, compiled.text, _places(compiled, values)).fetchone()
        return None if row is None else _converted(compiled, row)

    def all(self, db: Transaction, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return every row of the query's answer, with values of the types that its columns have."""
        compiled = self._for(db)
        rows: list[tuple[Any, ...]] = run_as_written(db, compiled.text, _places(compiled, values)).fetchall()
        return [_converted(compiled, row) for row in rows] if compiled.results else rows

    def columns(self, db: Transaction, values: Mapping[str, Any]) -> list[Column]:
        """Return every row, column by column; none where there is no row."""
        compiled = self._for(db)
        found: list[Column] = [*zip(*run_as_written(db, compiled.text, _places(compiled, values)).fetchall(), strict=True)]
        if found:
            for place, convert in compiled.results:
                found[place] = Moments(found[place]) if convert is moment_of else [*map(convert, found[place])]  # type: ignore[arg-type]
        return found


class PreparedList(_Statement):
    """One SELECT with a list of values. SQLAlchemy writes such a statement anew each time, which takes longer than running it.

    It is written once for each power of two: a list is filled up with its last value, which changes nothing for `IN`.
    """

    __slots__ = ("_name", "_texts")

    def __init__(self, statement: Select[Any]) -> None:
        super().__init__(statement)
        (found,) = lists_in(statement)
        self._name = found.key
        self._texts: dict[tuple[str, int], str] = {}

    def first(self, db: Transaction, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row, or None where there is none."""
        return next(iter(self.all(db, values)), None)

    def all(self, db: Transaction, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return every row."""
        listed = [*values[self._name]]
        if not 0 < len(listed) <= _MOST_LISTED:
            return [tuple(row) for row in db.execute(self._statement, values)]
        compiled = self._for(db)
        size = 1 << (len(listed) - 1).bit_length()
        text = self._texts.get((db.dialect.name, size))
        if text is None:
            marks = ", ".join(["?" if db.dialect.name == "sqlite" else "%s"] * size)
            text = self._texts[db.dialect.name, size] = compiled.text.replace(f"__[POSTCOMPILE_{self._name}]", marks)
        rows = run_as_written(db, text, self._places(compiled, values, [*listed, *[listed[-1]] * (size - len(listed))]))
        return [_converted(compiled, row) for row in rows.fetchall()]

    def _places(self, compiled: _Compiled, values: Mapping[str, Any], listed: list[Any]) -> tuple[Any, ...]:
        places: list[Any] = []
        for name in compiled.names:
            given = listed if name == self._name else [values[name] if name in values else compiled.fixed[name]]
            convert = compiled.binds.get(name)
            places += given if convert is None else map(convert, given)
        return tuple(places)


_MOST_LISTED = 1024
"""Values of a list for which a statement is kept."""


def lists_in(statement: Select[Any]) -> list[BindParameter[Any]]:
    """Return a statement's parameters that are lists of values; those that the statement itself holds have a value."""
    found = {each.key: each for each in visitors.iterate(statement) if isinstance(each, BindParameter) and each.expanding}
    return [*found.values()]


class PreparedChange(_Statement):
    """One INSERT, UPDATE or DELETE without expanding parameters, which answers no rows."""

    __slots__ = ()

    def run(self, db: Transaction, values: Mapping[str, Any]) -> int:
        """Make the change and return how many rows it touched."""
        compiled = self._for(db)
        touched: int = run_as_written(db, compiled.text, _places(compiled, values)).rowcount
        return touched


def _compile(statement: Statement, db: Transaction) -> _Compiled:
    kind: Any = type(db.dialect)
    # Positional on both databases: one order of places serves both, and the mark is exchanged at the end.
    dialect = kind(paramstyle="qmark")
    made: Any = statement.compile(dialect=dialect)
    names = tuple(made.positiontup or ())
    # Literals of the statement are parameters too. A value of None there is a bindparam that the caller gives.
    fixed = {name: value for name, value in made.params.items() if value is not None}
    converts = {name: bound.type.dialect_impl(dialect).bind_processor(dialect) for name, bound in made.binds.items()}
    binds = {name: convert for name, convert in converts.items() if convert is not None}
    results = []
    columns = statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
    for place, column in enumerate(columns):
        # A moment's own way to itself leads through three functions.
        is_moment = isinstance(column.type, Moment)
        # None where the driver's value is right as it is, which spares a pass over every row.
        convert = moment_of if is_moment else column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is not None:
            results.append((place, convert))
    text = str(made) if db.dialect.name == "sqlite" else str(made).replace("?", "%s")
    return _Compiled(text, names, fixed, binds, tuple(results))


def _places(compiled: _Compiled, values: Mapping[str, Any]) -> tuple[Any, ...]:
    binds, fixed = compiled.binds, compiled.fixed
    if not binds and not fixed:
        return tuple([values[name] for name in compiled.names])
    return tuple(
        binds[name](value) if name in binds else value
        for name in compiled.names
        for value in (values[name] if name in values else fixed[name],)
    )


def _converted(compiled: _Compiled, row: tuple[Any, ...]) -> tuple[Any, ...]:
    if not compiled.results:
        return tuple(row)
    cells = list(row)
    for place, convert in compiled.results:
        cells[place] = convert(cells[place])
    return tuple(cells)
