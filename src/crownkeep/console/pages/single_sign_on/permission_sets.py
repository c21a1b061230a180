"""Permission sets: the list, one set's policies and accounts, and what changes them."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, parts, policy_documents, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.policy_documents import Checked
from crownkeep.console.pages.single_sign_on import instance_pages as pages
from crownkeep.console.pages.single_sign_on.instance_pages import ADMIN, DIRECTORY, SETS, ManagedInstance
from crownkeep.translation import gettext

_POLICIES = "arn:aws:iam::aws:policy/"


async def listed(request: Request) -> Response:
    """List the permission sets by name."""
    return await _list(request)


async def _list(request: Request, *, refusal: Refused | None = None) -> Response:
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, SETS)
    sets = await pages.ask(request, DIRECTORY, "SearchPermissionSets", **found.of_store)
    same = [sets.call, Equivalent(ADMIN, "CreatePermissionSet", {**found.of_instance, "Name": "NAME"})]
    return pages.page(request, "sso_permission_sets.html", current=SETS, same=same, refusal=refusal, sets=sets)


async def created(request: Request) -> Response:
    """Make a permission set and, where one is named, attach one of AWS's policies."""
    entered = parts.entered(request, "name", "description", "policy", "hours")
    found = await pages.managed(request)
    described = {"Description": entered["description"]} if entered["description"] else {}
    hours = {"SessionDuration": f"PT{entered['hours']}H"} if entered["hours"] else {}
    given = {**found.of_instance, "Name": entered["name"], **described, **hours}
    made, outcome = await parts.obtain(request, Equivalent(ADMIN, "CreatePermissionSet", given))
    if outcome.refused is not None:
        return await _list(request, refusal=outcome.refused)
    arn = str(made["PermissionSet"]["PermissionSetArn"])
    attached = await parts.carry_out(request, [_attachment(found, arn, entered["policy"])] if entered["policy"] else [])
    both = parts.ChangesMade((*outcome.made, *attached.made), attached.refused)
    return parts.after(request, both, then=pages.permission_set(arn), current=SETS)


async def show(request: Request) -> Response:
    """Show one permission set: its policies, its limits, and the accounts that have a role of it."""
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, SETS)
    return await _page(request, found, request.query_params.get("arn", ""))


_PARTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("DescribePermissionSet", {}),
    ("ListManagedPoliciesInPermissionSet", {}),
    ("ListCustomerManagedPolicyReferencesInPermissionSet", {}),
    ("GetInlinePolicyForPermissionSet", {}),
    ("GetPermissionsBoundaryForPermissionSet", {}),
    ("ListAccountsForProvisionedPermissionSet", {"ProvisioningStatus": "LATEST_PERMISSION_SET_NOT_PROVISIONED"}),
)
"""What a permission set's page asks of single sign-on."""


async def _page(
    request: Request,
    found: ManagedInstance,
    arn: str,
    *,
    refusal: Refused | None = None,
    checked: Checked | None = None,
) -> Response:
    which = {**found.of_instance, "PermissionSetArn": arn}
    asked = await asyncio.gather(*(pages.ask(request, ADMIN, name, **which, **further) for name, further in _PARTS))
    about, managed, customers, document, boundary, outdated = asked
    if about.refusal is not None and not about.refusal.is_denied:
        return parts.missing(request, about, current=SETS, title=gettext("There is no such permission set"), back=SETS)
    assigned = await pages.ask(
        request, DIRECTORY, "SearchAccountAssignments", **found.of_store, PermissionSetArn=arn, MaxResults=parts.ROWS
    )
    return pages.page(
        request,
        "sso_permission_set.html",
        current=SETS,
        same=[
            *parts.equivalents([*asked, assigned]),
            Equivalent(ADMIN, "ProvisionPermissionSet", {**which, "TargetType": "ALL_PROVISIONED_ACCOUNTS"}),
        ],
        refusal=refusal,
        arn=arn,
        about=about,
        shown=about.one("PermissionSet"),
        hours=_hours(str(about.one("PermissionSet").get("SessionDuration", ""))),
        managed=managed,
        customers=customers,
        document=document,
        inline=checked.document if checked else parts.readable(document.text("InlinePolicy")),
        checked=checked,
        limit=boundary.one("PermissionsBoundary"),
        outdated=outdated,
        assigned=assigned,
    )


