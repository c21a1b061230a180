"""Groups of single sign-on: the list, one group's people, and people put into a group and taken out of it."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, danger, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.single_sign_on import instance_pages as pages
from crownkeep.console.pages.single_sign_on.instance_pages import DIRECTORY, GROUPS, STORE, ManagedInstance
from crownkeep.translation import gettext


async def listed(request: Request) -> Response:
    """List groups, a page at a time; an exact name finds its group."""
    return await _list(request)


async def _list(request: Request, *, refusal: Refused | None = None) -> Response:
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, GROUPS)
    name, token = request.query_params.get("name", "").strip(), request.query_params.get("marker", "")
    chosen = {"Filters": [{"AttributePath": "DisplayName", "AttributeValue": name}]} if name else {}
    groups = await pages.ask(
        request, STORE, "ListGroups", **found.of_store, **chosen, NextToken=token, MaxResults=None if name else parts.ROWS
    )
    return pages.page(
        request,
        "sso_groups.html",
        current=GROUPS,
        same=[groups.call, Equivalent(STORE, "CreateGroup", {**found.of_store, "DisplayName": "NAME"})],
        refusal=refusal,
        groups=groups,
        name=name,
        first=GROUPS if token else "",
        next_page=parts.address(GROUPS, marker=groups.marker) if groups.marker else "",
    )


async def created(request: Request) -> Response:
    """Make a group with nobody in it."""
    entered = parts.entered(request, "name", "description")
    found = await pages.managed(request)
    described = {"Description": entered["description"]} if entered["description"] else {}
    made, outcome = await parts.obtain(
        request, Equivalent(STORE, "CreateGroup", {**found.of_store, "DisplayName": entered["name"], **described})
    )
    if outcome.refused is not None:
        return await _list(request, refusal=outcome.refused)
    return parts.after(request, outcome, then=pages.group(str(made["GroupId"])), current=GROUPS)


async def show(request: Request) -> Response:
    """Show one group: who is in it, and what it may take where."""
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, GROUPS)
    return await _page(request, found, request.query_params.get("id", ""))


async def _page(request: Request, found: ManagedInstance, group_id: str, *, refusal: Refused | None = None) -> Response:
    token = request.query_params.get("marker", "")
    paged = {"GroupId": group_id, "NextToken": token, "MaxResults": parts.ROWS}
    about, members, access, existing = await asyncio.gather(
        pages.ask(request, STORE, "DescribeGroup", **found.of_store, GroupId=group_id),
        pages.ask(request, DIRECTORY, "SearchUsers", **found.of_store, **paged),
        pages.ask(request, DIRECTORY, "SearchAccountAssignments", **found.of_store, PrincipalId=group_id, MaxResults=parts.ROWS),
        pages.ask(request, DIRECTORY, "SearchRoleEntitlements", **found.of_store, PrincipalId=group_id, MaxResults=parts.ROWS),
    )
    if about.refusal is not None and not about.refusal.is_denied:
        return parts.missing(request, about, current=GROUPS, title=gettext("There is no such group"), back=GROUPS)
    path = pages.group(group_id)
    member = {"GroupId": group_id, "MemberId": {"UserId": "USER"}}
    return pages.page(
        request,
        "sso_group.html",
        current=GROUPS,
        same=[
            *parts.equivalents([about, members, access, existing]),
            Equivalent(STORE, "CreateGroupMembership", {**found.of_store, **member}),
        ],
        refusal=refusal,
        group_id=group_id,
        about=about,
        shown=about.found if about.refusal is None else {},
        members=members,
        access=access,
        existing=existing,
        first=path if token else "",
        next_page=parts.address(f"{GROUPS}/one", id=group_id, marker=members.marker) if members.marker else "",
    )


async def joined(request: Request) -> Response:
    """Put the person with a user name into the group."""
    entered = parts.entered(request, "id", "name")
    found = await pages.managed(request)
    named = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": entered["name"]}}
    who = await calls.ask(request, STORE, "GetUserId", {**found.of_store, "AlternateIdentifier": named})
    if isinstance(who, Refused):
        return await _page(request, found, entered["id"], refusal=who)
    member = {"GroupId": entered["id"], "MemberId": {"UserId": who["UserId"]}}

    async def again(refusal: Refused) -> Response:
        return await _page(request, found, entered["id"], refusal=refusal)

    wanted = Equivalent(STORE, "CreateGroupMembership", {**found.of_store, **member})
    return await parts.change(request, [wanted], then=pages.group(entered["id"]), current=GROUPS, show=again)


async def left(request: Request) -> Response:
    """Take a person out of the group."""
    entered = parts.entered(request, "id", "user")
    found = await pages.managed(request)
    member = {"GroupId": entered["id"], "MemberId": {"UserId": entered["user"]}}
    which = await calls.ask(request, STORE, "GetGroupMembershipId", {**found.of_store, **member})
    if isinstance(which, Refused):
        return await _page(request, found, entered["id"], refusal=which)
    wanted = Equivalent(STORE, "DeleteGroupMembership", {**found.of_store, "MembershipId": which["MembershipId"]})
    back = Equivalent(STORE, "CreateGroupMembership", {**found.of_store, **member})
    return await parts.change(request, [wanted], then=pages.group(entered["id"]), current=GROUPS, back=[back])


async def deleted(request: Request) -> Response:
    """Delete the group once its name was typed, with what its people could take through it."""
    group_id = web.form(request).one("id")
    found = await pages.managed(request)
    about = await pages.ask(request, STORE, "DescribeGroup", **found.of_store, GroupId=group_id)
    name = about.text("DisplayName") or group_id
    text = gettext("Its memberships and assignments end at once, and sessions that rest on them end with them. Its people stay.")
    ids = {gettext("Group ID"): group_id}
    danger.require(
        request,
        Ending(name, gettext("Delete the group %(name)s?", name=name), text, gettext("Delete group"), pages.group(group_id), ids),
    )
    wanted = Equivalent(STORE, "DeleteGroup", {**found.of_store, "GroupId": group_id})
    return await parts.change(request, [wanted], then=GROUPS, current=GROUPS)


ROUTES = [
    Route(GROUPS, listed, methods=["GET"]),
    Route(f"{GROUPS}/create", created, methods=["POST"]),
    Route(f"{GROUPS}/one", show, methods=["GET"]),
    Route(f"{GROUPS}/join", joined, methods=["POST"]),
    Route(f"{GROUPS}/leave", left, methods=["POST"]),
    Route(f"{GROUPS}/delete", deleted, methods=["POST"]),
]
