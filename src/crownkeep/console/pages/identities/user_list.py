"""The list of users: found by a part of the name, sorted, with the columns that a person chooses, and several at once."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, listing, parts, report_lines, web
from crownkeep.console.kit.chosen_rows import ChosenRows
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import USER
from crownkeep.console.kit.listing import ConsoleList, ListColumn, Row
from crownkeep.console.pages.identities import chosen_users
from crownkeep.translation import gettext_noop, ngettext


def _oldest_active(user: Row) -> datetime | None:
    """Return when the oldest active access key of a user was made."""
    return min((key["CreateDate"] for key in user.get("AccessKeys", ()) if key["Status"] == "Active"), default=None)


def _oldest_written(user: Row) -> str:
    oldest = _oldest_active(user)
    return "" if oldest is None else oldest.isoformat()


LISTING = ConsoleList(
    name="users",
    title=gettext_noop("Users"),
    unlisted=gettext_noop("Users can't be listed"),
    noun="user",
    folder=USER.folder,
    operation="DescribeUsers",
    member="Users",
    key=USER.key,
    first=ListColumn(gettext_noop("User name"), listing.of("UserName"), orders=("name", "-name")),
    columns={
        "path": ListColumn(gettext_noop("Path"), listing.of("Path")),
        "groups": ListColumn(gettext_noop("Groups"), lambda user: ", ".join(user.get("Groups", ())), facet="Groups"),
        "mfa": ListColumn("MFA", listing.of("MfaDevices"), facet="Credentials", orders=("mfa",)),
        "password": ListColumn(
            gettext_noop("Password last used"), listing.when("PasswordLastUsed"), orders=("-password", "password")
        ),
        "activity": ListColumn(gettext_noop("Last activity"), listing.when("LastActivity"), facet="Credentials"),
        "key": ListColumn(gettext_noop("Oldest active key"), _oldest_written, facet="Credentials", orders=("key",)),
        "tags": listing.TAGS,
        "created": ListColumn(gettext_noop("Created"), listing.when("CreateDate"), orders=("-created", "created")),
    },
    usual=("groups", "mfa", "activity", "key", "created"),
    orders={
        "name": ("Name", gettext_noop("Name, A to Z")),
        "-name": ("Name", gettext_noop("Name, Z to A")),
        "-created": ("Created", gettext_noop("Newest first")),
        "created": ("Created", gettext_noop("Oldest first")),
        "-password": ("PasswordLastUsed", gettext_noop("Password used lately first")),
        "password": ("PasswordLastUsed", gettext_noop("Password unused longest first")),
        "mfa": ("Mfa", gettext_noop("Without MFA first")),
        "key": ("KeyAge", gettext_noop("Oldest active key first")),
    },
)
CHOSEN = ChosenRows(
    LISTING,
    gettext_noop("With the chosen users"),
    lambda count: ngettext("%(num)s user", "%(num)s users", count),
    chosen_users.ACTS,
    lambda call: str(call.parameters[USER.key]),
)


async def users(request: Request) -> Response:
    """List users a page at a time; the whole name of the only one found goes to its user."""
    web.signed_in(request)
    shown = await listing.ask(request, LISTING)
    if shown.only is not None:
        return web.go(USER.page(shown.only["UserName"]))
    path = {"PathPrefix": shown.here["path"]} if shown.here["path"] else {}
    return frame.page(
        request,
        "users.html",
        current=USER.folder,
        same=[Equivalent("iam", "ListUsers", {**path, "MaxItems": parts.ROWS}), shown.listed.call],
        shown=shown,
        chosen=CHOSEN,
        oldest=lambda user: report_lines.age(_oldest_active(user), now=web.of(request).now),
    )


ROUTES = [Route(USER.folder, users, methods=["GET"]), *listing.routes(LISTING), *CHOSEN.routes()]
