"""Lists as pages: searched, sorted, with the columns that a person chooses, and kept as a file; one description for each list.

POLICIES = ConsoleList(name="policies", ...)
shown = await listing.ask(request, POLICIES)        one page of it, for the macros of listing.html
ROUTES = [..., *listing.routes(POLICIES)]           the file, and the choice of columns
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import translation
from crownkeep.console.kit import columns, csv_files, parts, web
from crownkeep.console.kit.parts import Part
from crownkeep.translation import gettext, gettext_noop

_FILE_ROWS = 1000
_MOST_CALLS = 20
"""Calls that one file takes; with `_FILE_ROWS` rows each, more than any account's quota."""

Row = Mapping[str, Any]
Cell = Callable[[Row], object]


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column: what it is called, what a file says of it, what is asked for to show it, and the orders it stands for."""

    label: str
    cell: Cell
    facet: str = ""
    orders: tuple[str, ...] = ()
    """Words of the list's orders: a click on the head asks for the first, another for the second."""


@dataclass(frozen=True, slots=True)
class ConsoleList:
    """One list: where it is, what it asks for, and how it can be shown."""

    name: str
    """In the plural, as the file is called."""
    title: str
    unlisted: str
    """Says that they can't be listed."""
    noun: str
    """One of them, as in the addresses of the file and of the choice of columns."""
    folder: str
    operation: str
    member: str
    """The answer's list."""
    key: str
    """What names a row, and stands in the first column."""
    first: ListColumn
    columns: Mapping[str, ListColumn]
    usual: tuple[str, ...]
    """Columns that are shown until somebody chooses."""
    orders: Mapping[str, tuple[str, str]]
    """By the address's word, which begins with `-` for the other direction: what is asked for, and what the page calls it."""
    limits: Mapping[str, str] = field(default_factory=lambda: {"name": "Text", "path": "PathPrefix"})
    """What an address can be limited by, and the parameter that says it."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What some of these words may be; the first stands for anything else."""
    service: str = "account-security"

    @property
    def labels(self) -> Mapping[str, str]:
        """What the columns are called beside the first."""
        return {name: gettext(column.label) for name, column in self.columns.items()}

    @property
    def download(self) -> str:
        """Where the file is."""
        return f"/console/{self.noun}-list/download"

    @property
    def choosing(self) -> str:
        """Where the choice of columns is sent."""
        return f"/console/{self.noun}-list/columns"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: what it is called, how the list is sorted by it now, and where a click sorts it."""

    name: str
    label: str
    sorted: str
    path: str


@dataclass(frozen=True, slots=True)
class ShownList:
    """One page of a list, for the macros of listing.html."""

    listing: ConsoleList
    listed: Part
    here: Mapping[str, str]
    """The address's own words, without the page."""
    columns: list[str]
    heads: list[Head]
    first: str
    next_page: str

    @property
    def rows(self) -> Sequence[Row]:
        """The rows of this page."""
        return self.listed.rows(self.listing.member)

    @property
    def orders(self) -> Mapping[str, str]:
        """The orders to choose from."""
        return {word: gettext(label) for word, (_, label) in self.listing.orders.items()}

    @property
    def file(self) -> str:
        """Where the list is as a file."""
        return parts.address(self.listing.download, **self.here)

    @property
    def needed(self) -> Sequence[str]:
        """Permissions without which some columns stay unknown."""
        return self.listed.rows("NotPermitted")

    @property
    def only(self) -> Row | None:
        """The only row found, where the address has its whole name."""
        found = self.rows
        is_it = len(found) == 1 and self.here.get("name", "").lower() == str(found[0][self.listing.key]).lower()
        return found[0] if is_it else None


async def ask(request: Request, wanted: ConsoleList) -> ShownList:
    """Ask for the page of a list that an address names."""
    here, shown = words(request, wanted), columns.chosen(request, wanted.noun, wanted.labels, wanted.usual)
    marker = request.query_params.get("marker", "")
    listed = await parts.ask(
        request, wanted.operation, service=wanted.service, **_asked(wanted, here, shown), Marker=marker, MaxItems=parts.ROWS
    )
    every = {"": wanted.first, **wanted.columns}
    return ShownList(
        wanted,
        listed,
        here,
        shown,
        [_head(wanted, here, name, every[name]) for name in ("", *shown)],
        parts.address(wanted.folder, **here) if marker else "",
        parts.address(wanted.folder, **here, marker=listed.marker) if listed.marker else "",
    )


