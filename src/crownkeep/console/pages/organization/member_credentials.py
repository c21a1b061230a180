"""The credential report of all accounts: what each one's users and root can sign in with, page by page and as a file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import csv_files, parts, web
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext

PATH = f"{places.FOLDER}/credential-report"
_AT_ONCE = 10
"""Accounts whose reports one call returns."""
_MOST = 5000
"""Accounts of a file, and of an organization."""


async def show(request: Request) -> Response:
    """Show how many credentials each account has, and what is wrong with them."""
    web.signed_in(request)
    marker = request.query_params.get("marker", "")
    listed = await _members(request, marker, parts.ROWS, Include=["Credentials"])
    return places.page(
        request,
        "organization_credentials.html",
        current=places.FOLDER,
        same=[listed.call],
        listed=listed,
        first=PATH if marker else "",
        next_page=parts.address(PATH, marker=listed.marker) if listed.marker else "",
    )


async def _members(request: Request, marker: str, most: int, **more: object) -> Part:
    return await parts.ask(request, "DescribeMembers", service="account-security", Marker=marker, MaxItems=most, **more)


async def _reports(request: Request, members: Sequence[Mapping[str, Any]]) -> Part:
    ids = [each["AccountId"] for each in members]
    return await parts.ask(request, "ListMemberCredentials", service="account-security", AccountIds=ids)


async def download(request: Request) -> Response:
    """Return the reports of all accounts as one file, each line with its account before it."""
    web.signed_in(request)
    members: list[Mapping[str, Any]] = []
    marker = ""
    while len(members) < _MOST:
        listed = await _members(request, marker, 1000)
        if listed.refusal is not None:
            return places.missing(request, listed, gettext("The accounts can't be listed"), back=PATH)
        members += listed.rows("Members")
        marker = listed.marker
        if not marker:
            break
    columns: Sequence[str] = ()
    rows: list[Sequence[str]] = []
    for first in range(0, len(members), _AT_ONCE):
        reported = await _reports(request, members[first : first + _AT_ONCE])
        if reported.refusal is not None:
            return places.missing(request, reported, gettext("The credential reports can't be read"), back=PATH)
        for each in reported.rows("Reports"):
            head, *lines = csv.reader(str(each["Content"]).splitlines())
            columns = ("account_id", *head)
            rows += [(str(each["AccountId"]), *line) for line in lines]
    return csv_files.answer("credential-report-of-all-accounts.csv", columns, rows)


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(f"{PATH}/download", download, methods=["GET"]),
]
