"""The organization: its tree with the accounts of one unit, or what it is to a member, or how to have one."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, parts, web
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.organization import attached_policies, places, unit_tree
from crownkeep.console.pages.organization.places import OrganizationPlace
from crownkeep.translation import gettext

TABS = ("accounts", "policies")


async def show(request: Request) -> Response:
    """Show the tree to who may read it, and to everybody else where their account stands."""
    web.signed_in(request)
    about = await places.described(request)
    if places.place(request, about) is not OrganizationPlace.NONE:
        under, units = request.query_params.get("under", ""), request.query_params.get("units", "")
        tree = await unit_tree.opened(request, under, marker=units)
        if not isinstance(tree, Part):
            return await _tree_page(request, about, tree)
        if under and tree.refusal is not None and not tree.refusal.is_denied:
            return places.missing(request, tree, gettext("There is no such unit"))
    return await _standing_page(request, about)


async def _tree_page(request: Request, about: Part, tree: unit_tree.OpenedTree) -> Response:
    tab, marker = parts.chosen(request, "tab", TABS), request.query_params.get("marker", "")
    asked = [about, *tree.asked]
    accounts, attached, security = None, None, {}
    if tab == "accounts":
        accounts = await places.ask(
            request, "ListAccountsForParent", ParentId=tree.shown_id, NextToken=marker, MaxResults=places.MOST
        )
        ids = [each["Id"] for each in accounts.rows("Accounts")]
        asked.append(accounts)
        if ids:
            stands = await parts.ask(request, "ListMemberSecurity", service="account-security", AccountIds=ids)
            security = {each["AccountId"]: each for each in stands.rows("Members")}
            asked.append(stands)
    else:
        attached = await attached_policies.on_way(request, [*tree.way, (tree.shown_id, tree.shown_name)], tree.policy_types)
        asked += attached.asked
    more = accounts.marker if accounts is not None else ""
    return places.page(
        request,
        "organization.html",
        same=[*parts.equivalents(asked), *_changes(tree.shown_id)],
        about=about,
        is_management=places.place(request, about) is OrganizationPlace.MANAGEMENT,
        tree=tree,
        tab=tab,
        accounts=accounts,
        security=security,
        attached=attached,
        first=places.tree(tree.shown_id) if marker else "",
        next_page=places.tree(tree.shown_id, marker=more) if more else "",
        more_units=places.tree(tree.shown_id, units=tree.units.marker) if tree.units.marker else "",
    )


def _changes(unit_id: str) -> list[Equivalent]:
    """Return what the buttons of a unit call, for the commands that its page shows."""
    if unit_id.startswith("r-"):
        return [places.call("CreateOrganizationalUnit", ParentId=unit_id, Name="NAME")]
    return [
        places.call("CreateOrganizationalUnit", ParentId=unit_id, Name="NAME"),
        places.call("UpdateOrganizationalUnit", OrganizationalUnitId=unit_id, Name="NAME"),
        places.call("DeleteOrganizationalUnit", OrganizationalUnitId=unit_id),
    ]


async def _standing_page(request: Request, about: Part) -> Response:
    asked = await asyncio.gather(
        places.ask(request, "ListHandshakesForAccount", MaxResults=places.MOST),
        parts.ask(request, "ListBindingPolicies", service="account-security"),
    )
    place = places.place(request, about)
    change = places.call("CreateOrganization" if place is OrganizationPlace.NONE else "LeaveOrganization")
    return places.page(
        request,
        "organization_standing.html",
        same=[*parts.equivalents([about, *asked]), change],
        about=about,
        place=place.value,
        handshakes=asked[0],
        controls=asked[1] if place is OrganizationPlace.MEMBER else None,
    )


async def created(request: Request) -> Response:
    """Create an organization that this account manages."""
    wanted = places.call("CreateOrganization", FeatureSet="ALL")
    return await parts.change(request, [wanted], then=places.FOLDER, current=places.FOLDER)


async def left(request: Request) -> Response:
    """Take this account out of its organization, once its id was typed."""
    account_id = web.proven(request).principal.account_id
    text = gettext(
        "The account stands alone afterwards. The organization's policies no longer bind it, and only it can get back in."
    )
    danger.require(
        request, Ending(account_id, gettext("Leave the organization?"), text, gettext("Leave organization"), places.FOLDER)
    )
    return await parts.change(request, [places.call("LeaveOrganization")], then=places.FOLDER, current=places.FOLDER)


ROUTES = [
    Route(places.FOLDER, show, methods=["GET"]),
    Route(f"{places.FOLDER}/create", created, methods=["POST"]),
    Route(f"{places.FOLDER}/leave", left, methods=["POST"]),
]
