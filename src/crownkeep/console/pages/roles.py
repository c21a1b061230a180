"""Roles: the list, and one role's trust policy, policies, tags and trail."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import identities, parts
from crownkeep.console.pages.identities import ROLE
from crownkeep.console.pages.parts import Part

TABS = ("permissions", "trust", "tags", "trail")


async def roles(request: Request) -> Response:
    """List roles by path, a page at a time; an exact name goes to its role."""
    web.signed_in(request)
    name = request.query_params.get("name", "").strip()
    if name:
        return web.go(ROLE.page(name))
    path, marker = request.query_params.get("path", ""), request.query_params.get("marker", "")
    listed = await parts.ask(request, "ListRoles", PathPrefix=path, Marker=marker, MaxItems=parts.ROWS)
    return frame.page(
        request,
        "roles.html",
        current=ROLE.folder,
        same=[listed.call],
        listed=listed,
        path=path,
        first=parts.address(ROLE.folder, path=path) if marker else "",
        next_page=parts.address(ROLE.folder, path=path, marker=listed.marker) if listed.marker else "",
    )


async def role(request: Request) -> Response:
    """Show one role and the section that the address chooses."""
    web.signed_in(request)
    name, tab = request.path_params["name"], parts.chosen(request, "tab", TABS)
    about = await parts.ask(request, "GetRole", RoleName=name)
    if about.is_missing:
        return parts.missing(request, about, current=ROLE.folder, title=f"There is no role {name}", back=ROLE.folder)
    asked = await _section(request, name, tab)
    tag = Equivalent("iam", "TagRole", {"RoleName": name, "Tags": [{"Key": "KEY", "Value": "VALUE"}]})
    untag = Equivalent("iam", "UntagRole", {"RoleName": name, "TagKeys": ["KEY"]})
    changes = {"permissions": identities.changes(ROLE, name), "tags": [tag, untag]}
    trust = str(about.one("Role").get("AssumeRolePolicyDocument", ""))
    return frame.page(
        request,
        "role.html",
        current=ROLE.folder,
        same=[*parts.equivalents([about, *asked]), *changes.get(tab, [])],
        name=name,
        path=ROLE.page(name),
        tab=tab,
        about=about,
        asked=asked,
        trust=parts.readable(trust),
    )


async def _section(request: Request, name: str, tab: str) -> tuple[Part, ...]:
    if tab == "permissions":
        return await identities.policies(request, ROLE, name)
    if tab == "tags":
        return (await parts.ask(request, "ListRoleTags", RoleName=name),)
    if tab == "trail":
        by_name = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
        return (await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_name, MaxResults=parts.ROWS),)
    return ()


ROUTES = [
    Route(ROLE.folder, roles, methods=["GET"]),
    Route(f"{ROLE.folder}/{{name}}", role, methods=["GET"]),
]
