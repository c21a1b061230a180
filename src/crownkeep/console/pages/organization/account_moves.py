"""Moving an account to another unit: reviewed first, with what recorded calls say that the policies there would deny."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, web
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext

MOVE = f"{places.ACCOUNTS}/move"


async def review(request: Request) -> Response:
    """Show what moving an account means: whose policies bind it then, and whose no longer do."""
    web.signed_in(request)
    account_id, other = (request.query_params.get(name, "").strip() for name in ("account", "other"))
    to = other or request.query_params.get("to", "").strip()
    is_root = to.startswith("r-")
    about, parents, unit = await asyncio.gather(
        places.ask(request, "DescribeAccount", AccountId=account_id),
        places.ask(request, "ListParents", ChildId=account_id),
        places.ask(request, "ListRoots")
        if is_root
        else places.ask(request, "DescribeOrganizationalUnit", OrganizationalUnitId=to),
    )
    for part, title in (
        (about, gettext("The account can't be seen")),
        (parents, gettext("The account can't be seen")),
        (unit, gettext("The unit can't be seen")),
    ):
        if part.refusal is not None:
            return places.missing(request, part, title, back=places.account(account_id))
    source = str(parents.rows("Parents")[0]["Id"])
    wanted = places.call("MoveAccount", AccountId=account_id, SourceParentId=source, DestinationParentId=to)
    return places.page(
        request,
        "organization_move.html",
        same=[*parts.equivalents([about, parents, unit]), wanted],
        account_id=account_id,
        name=about.one("Account")["Name"],
        source=source,
        to=to,
        unit=gettext("the root") if is_root else unit.one("OrganizationalUnit")["Name"],
        back=places.account(account_id),
        move=MOVE,
        what_if=parts.address(
            "/console/what-if",
            change="move-account",
            account=account_id,
            target=to,
            back=parts.address(MOVE, account=account_id, to=to),
        ),
    )


async def moved(request: Request) -> Response:
    """Put an account under another unit: the policies there are in force for it at once."""
    entered = parts.entered(request, "account", "from", "to")
    to = entered["to"]
    wanted, back = (
        places.call("MoveAccount", AccountId=entered["account"], SourceParentId=source, DestinationParentId=destination)
        for source, destination in ((entered["from"], to), (to, entered["from"]))
    )
    return await parts.change(request, [wanted], then=places.account(entered["account"]), current=places.FOLDER, back=[back])


ROUTES = [Route(MOVE, review, methods=["GET"]), Route(MOVE, moved, methods=["POST"])]
