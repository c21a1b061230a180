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

LISTING = ConsoleList(
    name="roles",
    noun="role",
    folder=ROLE.folder,
    operation="DescribeRoles",
    member="Roles",
    key=ROLE.key,
    first=ListColumn("Role name", listing.of("RoleName"), orders=("name", "-name")),
    columns={
        "path": ListColumn("Path", listing.of("Path")),
        "description": ListColumn("Description", listing.of("Description")),
        "policies": ListColumn("Attached policies", listing.of("PolicyCount"), facet="Policies"),
        "session": ListColumn("Longest session", listing.of("MaxSessionDuration")),
        "used": ListColumn("Last used", listing.when("LastUsedDate"), orders=("-used", "used")),
        "tags": listing.TAGS,
        "created": ListColumn("Created", listing.when("CreateDate"), orders=("-created", "created")),
    },
    usual=("path", "description", "used", "created"),
    orders={
        "name": ("Name", "Name, A to Z"),
        "-name": ("Name", "Name, Z to A"),
        "-created": ("Created", "Newest first"),
        "created": ("Created", "Oldest first"),
        "-used": ("LastUsed", "Used lately first"),
        "used": ("LastUsed", "Unused longest first"),
    },
)
CHOSEN = ChosenRows(
    LISTING,
    ("role", "roles"),
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
