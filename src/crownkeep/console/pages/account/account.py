"""Account settings: one page that shows them all, and the forms of the account's name and alias."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import account_names, calls, contact_kinds, destinations, frame, parts, undo, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.account import settings
from crownkeep.errors import AwsError
from crownkeep.signin import email_change

PATH = destinations.ACCOUNT
NAME = f"{PATH}/name"
ALIAS = f"{PATH}/alias"


async def show(request: Request) -> Response:
    """Show all settings; they are asked for at once, for answers wait for the commit of their events, and so for one commit."""
    (found, alias, primary, security, opted), alternates = await asyncio.gather(
        asyncio.gather(
            calls.ask(request, account_names.INFORMATION.service, account_names.INFORMATION.operation),
            account_names.alias_of(request),
            contact_kinds.primary(request),
            settings.look(request),
            parts.ask(request, "ListRegions", service="account", RegionOptStatusContains=list(settings.ENABLED)),
        ),
        asyncio.gather(*(contact_kinds.alternate(request, kind) for kind in contact_kinds.KINDS)),
    )
    kinds = [contact_kinds.alternate_call(kind) for kind in contact_kinds.KINDS]
    tests = [settings.TEST.format(kind=kind.slug) for kind in contact_kinds.KINDS]
    return frame.page(
        request,
        "account.html",
        current=PATH,
        same=[account_names.INFORMATION, account_names.ALIASES, contact_kinds.PRIMARY, *kinds, *settings.EQUIVALENTS, opted.call],
        account_id=web.signed_in(request).principal.account_id,
        information=found,
        root_email=_root_email(request),
        alias=alias,
        addresses=account_names.sign_in_addresses(request, alias if isinstance(alias, str) else ""),
        primary=primary,
        labels=contact_kinds.LABELS,
        alternates=list(zip(contact_kinds.KINDS, tests, alternates, strict=True)),
        security=security,
        opted=opted,
    )


def _root_email(request: Request) -> str:
    """Return root's address to root itself; nobody else is told what root signs in with."""
    session = web.signed_in(request)
    if not settings.is_root(request):
        return ""
    here = web.of(request)
    return email_change.of_account(here.door, session.person.account_id, now=here.now).present


async def edit_name(request: Request) -> Response:
    """Ask for another name."""
    found = await calls.ask(request, account_names.INFORMATION.service, account_names.INFORMATION.operation)
    return _name_page(request, name="" if isinstance(found, Refused) else str(found.get("AccountName", "")))


async def save_name(request: Request) -> Response:
    """Call the account something else."""
    name = web.form(request).one("name")
    information = account_names.INFORMATION
    wanted, held = _renaming(name), await calls.ask(request, information.service, information.operation)
    # Who may rename the account and not read its name is offered no way back, for nobody can tell which.
    back = [] if isinstance(held, Refused) else [_renaming(str(held["AccountName"]))]
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return _name_page(request, name=name, refusal=calls.refused(request, wanted, error))
    return calls.go(request, PATH, done, undo=undo.offer(request, back, then=PATH))


async def edit_alias(request: Request) -> Response:
    """Ask for an alias, or whether the one there is should go."""
    return await _alias_page(request)


async def save_alias(request: Request) -> Response:
    """Give the account an alias."""
    return await _change_alias(request, "CreateAccountAlias")


async def delete_alias(request: Request) -> Response:
    """Take the alias away; the sign-in address with the account's id stays."""
    return await _change_alias(request, "DeleteAccountAlias")


async def _change_alias(request: Request, operation: str) -> Response:
    alias = web.form(request).one("alias")
    wanted, held = Equivalent("iam", operation, {"AccountAlias": alias}), await account_names.alias_of(request)
    # Giving an alias takes the place of the one there is, and is taken back by giving that one again.
    before = held if isinstance(held, str) else ""
    back = [Equivalent("iam", "CreateAccountAlias", {"AccountAlias": before})] if before else []
    # Known to have had none, as opposed to a refusal, after which nothing is known.
    if held == "":
        back = [Equivalent("iam", "DeleteAccountAlias", {"AccountAlias": alias})]
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await _alias_page(request, typed=alias, refusal=calls.refused(request, wanted, error))
    return calls.go(request, PATH, done, undo=undo.offer(request, back, then=PATH))


async def _alias_page(request: Request, *, typed: str | None = None, refusal: Refused | None = None) -> Response:
    alias = await account_names.alias_of(request)
    present = alias if isinstance(alias, str) else ""
    same = [Equivalent("iam", "CreateAccountAlias", {"AccountAlias": typed or present or "acme-prod"})]
    same += [Equivalent("iam", "DeleteAccountAlias", {"AccountAlias": present})] if present else []
    return frame.page(
        request,
        "account_alias.html",
        current=PATH,
        same=same,
        refusal=refusal,
        alias=alias,
        typed=present if typed is None else typed,
        base=web.of(request).visited.base,
    )


def _name_page(request: Request, *, name: str, refusal: Refused | None = None) -> Response:
    return frame.page(request, "account_name.html", current=PATH, same=[_renaming(name)], refusal=refusal, name=name)


def _renaming(name: str) -> Equivalent:
    return Equivalent("account", "PutAccountName", {"AccountName": name})


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(NAME, edit_name, methods=["GET"]),
    Route(NAME, save_name, methods=["POST"]),
    Route(ALIAS, edit_alias, methods=["GET"]),
    Route(ALIAS, save_alias, methods=["POST"]),
    Route(f"{ALIAS}/delete", delete_alias, methods=["POST"]),
]
