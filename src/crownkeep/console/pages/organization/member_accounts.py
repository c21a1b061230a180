"""Accounts of the organization: one account's page, and accounts made, invited, moved, closed and taken out."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.organization import attached_policies, places, unit_tree
from crownkeep.translation import gettext, gettext_noop

TABS = ("details", "policies")


async def show(request: Request) -> Response:
    """Show one account: what it is and where, or the policies that bind it."""
    web.signed_in(request)
    account_id, tab = request.query_params.get("id", ""), parts.chosen(request, "tab", TABS)
    about, organization = await asyncio.gather(
        places.ask(request, "DescribeAccount", AccountId=account_id), places.described(request)
    )
    if about.refusal is not None and not about.refusal.is_denied:
        return places.missing(request, about, gettext("There is no such account in the organization"))
    return await _page(request, about, organization, tab)


async def _page(
    request: Request,
    about: Part,
    organization: Part,
    tab: str,
) -> Response:
    account = about.one("Account")
    account_id = str(account.get("Id", request.query_params.get("id", "")))
    way = await _way(request, about)
    asked: list[Part] = [about]
    attached, targets = None, []
    if tab == "policies" and way is not None:
        attached = await attached_policies.on_way(request, [*_above(way), (account_id, account["Name"])], way.policy_types)
        asked += attached.asked
    if way is not None:
        targets = [(way.root.unit_id, way.root.name), *_units(way)]
    return places.page(
        request,
        "organization_account.html",
        same=[*parts.equivalents(asked), *_changes(account_id, way.shown_id if way else "PARENT")],
        account_id=account_id,
        about=about,
        account=account,
        tab=tab,
        path=places.account(account_id),
        way=way,
        attached=attached,
        targets=targets,
        is_management=account_id == organization.one("Organization").get("MasterAccountId"),
        is_managed_here=places.place(request, organization) is places.OrganizationPlace.MANAGEMENT,
    )


async def _way(request: Request, about: Part) -> unit_tree.OpenedTree | None:
    paths = about.one("Account").get("Paths") or ()
    if not paths:
        return None
    parent = str(paths[0]).strip("/").split("/")[-2]
    tree = await unit_tree.opened(request, parent)
    return None if isinstance(tree, Part) else tree


def _above(way: unit_tree.OpenedTree) -> list[tuple[str, str]]:
    return [*way.way, (way.shown_id, way.shown_name)]


def _units(way: unit_tree.OpenedTree) -> list[tuple[str, str]]:
    """Return the units beside and above, to move to; any other is named by its id."""

    def below(node: unit_tree.TreeNode, depth: int) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for each in node.children:
            found += [(each.unit_id, f"{'– ' * depth}{each.name}"), *below(each, depth + 1)]
        return found

    return below(way.root, 1)


def _changes(account_id: str, parent_id: str) -> list[Equivalent]:
    return [
        places.call("MoveAccount", AccountId=account_id, SourceParentId=parent_id, DestinationParentId="UNIT"),
        places.call("CloseAccount", AccountId=account_id),
        places.call("RemoveAccountFromOrganization", AccountId=account_id),
    ]


async def create(request: Request) -> Response:
    """Ask what the new account is called and who reads its root user's mail."""
    web.signed_in(request)
    return _form(request, "organization_create_account.html", {"name": "", "email": "", "role": ""})


async def created(request: Request) -> Response:
    """Make a member: its root user has no password, and a role lets this account in."""
    entered = parts.entered(request, "name", "email", "role")
    given = {"Email": entered["email"], "AccountName": entered["name"], "RoleName": entered["role"]}
    wanted = places.call("CreateAccount", **{key: value for key, value in given.items() if value})
    made, outcome = await parts.obtain(request, wanted)
    status = made.get("CreateAccountStatus", {})
    if outcome.refused is not None or status.get("State") == "FAILED":
        why = (
            gettext("The account was not made: %(reason)s.", reason=status["FailureReason"])
            if status.get("FailureReason")
            else ""
        )
        return _form(request, "organization_create_account.html", entered, refusal=outcome.refused, alert=why)
    then = places.account(str(status["AccountId"])) if status.get("AccountId") else places.FOLDER
    return parts.after(request, outcome, then=then, current=places.FOLDER)


