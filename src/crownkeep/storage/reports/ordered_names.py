"""Pages of named things in one of several orders: what the lists that people look at are made of.

An order other than the name's is computed over no more than `MOST_ORDERED` things of an account. Pages go on by value and not by
number, so that nothing is shown twice or left out because something was added before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Integer, Select, String, and_, bindparam, literal, or_, select, true

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import begins_with
from crownkeep.storage.reports import name_search
from crownkeep.storage.rows import RowQuery

NAME: Final = "Name"
"""The order that every list has."""

MOST_ORDERED = name_search.MOST_LOOKED_AT
LAST: Final = 2**62
"""The place of what has none and comes behind all others."""


@dataclass(frozen=True, slots=True)
class ListedColumns:
    """Which columns of a table, or of a join, a list is made of."""

    rows: FromClause
    account: ColumnElement[str]
    id: ColumnElement[str]
    name: ColumnElement[str]
    """In lower case, and unlike that of everything else in the account."""
    path: Any
    condition: ColumnElement[bool] = field(default_factory=true)
    """What the list is limited to beside the account."""


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where in a list something stands."""

    id: str
    name_key: str
    place: int
    """What the list is ordered by, as a number; 0 in the order of names."""


@dataclass(frozen=True, slots=True)
class ListSearch:
    """What a list shows, and in which order."""

    text: str
    """What the names hold; empty for all."""
    path_prefix: str
    order: str
    is_descending: bool


class OrderedNames:
    """The pages of one list; `orders` are numbers by which it can be ordered beside the names; equal ones
    stand by name, from A to Z."""

    __slots__ = ("_by_name", "_ordered")

    def __init__(self, columns: ListedColumns, orders: Mapping[str, ColumnElement[int]]) -> None:
        self._by_name = {is_descending: _by_name(columns, is_descending=is_descending) for is_descending in (False, True)}
        self._ordered = {
            (order, is_descending): _ordered(columns, place, is_descending=is_descending)
            for order, place in orders.items()
            for is_descending in (False, True)
        }

    def page(
        self, db: Transaction, account_id: str, wanted: ListSearch, *, after: ListPlace | None, limit: int
    ) -> list[ListPlace]:
        """Return up to `limit` places in the order that is wanted, from the one after `after`."""
        values: dict[str, object] = {
            "account_id": account_id,
            "prefix": wanted.path_prefix,
            "pattern": name_search.pattern_of(wanted.text),
            "limit": limit,
        }
        is_descending = wanted.is_descending
        if wanted.order == NAME:
            begun = name_search.BEHIND_ALL if is_descending else ""
            return self._by_name[is_descending].all(db, {**values, "after_name": after.name_key if after else begun})
        place = after if after is not None else ListPlace("", "", LAST + 1 if is_descending else -1)
        return self._ordered[wanted.order, is_descending].all(db, {**values, "after": place.place, "after_name": place.name_key})


def _holds(name: ColumnElement[str]) -> ColumnElement[bool]:
    return name.like(bindparam("pattern", type_=String), escape=name_search.ESCAPE)


def _limited(found: Select[Any]) -> RowQuery[ListPlace]:
    return RowQuery(ListPlace, found.limit(bindparam("limit", type_=Integer)))


def _by_name(columns: ListedColumns, *, is_descending: bool) -> RowQuery[ListPlace]:
    """Return the query of the order of names, which looks on from the last name of the page before."""
    begun = bindparam("after_name", type_=String)
    looked_at = (
        select(columns.id.label("id"), columns.name.label("name_key"), literal(0, Integer).label("place"))
        .select_from(columns.rows)
        .where(
            columns.account == bindparam("account_id", type_=String),
            columns.name < begun if is_descending else columns.name > begun,
            begins_with(columns.path, "prefix"),
            columns.condition,
        )
        .order_by(columns.name.desc() if is_descending else columns.name)
        .limit(MOST_ORDERED)
        .subquery()
    )
    name = looked_at.c.name_key
    return _limited(select(looked_at).where(_holds(name)).order_by(name.desc() if is_descending else name))


def _ordered(columns: ListedColumns, number: ColumnElement[int], *, is_descending: bool) -> RowQuery[ListPlace]:
    looked_at = (
        select(columns.id.label("id"), columns.name.label("name_key"), number.label("place"))
        .select_from(columns.rows)
        .where(
            columns.account == bindparam("account_id", type_=String),
            begins_with(columns.path, "prefix"),
            columns.condition,
            _holds(columns.name),
        )
        .order_by(columns.name)
        .limit(MOST_ORDERED)
        .subquery()
    )
    place, name = looked_at.c.place, looked_at.c.name_key
    after, of_name = bindparam("after", type_=BigInteger), bindparam("after_name", type_=String)
    later = place < after if is_descending else place > after
    found = select(looked_at).where(or_(later, and_(place == after, name > of_name)))
    return _limited(found.order_by(place.desc() if is_descending else place, name))
