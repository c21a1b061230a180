"""The list of all users' access keys: found by owner or id, the oldest or the longest unused first, and several turned off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import chosen_acts, frame, listing, report_lines, web
from crownkeep.console.kit.chosen_rows import ChosenAct, ChosenRows, Planned
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.listing import ConsoleList, ListColumn, Row

FOLDER: Final = "/console/access-keys"

LISTING = ConsoleList(
    name="access keys",
    noun="access-key",
    folder=FOLDER,
    operation="DescribeAccessKeys",
    member="AccessKeys",
    key="AccessKeyId",
    first=ListColumn("Access key", listing.of("AccessKeyId")),
    columns={
        "user": ListColumn("User", listing.of("UserName"), orders=("name", "-name")),
        "path": ListColumn("Path", listing.of("Path")),
        "status": ListColumn("Status", listing.of("Status")),
        "age": ListColumn("Age", listing.when("CreateDate"), orders=("created", "-created")),
        "used": ListColumn("Last used", listing.when("LastUsedDate"), orders=("used", "-used")),
        "service": ListColumn("Used for", listing.of("ServiceName")),
        "region": ListColumn("Used in", listing.of("Region")),
    },
    usual=("user", "status", "age", "used", "service"),
    orders={
        "name": ("Name", "User, A to Z"),
        "-name": ("Name", "User, Z to A"),
        "created": ("Created", "Oldest first"),
        "-created": ("Created", "Newest first"),
        "used": ("LastUsed", "Unused longest first"),
        "-used": ("LastUsed", "Used lately first"),
    },
)


def _value(key: Row) -> str:
    return f"{key['UserName']}/{key['AccessKeyId']}"


async def _turned_off(_: Request, names: Sequence[str], __: Mapping[str, str]) -> Planned:
    # User names hold no slash (API_User), so the first one ends the name.
    pairs = [name.partition("/") for name in names]
    keys = [{"UserName": user, "AccessKeyId": key} for user, _, key in pairs if user and key]
    return Planned(*chosen_acts.key_changes(keys))


CHOSEN = ChosenRows(
    LISTING,
    ("access key", "access keys"),
    {
        "off": ChosenAct(
            "Deactivate access keys",
            "Deactivate them",
            "Deactivate",
            chosen_acts.keys_turned_off,
            _turned_off,
        )
    },
    lambda call: str(call.parameters["UserName"]),
)


async def keys(request: Request) -> Response:
    """List the access keys of all users a page at a time."""
    web.signed_in(request)
    shown = await listing.ask(request, LISTING)
    return frame.page(
        request,
        "access_keys.html",
        current=FOLDER,
        same=[Equivalent("iam", "ListAccessKeys", {"UserName": "USER"}), shown.listed.call],
        shown=shown,
        chosen=CHOSEN,
        value=_value,
        age=lambda key: report_lines.age(key["CreateDate"], now=web.of(request).now),
    )


ROUTES = [Route(FOLDER, keys, methods=["GET"]), *listing.routes(LISTING), *CHOSEN.routes()]
