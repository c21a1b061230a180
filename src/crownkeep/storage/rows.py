"""Rows: what queries read and inserts write, as values whose fields are matched with columns by name, never by place.

A topic writes a table, a frozen dataclass with a field for each column, and its queries:

    _named = RowQuery(UserRow, select(table).where(table.c.name_key == bindparam("name_key")))
    _insert = RowInsert(UserRow, table)

Both look at the names once, when the module is imported, and refuse a field without a column and a column without a field. The
order in which either stands means nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Insert, Select, Table, insert

from crownkeep.columns import Columns
from crownkeep.storage.database import Transaction
from crownkeep.storage.prepared import Prepared, PreparedChange, PreparedList, lists_in

Row = TypeVar("Row")
Cells = Sequence[Any]
Reader = Callable[[Cells], Row]


class MismatchedRow(TypeError):
    """A row's fields are not the columns that it is read from or written to; the message names those that differ."""


class RowQuery(Generic[Row]):
    """A SELECT whose every row becomes one value.

    `make` is the row's type, or a function with a parameter for each column where a row is more than its columns.
    """

    __slots__ = ("_query", "_read", "_statement")

    def __init__(self, make: Callable[..., Row], statement: Select[Any]) -> None:
        columns = _columns(statement)
        places = {str(getattr(column, "key", column)): place for place, column in enumerate(columns)}
        self._read = _reader(make, places, len(columns))
        self._statement = statement
        self._query: Prepared | PreparedList | _Expanding | None = None

    def first(self, db: Transaction, values: Mapping[str, Any]) -> Row | None:
        """Return the first row, or None where there is none."""
        cells = (self._query or self._made()).first(db, values)
        return None if cells is None else self._read(cells)

    def all(self, db: Transaction, values: Mapping[str, Any]) -> list[Row]:
        """Return every row."""
        return list(map(self._read, (self._query or self._made()).all(db, values)))

    def _made(self) -> Prepared | PreparedList | _Expanding:
        """Return what runs the statement: found out at its first use, as a server has hundreds and starts with few."""
        lists = lists_in(self._statement)
        if not lists:
            self._query = Prepared(self._statement)
        elif len(lists) == 1 and lists[0].required:
            self._query = PreparedList(self._statement)
        else:
            self._query = _Expanding(self._statement)
        return self._query


class ColumnQuery:
    """A SELECT of many rows that nobody looks at one by one: they are kept by columns, under the columns' names."""

    __slots__ = ("_names", "_query")

    def __init__(self, statement: Select[Any]) -> None:
        self._names = tuple(str(getattr(column, "key", column)) for column in _columns(statement))
        self._query = Prepared(statement)

    def all(self, db: Transaction, values: Mapping[str, Any]) -> Columns:
        """Return every row."""
        found = self._query.columns(db, values)
        return Columns(dict(zip(self._names, found or ((),) * len(self._names), strict=True)))


class RowInsert(Generic[Row]):
    """The INSERT of a table's rows."""

    __slots__ = ("_cells", "_many", "_names", "_one")

    def __init__(self, row_type: type[Row], table: Table) -> None:
        self._names = tuple(column.key for column in table.columns)
        _match(row_type, self._names)
        self._cells: Callable[[Row], tuple[Any, ...]] = attrgetter(*self._names)
        self._many: Insert = insert(table)
        self._one = PreparedChange(self._many)

    def run(self, db: Transaction, row: Row) -> None:
        """Keep a new row."""
        self._one.run(db, self.values(row))

    def run_each(self, db: Transaction, rows: Iterable[Row]) -> None:
        """Keep new rows, if there are any."""
        listed = [self.values(row) for row in rows]
        if listed:
            db.execute(self._many, listed)

    def values(self, row: Row) -> dict[str, Any]:
        """Return a row's values by their columns."""
        return dict(zip(self._names, self._cells(row), strict=True))


def part(make: Callable[..., Row], statement: Select[Any], table: Table) -> Reader[Row]:
    """Return what reads one table's row out of the rows of a query that joins several."""
    return _reader(make, _places_of(statement, table), len(_columns(statement)))


def optional_part(make: Callable[..., Row], statement: Select[Any], table: Table) -> Reader[Row | None]:
    """Return what reads one table's row out of an outer join's, None where there is none."""
    read = part(make, statement, table)
    # An outer join's missing row is all NULL. The primary key can't be NULL in a row that exists, so it tells.
    key = _places_of(statement, table)[next(column.key for column in table.primary_key)]
    return lambda cells: None if cells[key] is None else read(cells)


class _Expanding:
    """A SELECT with several lists of values, or with one of its own, which SQLAlchemy writes anew each time."""

    __slots__ = ("_statement",)

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement

    def first(self, db: Transaction, values: Mapping[str, Any]) -> Cells | None:
        return db.execute(self._statement, values).first()

    def all(self, db: Transaction, values: Mapping[str, Any]) -> Sequence[Cells]:
        return db.execute(self._statement, values).all()


def _places_of(statement: Select[Any], table: Table) -> dict[str, int]:
    columns = enumerate(_columns(statement))
    return {column.key: place for place, column in columns if isinstance(column, Column) and column.table is table}


def _columns(statement: Select[Any]) -> list[ColumnElement[Any]]:
    return list(statement.selected_columns)


def _reader(make: Callable[..., Row], places: Mapping[str, int], width: int) -> Reader[Row]:
    """Return what makes a value of a row's cells, given in which place which column stands."""
    order = [places[name] for name in _match(make, tuple(places))]
    # The usual case costs a call and nothing else; the other two pick the cells in the order of the parameters.
    if order == list(range(width)):
        return lambda cells: make(*cells)
    if len(order) == 1:
        return lambda cells: make(cells[order[0]])
    chosen = itemgetter(*order)
    return lambda cells: make(*chosen(cells))


def _match(make: Callable[..., Any], names: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters of a row's type or function, which are the columns' names in another order, perhaps."""
    parameters = _parameters(make)
    if sorted(parameters) != sorted(names):
        odd = sorted(set(parameters) ^ set(names)) or sorted(names)
        raise MismatchedRow(f"`{make.__name__}` and its columns differ in {', '.join(f'`{name}`' for name in odd)}")
    return parameters


@cache
def _parameters(make: Callable[..., Any]) -> tuple[str, ...]:
    # A leading underline marks a column that a function reads past.
    if is_dataclass(make):
        # Of a type, its fields are known already; to read a signature takes as long as to make a table.
        return tuple(each.name for each in fields(make) if each.init)
    return tuple(name.removeprefix("_") for name in inspect.signature(make).parameters)