def _hours(duration: str) -> str:
    """Return the hours of a duration of whole hours, `4` of `PT4H`; empty for any other."""
    match = re.fullmatch(r"PT([0-9]{1,2})H", duration)
    return match[1] if match else ""


def _attachment(found: ManagedInstance, arn: str, policy: str) -> Equivalent:
    """Return the call that attaches one of AWS's policies, which may be named by its name alone."""
    policy_arn = policy if policy.startswith("arn:") else f"{_POLICIES}{policy}"
    which = {**found.of_instance, "PermissionSetArn": arn, "ManagedPolicyArn": policy_arn}
    return Equivalent(ADMIN, "AttachManagedPolicyToPermissionSet", which)


async def changed(request: Request) -> Response:
    """Change one thing of a permission set; its roles follow once it is provisioned."""
    form = parts.entered(request, "arn", "act", "value")
    found = await pages.managed(request)
    arn, value = form["arn"], form["value"]
    checked = None
    if form["act"] == "inline" and (value := policy_documents.typed(request)):
        checked = await policy_documents.check(request, value)
        if policy_documents.has_to_be_read(request, checked):
            return await _page(request, found, arn, checked=checked)
    which = {**found.of_instance, "PermissionSetArn": arn}
    match form["act"]:
        case "attach":
            wanted = _attachment(found, arn, value)
        case "detach":
            wanted = Equivalent(ADMIN, "DetachManagedPolicyFromPermissionSet", {**which, "ManagedPolicyArn": value})
        case "inline" if value:
            wanted = Equivalent(ADMIN, "PutInlinePolicyToPermissionSet", {**which, "InlinePolicy": value})
        case "inline":
            wanted = Equivalent(ADMIN, "DeleteInlinePolicyFromPermissionSet", which)
        case "boundary" if value:
            limit = {"ManagedPolicyArn": value if value.startswith("arn:") else f"{_POLICIES}{value}"}
            wanted = Equivalent(ADMIN, "PutPermissionsBoundaryToPermissionSet", {**which, "PermissionsBoundary": limit})
        case "boundary":
            wanted = Equivalent(ADMIN, "DeletePermissionsBoundaryFromPermissionSet", which)
        case "session":
            wanted = Equivalent(ADMIN, "UpdatePermissionSet", {**which, "SessionDuration": f"PT{value}H"})
        case "provision":
            wanted = Equivalent(ADMIN, "ProvisionPermissionSet", {**which, "TargetType": "ALL_PROVISIONED_ACCOUNTS"})
        case _:
            raise MalformedForm(gettext("no such act"))

    async def again(refusal: Refused) -> Response:
        return await _page(request, found, arn, refusal=refusal, checked=checked)

    return await parts.change(request, [wanted], then=pages.permission_set(arn), current=SETS, show=again)


async def deleted(request: Request) -> Response:
    """Delete a permission set that nobody may take, once its name was typed."""
    arn = web.form(request).one("arn")
    found = await pages.managed(request)
    about = await pages.ask(request, ADMIN, "DescribePermissionSet", **found.of_instance, PermissionSetArn=arn)
    name = str(about.one("PermissionSet").get("Name", arn))
    text = gettext("Its policies go with it. One that is still assigned somewhere is not deleted.")
    here = pages.permission_set(arn)
    danger.require(
        request,
        Ending(
            name,
            gettext("Delete the permission set %(name)s?", name=name),
            text,
            gettext("Delete permission set"),
            here,
            {"ARN": arn},
        ),
    )

    async def again(refusal: Refused) -> Response:
        return await _page(request, found, arn, refusal=refusal)

    wanted = Equivalent(ADMIN, "DeletePermissionSet", {**found.of_instance, "PermissionSetArn": arn})
    return await parts.change(request, [wanted], then=SETS, current=SETS, show=again)


ROUTES = [
    Route(SETS, listed, methods=["GET"]),
    Route(f"{SETS}/create", created, methods=["POST"]),
    Route(f"{SETS}/one", show, methods=["GET"]),
    Route(f"{SETS}/change", changed, methods=["POST"]),
    Route(f"{SETS}/delete", deleted, methods=["POST"]),
]
