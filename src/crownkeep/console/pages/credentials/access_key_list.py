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
from crownkeep.translation import gettext_noop, ngettext

FOLDER: Final = "/console/access-keys"

LISTING = ConsoleList(
    name="access keys",
    title=gettext_noop("Access keys"),
    unlisted=gettext_noop("Access keys can't be listed"),
    noun="access-key",
    folder=FOLDER,
    operation="DescribeAccessKeys",
    member="AccessKeys",
    key="AccessKeyId",
    first=ListColumn(gettext_noop("Access key"), listing.of("AccessKeyId")),
    columns={
        "user": ListColumn(gettext_noop("User"), listing.of("UserName"), orders=("name", "-name")),
        "path": ListColumn(gettext_noop("Path"), listing.of("Path")),
        "status": ListColumn(gettext_noop("Status"), listing.of("Status")),
        "age": ListColumn(gettext_noop("Age"), listing.when("CreateDate"), orders=("created", "-created")),
        "used": ListColumn(gettext_noop("Last used"), listing.when("LastUsedDate"), orders=("used", "-used")),
        "service": ListColumn(gettext_noop("Used for"), listing.of("ServiceName")),
        "region": ListColumn(gettext_noop("Used in"), listing.of("Region")),
    },
    usual=("user", "status", "age", "used", "service"),
    orders={
        "name": ("Name", gettext_noop("User, A to Z")),
        "-name": ("Name", gettext_noop("User, Z to A")),
        "created": ("Created", gettext_noop("Oldest first")),
        "-created": ("Created", gettext_noop("Newest first")),
        "used": ("LastUsed", gettext_noop("Unused longest first")),
        "-used": ("LastUsed", gettext_noop("Used lately first")),
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
    gettext_noop("With the chosen access keys"),
    lambda count: ngettext("%(num)s access key", "%(num)s access keys", count),
    {
        "off": ChosenAct(
            gettext_noop("Deactivate access keys"),
            gettext_noop("Deactivate them"),
            gettext_noop("Deactivate"),
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
