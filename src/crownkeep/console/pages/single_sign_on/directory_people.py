"""People of single sign-on: the list, found by part of a name, one person's page, and what an administrator does for them."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.single_sign_on import instance_pages as pages
from crownkeep.console.pages.single_sign_on.instance_pages import DIRECTORY, PEOPLE, STORE, ManagedInstance
from crownkeep.translation import gettext

TABS = ("access", "groups", "sign-in")
_FIELDS = ("name", "given", "family", "email")
_ACTS = {
    "invite": ("UpdatePassword", {"PasswordMode": "EMAIL"}, "sign-in"),
    "disable": ("DisableUser", {}, "sign-in"),
    "enable": ("EnableUser", {}, "sign-in"),
    "end": ("DeleteSessionsForUser", {}, "sign-in"),
}
"""What a button does to a person, and the section that it is in."""


async def listed(request: Request) -> Response:
    """List people by user name, a page at a time, or those whose name or e-mail address holds a text."""
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, PEOPLE)
    text, token = request.query_params.get("q", "").strip()[:128], request.query_params.get("marker", "")
    asked = {"Query": text, "NextToken": token, "MaxResults": parts.ROWS}
    people = await pages.ask(request, DIRECTORY, "SearchUsers", **found.of_store, **asked)
    return pages.page(
        request,
        "sso_people.html",
        current=PEOPLE,
        same=[people.call],
        people=people,
        search=text,
        first=parts.address(PEOPLE, q=text) if token else "",
        next_page=parts.address(PEOPLE, q=text, marker=people.marker) if people.marker else "",
    )


async def new(request: Request) -> Response:
    """Ask who the new person is."""
    web.signed_in(request)
    return _form(request, dict.fromkeys(_FIELDS, ""))


async def created(request: Request) -> Response:
    """Make a person and, where they have an e-mail address, invite them by a one-time link."""
    entered = parts.entered(request, *_FIELDS)
    found = await pages.managed(request)
    made, outcome = await parts.obtain(request, _creation(found.store_id, entered))
    if outcome.refused is not None:
        return _form(request, entered, refusal=outcome.refused)
    whose = {**found.of_store, "UserId": str(made["UserId"])}
    if "invite" not in web.form(request) or not entered["email"]:
        return parts.after(request, outcome, then=pages.person(whose["UserId"]), current=PEOPLE)
    wanted = Equivalent(DIRECTORY, "UpdatePassword", {**whose, "PasswordMode": "EMAIL"})
    invited = await parts.carry_out(request, [wanted])
    both = parts.ChangesMade((*outcome.made, *invited.made), invited.refused)
    return parts.after(request, both, then=pages.person(whose["UserId"]), current=PEOPLE)


def _creation(store_id: str, entered: dict[str, str]) -> Equivalent:
    emails = {"Emails": [{"Value": entered["email"], "Type": "work", "Primary": True}]} if entered["email"] else {}
    given = {
        "UserName": entered["name"],
        "DisplayName": f"{entered['given']} {entered['family']}".strip(),
        **emails,
    }
    whole = {"GivenName": entered["given"], "FamilyName": entered["family"]}
    return Equivalent(STORE, "CreateUser", {"IdentityStoreId": store_id, **given, "Name": whole})


def _form(request: Request, entered: dict[str, str], *, refusal: Refused | None = None) -> Response:
    same = _creation("d-...", {name: value or name.upper() for name, value in entered.items()})
    return pages.page(request, "sso_new_person.html", current=PEOPLE, same=[same], refusal=refusal, entered=entered)


async def show(request: Request) -> Response:
    """Show one person: what they may take where and why, their groups, or how they sign in."""
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, PEOPLE)
    return await _page(request, found, request.query_params.get("id", ""), parts.chosen(request, "tab", TABS))


async def _page(request: Request, found: ManagedInstance, user_id: str, tab: str, *, refusal: Refused | None = None) -> Response:
    whose = {**found.of_store, "UserId": user_id}
    about, sections = await asyncio.gather(
        pages.ask(request, STORE, "DescribeUser", **whose), _section(request, found, whose, tab)
    )
    if about.refusal is not None and not about.refusal.is_denied:
        return parts.missing(request, about, current=PEOPLE, title=gettext("There is no such person"), back=PEOPLE)
    return pages.page(
        request,
        "sso_person.html",
        current=PEOPLE,
        same=[*parts.equivalents([about, *sections.values()]), *_changes(whose, tab)],
        refusal=refusal,
        user_id=user_id,
        about=about,
        user=about.found if about.refusal is None else {},
        path=pages.person(user_id),
        tab=tab,
        asked=sections,
    )


async def _section(request: Request, found: ManagedInstance, whose: dict[str, str], tab: str) -> dict[str, Part]:
    if tab == "groups":
        return {"groups": await pages.ask(request, DIRECTORY, "ListGroupsForUser", **whose)}
    if tab == "sign-in":
        devices, sessions = await asyncio.gather(
            pages.ask(request, DIRECTORY, "ListMfaDevicesForUser", **whose),
            pages.ask(request, DIRECTORY, "ListSessionsForUser", **whose),
        )
        return {"devices": devices, "sessions": sessions}
    wanted = {"PrincipalId": whose["UserId"], "MaxResults": parts.ROWS, "NextToken": request.query_params.get("marker", "")}
    named = {"PrincipalId": whose["UserId"], "MaxResults": parts.ROWS}
    access, existing = await asyncio.gather(
        pages.ask(request, DIRECTORY, "SearchAccountAssignments", **found.of_store, **wanted),
        pages.ask(request, DIRECTORY, "SearchRoleEntitlements", **found.of_store, **named),
    )
    return {"access": access, "existing": existing}


def _changes(whose: dict[str, str], tab: str) -> list[Equivalent]:
    if tab == "sign-in":
        return [Equivalent(DIRECTORY, operation, {**whose, **given}) for operation, given, _ in _ACTS.values()]
    return []


async def acted(request: Request) -> Response:
    """Invite, disable or enable a person, or end their sessions."""
    entered = parts.entered(request, "id", "act")
    user_id = entered["id"]
    if entered["act"] not in _ACTS:
        raise MalformedForm(gettext("no such act"))
    found = await pages.managed(request)
    operation, given, tab = _ACTS[entered["act"]]

    async def again(refusal: Refused) -> Response:
        return await _page(request, found, user_id, tab, refusal=refusal)

    wanted = Equivalent(DIRECTORY, operation, {**found.of_store, "UserId": user_id, **given})
    return await parts.change(request, [wanted], then=pages.person(user_id, tab), current=PEOPLE, show=again)


async def given_password(request: Request) -> Response:
    """Give a person a password for once, and show it."""
    user_id = web.form(request).one("id")
    found = await pages.managed(request)
    wanted = Equivalent(DIRECTORY, "UpdatePassword", {**found.of_store, "UserId": user_id, "PasswordMode": "OTP"})
    made, outcome = await parts.obtain(request, wanted)
    if outcome.refused is not None:
        return await _page(request, found, user_id, "sign-in", refusal=outcome.refused)
    secrets = {gettext("Password for the first sign-in"): str(made["Password"])}
    then = pages.person(user_id, "sign-in")
    return parts.result_page(request, outcome, title=gettext("Hand this over"), then=then, current=PEOPLE, secrets=secrets)


async def device_removed(request: Request) -> Response:
    """Take an MFA device from a person who lost it."""
    entered = parts.entered(request, "id", "device")
    found = await pages.managed(request)
    named = {**found.of_store, "UserId": entered["id"], "DeviceId": entered["device"]}
    wanted = Equivalent(DIRECTORY, "DeleteMfaDeviceForUser", named)
    return await parts.change(request, [wanted], then=pages.person(entered["id"], "sign-in"), current=PEOPLE)


async def deleted(request: Request) -> Response:
    """Delete a person, once their user name was typed."""
    user_id = web.form(request).one("id")
    found = await pages.managed(request)
    about = await pages.ask(request, STORE, "DescribeUser", **found.of_store, UserId=user_id)
    name, ids = about.text("UserName") or user_id, {gettext("User ID"): user_id}
    text = gettext(
        "Memberships, assignments, MFA devices and sessions end at once. A new person of that name starts with nothing."
    )
    danger.require(
        request,
        Ending(
            name, gettext("Delete %(name)s?", name=name), text, gettext("Delete person"), pages.person(user_id, "sign-in"), ids
        ),
    )
    wanted = Equivalent(STORE, "DeleteUser", {**found.of_store, "UserId": user_id})
    return await parts.change(request, [wanted], then=PEOPLE, current=PEOPLE)


ROUTES = [
    Route(PEOPLE, listed, methods=["GET"]),
    Route(f"{PEOPLE}/create", new, methods=["GET"]),
    Route(f"{PEOPLE}/create", created, methods=["POST"]),
    Route(f"{PEOPLE}/one", show, methods=["GET"]),
    Route(f"{PEOPLE}/password", given_password, methods=["POST"]),
    Route(f"{PEOPLE}/device", device_removed, methods=["POST"]),
    Route(f"{PEOPLE}/delete", deleted, methods=["POST"]),
    Route(f"{PEOPLE}/act", acted, methods=["POST"]),
]
