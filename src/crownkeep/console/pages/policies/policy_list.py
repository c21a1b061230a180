"""The list of managed policies: found by a part of the name or an ARN, sorted, with chosen columns, and several at once."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import chosen_acts, frame, listing, parts, policy_pages, web
from crownkeep.console.kit.chosen_rows import ChosenRows
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.listing import ConsoleList, ListColumn, Row, ShownList
from crownkeep.translation import gettext, gettext_noop, ngettext

SCOPES = ("All", "Local", "AWS")

_OF_AWS = "arn:aws:iam::aws:"


def _kind(policy: Row) -> str:
    return gettext("AWS managed") if policy["Arn"].startswith(_OF_AWS) else gettext("Customer managed")


def _chosen(policy: Row) -> str:
    """Return what names a policy for several at once; nothing for AWS's own, which nobody changes."""
    return "" if policy["Arn"].startswith(_OF_AWS) else str(policy["Arn"])


LISTING = ConsoleList(
    name="policies",
    title=gettext_noop("Policies"),
    unlisted=gettext_noop("Policies can't be listed"),
    noun="policy",
    folder=policy_pages.FOLDER,
    operation="DescribePolicies",
    member="Policies",
    key="PolicyName",
    first=ListColumn(gettext_noop("Policy"), listing.of("PolicyName"), orders=("name", "-name")),
    columns={
        "kind": ListColumn(gettext_noop("Kind"), _kind),
        "arn": ListColumn("ARN", listing.of("Arn")),
        "path": ListColumn(gettext_noop("Path"), listing.of("Path")),
        "description": ListColumn(gettext_noop("Description"), listing.of("Description")),
        "holders": ListColumn(gettext_noop("Holders"), listing.of("AttachmentCount"), orders=("-holders", "holders")),
        "boundary": ListColumn(gettext_noop("Boundary of"), listing.of("BoundaryCount")),
        "version": ListColumn(gettext_noop("Version in force"), listing.of("DefaultVersionId")),
        "tags": listing.TAGS,
        "created": ListColumn(gettext_noop("Created"), listing.when("CreateDate"), orders=("-created", "created")),
        "changed": ListColumn(gettext_noop("Changed"), listing.when("UpdateDate"), orders=("-changed", "changed")),
    },
    usual=("kind", "path", "holders", "changed"),
    orders={
        "name": ("Name", gettext_noop("Name, A to Z")),
        "-name": ("Name", gettext_noop("Name, Z to A")),
        "-holders": ("Attachments", gettext_noop("Most holders first")),
        "holders": ("Attachments", gettext_noop("Fewest holders first")),
        "-changed": ("Changed", gettext_noop("Changed lately first")),
        "changed": ("Changed", gettext_noop("Unchanged longest first")),
        "-created": ("Created", gettext_noop("Newest first")),
        "created": ("Created", gettext_noop("Oldest first")),
    },
    limits={"name": "Text", "path": "PathPrefix", "scope": "Scope", "used": "OnlyAttached"},
    choices={"scope": SCOPES, "used": ("", "1")},
)
CHOSEN = ChosenRows(
    LISTING,
    gettext_noop("With the chosen policies"),
    lambda count: ngettext("%(num)s policy", "%(num)s policies", count),
    {"tag": chosen_acts.tagging("TagPolicy", "PolicyArn")},
    lambda call: str(call.parameters["PolicyArn"]),
)


async def policies(request: Request) -> Response:
    """List policies a page at a time; an ARN, or the whole name of one of those found, goes to its policy."""
    web.signed_in(request)
    name = request.query_params.get("name", "").strip()
    if name.startswith("arn:"):
        return web.go(policy_pages.page(name))
    shown = await listing.ask(request, LISTING)
    exact = await _exact(request, shown)
    if exact:
        return web.go(policy_pages.page(exact))
    return frame.page(
        request,
        "policies.html",
        current=policy_pages.FOLDER,
        same=[_of_iam(shown), shown.listed.call],
        shown=shown,
        chosen=CHOSEN,
        value=_chosen,
        kind=_kind,
        scopes=SCOPES,
    )


async def _exact(request: Request, shown: ShownList) -> str:
    """Return the ARN of the only policy that has the whole name; many others may hold it, and be listed before."""
    name = shown.here["name"].lower()
    found = shown.rows
    if name and shown.next_page:
        named = await parts.ask(request, "FindNames", service=LISTING.service, Text=shown.here["name"])
        found = [{"Arn": each["Arn"], "PolicyName": each["Name"]} for each in named.rows("Policies")]
    exact = [str(each["Arn"]) for each in found if each["PolicyName"].lower() == name]
    return exact[0] if len(exact) == 1 else ""


def _of_iam(shown: ShownList) -> Equivalent:
    path = {"PathPrefix": shown.here["path"]} if shown.here["path"] else {}
    used = {"OnlyAttached": True} if shown.here["used"] else {}
    return Equivalent("iam", "ListPolicies", {"Scope": shown.here["scope"], **path, **used})


ROUTES = [Route(policy_pages.FOLDER, policies, methods=["GET"]), *listing.routes(LISTING), *CHOSEN.routes()]
