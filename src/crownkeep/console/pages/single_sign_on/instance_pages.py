"""What the pages of single sign-on share: their addresses, the instance that they are about, and how they ask its services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part

HOME = "/console/single-sign-on"
PEOPLE = f"{HOME}/people"
GROUPS = f"{HOME}/groups"
SETS = f"{HOME}/permission-sets"
ASSIGNMENTS = f"{HOME}/assignments"
EXISTING = f"{HOME}/existing-roles"
PLACES = {"home": HOME, "people": PEOPLE, "groups": GROUPS, "sets": SETS, "assignments": ASSIGNMENTS, "existing": EXISTING}

STORE, DIRECTORY, ADMIN = "identitystore", "sso-directory", "sso-admin"


@dataclass(frozen=True, slots=True)
class ManagedInstance:
    """The instance that the signed-in account administers; ids are empty where there is none, or it may not be seen."""

    listed: Part
    arn: str = ""
    store_id: str = ""
    owner_id: str = ""

    @property
    def of_store(self) -> dict[str, str]:
        """The parameter that names its identity store."""
        return {"IdentityStoreId": self.store_id}

    @property
    def of_instance(self) -> dict[str, str]:
        """The parameter that names it."""
        return {"InstanceArn": self.arn}


async def managed(request: Request) -> ManagedInstance:
    """Return the instance that the account administers: the organization's that is delegated to it before its own."""
    listed = await parts.ask(request, "ListInstances", service=ADMIN)
    own = web.signed_in(request).principal.account_id
    found = sorted(listed.rows("Instances"), key=lambda each: each["OwnerAccountId"] == own)
    if not found:
        return ManagedInstance(listed)
    first = found[0]
    return ManagedInstance(listed, first["InstanceArn"], first["IdentityStoreId"], first["OwnerAccountId"])


async def ask(request: Request, service: str, operation: str, **parameters: object) -> Part:
    """Ask for a part of a page."""
    return await parts.ask(request, operation, service=service, **parameters)


def person(user_id: str, tab: str = "") -> str:
    """Return the address of one person's page."""
    return parts.address(f"{PEOPLE}/one", id=user_id, tab=tab)


def group(group_id: str) -> str:
    """Return the address of one group's page."""
    return parts.address(f"{GROUPS}/one", id=group_id)


def permission_set(arn: str) -> str:
    """Return the address of one permission set's page."""
    return parts.address(f"{SETS}/one", arn=arn)


def page(
    request: Request,
    template: str,
    *,
    current: str,
    same: Sequence[Equivalent],
    refusal: Refused | None = None,
    status: int = 200,
    **values: object,
) -> Response:
    """Render a page of single sign-on."""
    return frame.page(
        request,
        template,
        current=current,
        same=same,
        refusal=refusal,
        status=status,
        sso=PLACES,
        person=person,
        group=group,
        permission_set=permission_set,
        **values,
    )


def without_instance(request: Request, found: ManagedInstance, current: str) -> Response:
    """Say that there is no instance, or that it may not be seen."""
    return page(request, "sso_without.html", current=current, same=[found.listed.call], listed=found.listed)