async def invite(request: Request) -> Response:
    """Ask which account is to join."""
    web.signed_in(request)
    return _form(request, "organization_invite.html", {"target": "", "notes": ""})


async def invited(request: Request) -> Response:
    """Invite an account by its id or its root user's address."""
    entered = parts.entered(request, "target", "notes")

    async def again(refusal: Refused) -> Response:
        return _form(request, "organization_invite.html", entered, refusal=refusal)

    target = entered["target"].replace("-", "") if "@" not in entered["target"] else entered["target"]
    party = {"Id": target, "Type": "EMAIL" if "@" in target else "ACCOUNT"}
    notes = {"Notes": entered["notes"]} if entered["notes"] else {}
    wanted = places.call("InviteAccountToOrganization", Target=party, **notes)
    return await parts.change(request, [wanted], then=places.INVITATIONS, current=places.FOLDER, show=again)


def _form(
    request: Request, template: str, entered: dict[str, str], *, refusal: Refused | None = None, alert: str = ""
) -> Response:
    same = {
        "organization_create_account.html": places.call(
            "CreateAccount", Email=entered.get("email") or "ADDRESS", AccountName=entered.get("name") or "NAME"
        ),
        "organization_invite.html": places.call(
            "InviteAccountToOrganization", Target={"Id": entered.get("target") or "ACCOUNT", "Type": "ACCOUNT"}
        ),
    }
    status = 400 if alert else 200
    return places.page(request, template, same=[same[template]], refusal=refusal, entered=entered, alert=alert, status=status)


async def closed(request: Request) -> Response:
    """Close a member, once its name was typed and its person has proved to be there."""
    return await _ended(request, "CloseAccount")


async def removed(request: Request) -> Response:
    """Take a member out of the organization, once its name was typed: it stands alone from then on."""
    return await _ended(request, "RemoveAccountFromOrganization")


_ENDINGS = {
    "CloseAccount": (
        gettext_noop("Close %(account)s?"),
        gettext_noop(
            "Nobody can sign in to it, and none of its keys works. For 90 days the operator of this server can reopen it."
        ),
        gettext_noop("Close account"),
    ),
    "RemoveAccountFromOrganization": (
        gettext_noop("Take %(account)s out of the organization?"),
        gettext_noop(
            "The account stands alone, and no policy of the organization binds it any more. Only an invitation brings it back."
        ),
        gettext_noop("Take out of the organization"),
    ),
}
"""By what ends: the question, what becomes of the account, and the button."""


async def _ended(request: Request, operation: str) -> Response:
    web.proven(request)
    account_id = web.form(request).one("account")
    about = await places.ask(request, "DescribeAccount", AccountId=account_id)
    if about.refusal is not None:
        return places.missing(request, about, gettext("There is no such account in the organization"))
    name, here = str(about.one("Account")["Name"]), places.account(account_id)
    question, text, button = _ENDINGS[operation]
    title = gettext(question, account=name)
    danger.require(request, Ending(name, title, gettext(text), gettext(button), here, {gettext("Account ID"): account_id}))
    wanted = places.call(operation, AccountId=account_id)
    then = here if operation == "CloseAccount" else places.FOLDER
    return await parts.change(request, [wanted], then=then, current=places.FOLDER)


ROUTES = [
    Route(f"{places.FOLDER}/account", show, methods=["GET"]),
    Route(places.NEW_ACCOUNT, create, methods=["GET"]),
    Route(places.NEW_ACCOUNT, created, methods=["POST"]),
    Route(places.INVITE, invite, methods=["GET"]),
    Route(places.INVITE, invited, methods=["POST"]),
    Route(f"{places.FOLDER}/accounts/close", closed, methods=["POST"]),
    Route(f"{places.FOLDER}/accounts/remove", removed, methods=["POST"]),
]
