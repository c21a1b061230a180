"""The list of roles: found by a part of the name, sorted, with the columns that a person chooses, and several at once."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import chosen_acts, frame, listing, web
from crownkeep.console.kit.chosen_rows import ChosenRows
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import ROLE
from crownkeep.console.kit.listing import ConsoleList, ListColumn
from crownkeep.console.pages.identities import chosen_policies
from crownkeep.translation import gettext_noop, ngettext

LISTING = ConsoleList(
    name="roles",
    title=gettext_noop("Roles"),
    unlisted=gettext_noop("Roles can't be listed"),
    noun="role",
    folder=ROLE.folder,
    operation="DescribeRoles",
    member="Roles",
    key=ROLE.key,
    first=ListColumn(gettext_noop("Role name"), listing.of("RoleName"), orders=("name", "-name")),
    columns={
        "path": ListColumn(gettext_noop("Path"), listing.of("Path")),
        "description": ListColumn(gettext_noop("Description"), listing.of("Description")),
        "policies": ListColumn(gettext_noop("Attached policies"), listing.of("PolicyCount"), facet="Policies"),
        "session": ListColumn(gettext_noop("Longest session"), listing.of("MaxSessionDuration")),
        "used": ListColumn(gettext_noop("Last used"), listing.when("LastUsedDate"), orders=("-used", "used")),
        "tags": listing.TAGS,
        "created": ListColumn(gettext_noop("Created"), listing.when("CreateDate"), orders=("-created", "created")),
    },
    usual=("path", "description", "used", "created"),
    orders={
        "name": ("Name", gettext_noop("Name, A to Z")),
        "-name": ("Name", gettext_noop("Name, Z to A")),
        "-created": ("Created", gettext_noop("Newest first")),
        "created": ("Created", gettext_noop("Oldest first")),
        "-used": ("LastUsed", gettext_noop("Used lately first")),
        "used": ("LastUsed", gettext_noop("Unused longest first")),
    },
)
CHOSEN = ChosenRows(
    LISTING,
    gettext_noop("With the chosen roles"),
    lambda count: ngettext("%(num)s role", "%(num)s roles", count),
    {"policy": chosen_policies.attaching(ROLE), "tag": chosen_acts.tagging("TagRole", "RoleName")},
    lambda call: str(call.parameters[ROLE.key]),
)


async def roles(request: Request) -> Response:
    """List roles a page at a time; the whole name of the only one found goes to its role."""
    web.signed_in(request)
    shown = await listing.ask(request, LISTING)
    if shown.only is not None:
        return web.go(ROLE.page(shown.only["RoleName"]))
    path = shown.here["path"]
    return frame.page(
        request,
        "roles.html",
        current=ROLE.folder,
        same=[Equivalent("iam", "ListRoles", {"PathPrefix": path} if path else {}), shown.listed.call],
        shown=shown,
        chosen=CHOSEN,
    )


ROUTES = [Route(ROLE.folder, roles, methods=["GET"]), *listing.routes(LISTING), *CHOSEN.routes()]
