"""The list of groups: found by a part of the name, sorted, with the columns that a person chooses, and several at once."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, listing, web
from crownkeep.console.kit.chosen_rows import ChosenRows
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import GROUP
from crownkeep.console.kit.listing import ConsoleList, ListColumn
from crownkeep.console.pages.identities import chosen_policies
from crownkeep.translation import gettext_noop, ngettext

LISTING = ConsoleList(
    name="groups",
    title=gettext_noop("Groups"),
    unlisted=gettext_noop("Groups can't be listed"),
    noun="group",
    folder=GROUP.folder,
    operation="DescribeGroups",
    member="Groups",
    key=GROUP.key,
    first=ListColumn(gettext_noop("Group name"), listing.of("GroupName"), orders=("name", "-name")),
    columns={
        "path": ListColumn(gettext_noop("Path"), listing.of("Path")),
        "users": ListColumn(gettext_noop("Users"), listing.of("UserCount"), orders=("-users", "users")),
        "policies": ListColumn(gettext_noop("Attached policies"), listing.of("PolicyCount"), facet="Policies"),
        "created": ListColumn(gettext_noop("Created"), listing.when("CreateDate"), orders=("-created", "created")),
    },
    usual=("path", "users", "policies", "created"),
    orders={
        "name": ("Name", gettext_noop("Name, A to Z")),
        "-name": ("Name", gettext_noop("Name, Z to A")),
        "-created": ("Created", gettext_noop("Newest first")),
        "created": ("Created", gettext_noop("Oldest first")),
        "-users": ("Users", gettext_noop("Most users first")),
        "users": ("Users", gettext_noop("Fewest users first")),
    },
)
CHOSEN = ChosenRows(
    LISTING,
    gettext_noop("With the chosen groups"),
    lambda count: ngettext("%(num)s group", "%(num)s groups", count),
    {"policy": chosen_policies.attaching(GROUP)},
    lambda call: str(call.parameters[GROUP.key]),
)


async def groups(request: Request) -> Response:
    """List groups a page at a time; the whole name of the only one found goes to its group."""
    web.signed_in(request)
    shown = await listing.ask(request, LISTING)
    if shown.only is not None:
        return web.go(GROUP.page(shown.only["GroupName"]))
    path = shown.here["path"]
    return frame.page(
        request,
        "groups.html",
        current=GROUP.folder,
        same=[Equivalent("iam", "ListGroups", {"PathPrefix": path} if path else {}), shown.listed.call],
        shown=shown,
        chosen=CHOSEN,
    )


ROUTES = [Route(GROUP.folder, groups, methods=["GET"]), *listing.routes(LISTING), *CHOSEN.routes()]
