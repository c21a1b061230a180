"""Organizational units: made, renamed and deleted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, parts, web
from crownkeep.console.kit.danger import Ending
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext


async def created(request: Request) -> Response:
    """Make a unit below the root or another unit."""
    entered = parts.entered(request, "parent", "name")
    wanted = places.call("CreateOrganizationalUnit", ParentId=entered["parent"], Name=entered["name"])
    made, outcome = await parts.obtain(request, wanted)
    back = [places.call("DeleteOrganizationalUnit", OrganizationalUnitId=made["OrganizationalUnit"]["Id"])] if made else []
    return parts.after(request, outcome, then=places.tree(entered["parent"]), current=places.FOLDER, back=back)


async def renamed(request: Request) -> Response:
    """Call a unit something else."""
    entered = parts.entered(request, "unit", "name")
    before = web.form(request).one("before")
    wanted, back = (
        places.call("UpdateOrganizationalUnit", OrganizationalUnitId=entered["unit"], Name=name)
        for name in (entered["name"], before)
    )
    then = places.tree(entered["unit"])
    return await parts.change(request, [wanted], then=then, current=places.FOLDER, back=[back] if before else [])


async def deleted(request: Request) -> Response:
    """Delete a unit once its name was typed; one with accounts or units in it is refused by Organizations."""
    entered = parts.entered(request, "unit", "parent")
    unit = entered["unit"]
    about = await places.ask(request, "DescribeOrganizationalUnit", OrganizationalUnitId=unit)
    name = str(about.one("OrganizationalUnit").get("Name", unit))
    text = gettext("Its ID is never given again. Policies that are attached to it stay, but bind nobody through it any more.")
    danger.require(
        request,
        Ending(
            name,
            gettext("Delete the unit %(name)s?", name=name),
            text,
            gettext("Delete unit"),
            places.tree(unit),
            {gettext("Unit ID"): unit},
        ),
    )
    wanted = places.call("DeleteOrganizationalUnit", OrganizationalUnitId=entered["unit"])
    return await parts.change(request, [wanted], then=places.tree(entered["parent"]), current=places.FOLDER)


ROUTES = [
    Route(f"{places.FOLDER}/units/create", created, methods=["POST"]),
    Route(f"{places.FOLDER}/units/rename", renamed, methods=["POST"]),
    Route(f"{places.FOLDER}/units/delete", deleted, methods=["POST"]),
]
