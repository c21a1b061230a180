"""The list of users: found by a part of the name, sorted, with the columns that a person chooses, and kept as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import columns, csv_files, frame, parts, report_lines, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import USER

_SERVICE = "account-security"
_FILE_ROWS = 1000
_MOST_CALLS = 20
"""Calls that one file takes; with `_FILE_ROWS` users each, more than any account's quota."""

ORDERS = {
    "name": ("Name", "Name, A to Z"),
    "-name": ("Name", "Name, Z to A"),
    "-created": ("Created", "Newest first"),
    "created": ("Created", "Oldest first"),
    "-password": ("PasswordLastUsed", "Password used lately first"),
    "password": ("PasswordLastUsed", "Password unused longest first"),
    "mfa": ("Mfa", "Without MFA first"),
    "key": ("KeyAge", "Oldest active key first"),
}
"""How a list can be sorted: by the address's word, what is asked for and what the page calls it."""

COLUMNS = {
    "path": "Path",
    "groups": "Groups",
    "mfa": "MFA",
    "password": "Password last used",
    "activity": "Last activity",
    "key": "Oldest active key",
    "tags": "Tags",
    "created": "Created",
}
_USUAL = ("groups", "mfa", "activity", "key", "created")
_FACETS = {"groups": "Groups", "mfa": "Credentials", "activity": "Credentials", "key": "Credentials", "tags": "Tags"}
_SORTS = {"name": ("name", "-name"), "password": ("-password", "password"), "mfa": ("mfa", ""), "key": ("key", "")}
_SORTS["created"] = ("-created", "created")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: what it is called, how the list is sorted by it now, and where a click sorts it."""

    name: str
    label: str
    sorted: str
    path: str


async def users(request: Request) -> Response:
    """List users a page at a time; the whole name of the only one found goes to its user."""
    web.signed_in(request)
    here, shown = _here(request), columns.chosen(request, "users", COLUMNS, _USUAL)
    listed = await parts.ask(request, "DescribeUsers", service=_SERVICE, **_asked(request, here, shown))
    found = listed.rows("Users")
    if len(found) == 1 and here["name"].lower() == found[0]["UserName"].lower():
        return web.go(USER.page(found[0]["UserName"]))
    marker = request.query_params.get("marker", "")
    return frame.page(
        request,
        "users.html",
        current=USER.folder,
        same=[_of_iam(here), listed.call],
        listed=listed,
        here=here,
        orders={word: label for word, (_, label) in ORDERS.items()},
        heads=[_head(here, name, label) for name, label in {"name": "User name", **COLUMNS}.items() if name in ("name", *shown)],
        columns=COLUMNS,
        shown=shown,
        needed=listed.rows("NotPermitted"),
        oldest=lambda user: report_lines.age(oldest_active(user), now=web.of(request).now),
        file=parts.address("/console/user-list/download", **here),
        first=parts.address(USER.folder, **here) if marker else "",
        next_page=parts.address(USER.folder, **here, marker=listed.marker) if listed.marker else "",
    )


def _here(request: Request) -> dict[str, str]:
    """Return what an address asks for, with the words that are none of ours left out."""
    asked = {name: request.query_params.get(name, "").strip() for name in ("name", "path", "sort")}
    return {**asked, "name": asked["name"][:128], "sort": asked["sort"] if asked["sort"] in ORDERS else "name"}


def _asked(request: Request, here: Mapping[str, str], shown: list[str]) -> dict[str, object]:
    order, _ = ORDERS[here["sort"]]
    return {
        "Text": here["name"],
        "PathPrefix": here["path"],
        "SortBy": order,
        "Descending": here["sort"].startswith("-") or None,
        "Include": sorted({_FACETS[name] for name in shown if name in _FACETS}) or None,
        "Marker": request.query_params.get("marker", ""),
        "MaxItems": parts.ROWS,
    }


def _of_iam(here: Mapping[str, str]) -> Equivalent:
    """Name the list of IAM's own, which any account has."""
    path = {"PathPrefix": here["path"]} if here["path"] else {}
    return Equivalent("iam", "ListUsers", {**path, "MaxItems": parts.ROWS})


def _head(here: Mapping[str, str], name: str, label: str) -> Head:
    first, second = _SORTS.get(name, ("", ""))
    is_sorted = here["sort"] in (first, second) and bool(here["sort"])
    turned = second if here["sort"] == first and second else first
    path = parts.address(USER.folder, **{**here, "sort": turned}) if first else ""
    direction = ("descending" if here["sort"].startswith("-") else "ascending") if is_sorted and first else ""
    return Head(name, label, direction, path)


def oldest_active(user: Mapping[str, Any]) -> datetime | None:
    """Return when the oldest active access key of a user was made."""
    return min((key["CreateDate"] for key in user.get("AccessKeys", ()) if key["Status"] == "Active"), default=None)


def _tags(user: Mapping[str, Any]) -> str:
    return ", ".join(f"{tag['Key']}={tag['Value']}" for tag in user.get("Tags", ()))


def _when(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


_CELLS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "path": lambda user: user["Path"],
    "groups": lambda user: ", ".join(user.get("Groups", ())),
    "mfa": lambda user: user.get("MfaDevices", ""),
    "password": lambda user: _when(user.get("PasswordLastUsed")),
    "activity": lambda user: _when(user.get("LastActivity")),
    "key": lambda user: _when(oldest_active(user)),
    "tags": _tags,
    "created": lambda user: _when(user["CreateDate"]),
}
"""What a file says of each column."""


async def download(request: Request) -> Response:
    """Return all users that a search finds as a file, with every column that the caller may see."""
    web.signed_in(request)
    asked = {**_asked(request, _here(request), list(COLUMNS)), "MaxItems": _FILE_ROWS}
    found: list[Mapping[str, Any]] = []
    for _ in range(_MOST_CALLS):
        listed = await parts.ask(request, "DescribeUsers", service=_SERVICE, **asked)
        if listed.refusal is not None:
            return parts.missing(request, listed, current=USER.folder, title="Users can't be listed", back=USER.folder)
        found += listed.rows("Users")
        if not listed.marker:
            break
        asked = {**asked, "Marker": listed.marker}
    rows = [(user["UserName"], *(cell(user) for cell in _CELLS.values())) for user in found]
    return csv_files.answer("users.csv", ("name", *_CELLS), rows)


async def choose_columns(request: Request) -> Response:
    """Keep which columns are shown, and go back to the list."""
    web.signed_in(request)
    form = web.form(request)
    columns.choose(request, "users", COLUMNS, form.all("column"))
    here = {name: form.one(name) for name in ("name", "path", "sort")}
    return web.go(parts.address(USER.folder, **here))


ROUTES = [
    Route(USER.folder, users, methods=["GET"]),
    Route("/console/user-list/download", download, methods=["GET"]),
    Route("/console/user-list/columns", choose_columns, methods=["POST"]),
]
