"""The organization's pages: their addresses, how they ask AWS Organizations, and what the signed-in account is in it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.translation import gettext_noop

FOLDER = "/console/organization"
ACCOUNTS = f"{FOLDER}/accounts"
INVITATIONS = f"{FOLDER}/invitations"
POLICIES = f"{FOLDER}/policies"
SETTINGS = f"{FOLDER}/settings"
NEW_ACCOUNT = f"{FOLDER}/create-account"
INVITE = f"{FOLDER}/invite"

MOST = 20
"""Entries of one page of a list: Organizations gives no more at once."""

SERVICE_CONTROL = "SERVICE_CONTROL_POLICY"
RESOURCE_CONTROL = "RESOURCE_CONTROL_POLICY"
KINDS = {SERVICE_CONTROL: gettext_noop("Service control policies"), RESOURCE_CONTROL: gettext_noop("Resource control policies")}
"""The types of policy that decide what is allowed, as pages call them."""

FULL_ACCESS = ("p-FullAWSAccess", "p-RCPFullAWSAccess")
"""AWS's own policies, which allow everything and are attached from the start."""

_ABSENT = "AWSOrganizationsNotInUseException"


class OrganizationPlace(Enum):
    """What an account is in its organization."""

    NONE = "none"
    MEMBER = "member"
    MANAGEMENT = "management"
    UNKNOWN = "unknown"
    """The caller may not ask."""


async def ask(request: Request, operation: str, **parameters: object) -> Part:
    """Ask Organizations for a part of a page."""
    return await parts.ask(request, operation, service="organizations", **parameters)


def call(operation: str, **parameters: object) -> Equivalent:
    """Name a call of Organizations."""
    return Equivalent("organizations", operation, parameters)


async def described(request: Request) -> Part:
    """Ask for the organization that the account is in."""
    return await ask(request, "DescribeOrganization")


def place(request: Request, about: Part) -> OrganizationPlace:
    """Return what the signed-in account is in the organization that was asked for."""
    if isinstance(about.found, Refused):
        return OrganizationPlace.NONE if about.found.code == _ABSENT else OrganizationPlace.UNKNOWN
    is_management = about.one("Organization")["MasterAccountId"] == web.signed_in(request).principal.account_id
    return OrganizationPlace.MANAGEMENT if is_management else OrganizationPlace.MEMBER


def tree(under: str = "", **query: object) -> str:
    """Return the address of the tree, opened at a root or unit."""
    return parts.address(FOLDER, under=under, **query)


def account(account_id: str, tab: str = "") -> str:
    """Return the address of one account's page."""
    return parts.address(f"{FOLDER}/account", id=account_id, tab=tab)


def policy(policy_id: str, tab: str = "") -> str:
    """Return the address of one policy's page."""
    return parts.address(f"{POLICIES}/one", id=policy_id, tab=tab)


def entity(entity_id: str) -> str:
    """Return the address of the page of a root, a unit or an account."""
    return tree(entity_id, tab="policies") if entity_id.startswith(("r-", "ou-")) else account(entity_id, "policies")


def missing(request: Request, part: Part, title: str, *, back: str = FOLDER) -> Response:
    """Say that what the page is about is not there, or may not be seen."""
    return parts.missing(request, part, current=FOLDER, title=title, back=back)


def page(
    request: Request,
    template: str,
    *,
    same: Sequence[Equivalent],
    current: str = FOLDER,
    refusal: Refused | None = None,
    status: int = 200,
    **values: object,
) -> Response:
    """Render a page of the organization."""
    return frame.page(request, template, current=current, same=same, refusal=refusal, status=status, places=PLACES, **values)


PLACES = {
    "folder": FOLDER,
    "accounts": ACCOUNTS,
    "invitations": INVITATIONS,
    "policies": POLICIES,
    "settings": SETTINGS,
    "new_account": NEW_ACCOUNT,
    "invite": INVITE,
}
"""The addresses that templates link to."""
