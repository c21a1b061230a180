"""Existing roles of accounts: who is entitled to take which, page by page, and entitlements made and ended."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, parts
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.single_sign_on import instance_pages as pages
from crownkeep.console.pages.single_sign_on.instance_pages import DIRECTORY, EXISTING, STORE, ManagedInstance

ACCESS = "account-access"
_KINDS = {
    "USER": ("GetUserId", "userName", "UserId", "userId"),
    "GROUP": ("GetGroupId", "displayName", "GroupId", "groupId"),
}
"""How the identity store finds a person or group by name, and what an entitlement calls its id."""


async def listed(request: Request) -> Response:
    """Show who may take which existing role: in all accounts, or in one."""
    return await _page(request)


async def _page(request: Request, *, refusal: Refused | None = None, entered: Mapping[str, str] | None = None) -> Response:
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, EXISTING)
    account, marker = request.query_params.get("account", "").strip(), request.query_params.get("marker", "")
    wanted = {"AccountId": account.replace("-", ""), "NextToken": marker, "MaxResults": parts.ROWS}
    rows = await pages.ask(request, DIRECTORY, "SearchRoleEntitlements", **found.of_store, **wanted)
    applications = await pages.ask(request, ACCESS, "ListApplications")
    return pages.page(
        request,
        "sso_existing_roles.html",
        current=EXISTING,
        same=[rows.call, applications.call, _entitling("APPLICATION", "GROUP", "ID", "ROLE")],
        refusal=refusal,
        listed=rows,
        applications=applications,
        account=account,
        entered=entered or {},
        first=parts.address(EXISTING, account=account) if marker else "",
        next_page=parts.address(EXISTING, account=account, marker=rows.marker) if rows.marker else "",
    )


def _entitling(application: str, kind: str, principal_id: str, role_arn: str) -> Equivalent:
    principal = {"identityCenter": {_KINDS[kind][3]: principal_id}}
    entitlement = {"principalRole": {"principal": principal, "roleArn": role_arn}}
    return Equivalent(ACCESS, "CreateEntitlement", {"applicationArn": application, "entitlement": entitlement})


def _ending(application: str, entitlement_id: str) -> Equivalent:
    return Equivalent(ACCESS, "DeleteEntitlement", {"applicationArn": application, "entitlementId": entitlement_id})


async def enabled(request: Request) -> Response:
    """Let entitlements be made for this instance."""
    found = await pages.managed(request)
    source = {"identityCenter": {"instanceArn": found.arn}}
    wanted = Equivalent(ACCESS, "CreateApplication", {"identitySource": source})
    return await parts.change(request, [wanted], then=EXISTING, current=EXISTING)


async def added(request: Request) -> Response:
    """Entitle a person or group to a role; what can't be done is told with the reason."""
    entered = parts.entered(request, "role", "kind", "who")
    found, application = await _application(request)
    kind = entered["kind"] if entered["kind"] in _KINDS else "GROUP"
    operation, attribute, member, _ = _KINDS[kind]
    named = {"UniqueAttribute": {"AttributePath": attribute, "AttributeValue": entered["who"]}}
    who = await calls.ask(request, STORE, operation, {**found.of_store, "AlternateIdentifier": named})
    if isinstance(who, Refused):
        return await _page(request, refusal=who, entered=entered)
    made, outcome = await parts.obtain(request, _entitling(application, kind, str(who[member]), entered["role"]))
    if outcome.refused is not None:
        return await _page(request, refusal=outcome.refused, entered=entered)
    back = [_ending(application, str(made["entitlementId"]))]
    return parts.after(request, outcome, then=EXISTING, current=EXISTING, back=back)


async def removed(request: Request) -> Response:
    """End an entitlement: sessions that rest on it end with it."""
    entered = parts.entered(request, "entitlement", "role", "kind", "id")
    _, application = await _application(request)
    back = [_entitling(application, entered["kind"], entered["id"], entered["role"])] if entered["kind"] in _KINDS else []
    wanted = _ending(application, entered["entitlement"])
    return await parts.change(request, [wanted], then=EXISTING, current=EXISTING, back=back)


async def _application(request: Request) -> tuple[ManagedInstance, str]:
    """Return the instance and the application in which entitlements are made; a name that is none where there is none."""
    found = await pages.managed(request)
    listed = await pages.ask(request, ACCESS, "ListApplications")
    return found, next((str(each["applicationArn"]) for each in listed.rows("applications")), "none")


ROUTES = [
    Route(EXISTING, listed, methods=["GET"]),
    Route(f"{EXISTING}/enable", enabled, methods=["POST"]),
    Route(f"{EXISTING}/add", added, methods=["POST"]),
    Route(f"{EXISTING}/remove", removed, methods=["POST"]),
]