def words(request: Request, wanted: ConsoleList) -> dict[str, str]:
    """Return what an address asks for, with the words that are none of ours left out."""
    asked = {name: request.query_params.get(name, "").strip() for name in (*wanted.limits, "sort")}
    for name, choices in {**wanted.choices, "sort": tuple(wanted.orders)}.items():
        asked[name] = asked[name] if asked[name] in choices else choices[0]
    return {**asked, "name": asked["name"][:128]}


def _asked(wanted: ConsoleList, here: Mapping[str, str], shown: Sequence[str]) -> dict[str, object]:
    order, _ = wanted.orders[here["sort"]]
    facets = sorted({wanted.columns[name].facet for name in shown} - {""})
    return {
        **{parameter: here[name] for name, parameter in wanted.limits.items()},
        "SortBy": order,
        "Descending": here["sort"].startswith("-") or None,
        "Include": facets or None,
    }


def _head(wanted: ConsoleList, here: Mapping[str, str], name: str, column: ListColumn) -> Head:
    sort, orders = here["sort"], column.orders
    turned = orders[1] if len(orders) > 1 and sort == orders[0] else "".join(orders[:1])
    path = parts.address(wanted.folder, **{**here, "sort": turned}) if orders else ""
    direction = "descending" if sort.startswith("-") else "ascending"
    return Head(name, gettext(column.label), direction if sort in orders else "", path)


def when(member: str) -> Cell:
    """Return what writes a moment into a file, and nothing where there was none."""

    def written(row: Row) -> str:
        moment: datetime | None = row.get(member)
        return "" if moment is None else moment.isoformat()

    return written


def of(member: str) -> Cell:
    """Return what writes a member into a file as it is."""
    return lambda row: row.get(member, "")


def tags(row: Row) -> str:
    """Write the tags of a row into a file."""
    return ", ".join(f"{tag['Key']}={tag['Value']}" for tag in row.get("Tags", ()))


TAGS = ListColumn(gettext_noop("Tags"), tags, facet="Tags")


async def download(request: Request, *, wanted: ConsoleList) -> Response:
    """Return all that a search finds as a file, with every column that the caller may see."""
    web.signed_in(request)
    asked = {**_asked(wanted, words(request, wanted), list(wanted.columns)), "MaxItems": _FILE_ROWS}
    found: list[Row] = []
    marker = ""
    for _ in range(_MOST_CALLS):
        listed = await parts.ask(request, wanted.operation, service=wanted.service, **asked, Marker=marker)
        if listed.refusal is not None:
            # No file rather than a part of one: nothing in a file could say that rows are missing.
            return parts.missing(request, listed, current=wanted.folder, title=gettext(wanted.unlisted), back=wanted.folder)
        found += listed.rows(wanted.member)
        marker = listed.marker
        if not marker:
            break
    with translation.speaking(translation.ENGLISH):
        # Programs read the file: it is the same in every language.
        rows = [(wanted.first.cell(row), *(column.cell(row) for column in wanted.columns.values())) for row in found]
    return csv_files.answer(f"{wanted.name.replace(' ', '-')}.csv", ("name", *wanted.columns), rows)


async def choose_columns(request: Request, *, wanted: ConsoleList) -> Response:
    """Keep which columns are shown, and go back to the list."""
    web.signed_in(request)
    form = web.form(request)
    columns.choose(request, wanted.noun, wanted.labels, form.all("column"))
    here = {name: form.one(name) for name in (*wanted.limits, "sort")}
    return web.go(parts.address(wanted.folder, **here))


def routes(wanted: ConsoleList) -> list[Route]:
    """Return the routes of a list's file and of the choice of its columns."""
    return [
        Route(wanted.download, partial(download, wanted=wanted), methods=["GET"]),
        Route(wanted.choosing, partial(choose_columns, wanted=wanted), methods=["POST"]),
    ]
