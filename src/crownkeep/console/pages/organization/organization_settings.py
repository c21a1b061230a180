"""Settings of the organization: trusted services, delegated administrators, central root access, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, parts, web
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext, gettext_noop

_FEATURES = {
    "RootCredentialsManagement": (
        gettext_noop("Manage root credentials centrally"),
        gettext_noop("Administrators of the organization take members' root credentials away, and let one be recovered."),
    ),
    "RootSessions": (
        gettext_noop("Privileged root tasks"),
        gettext_noop("Administrators of the organization unlock buckets and queues of members as their root user."),
    ),
}


async def show(request: Request) -> Response:
    """Show who works in all accounts, and who administers what for them."""
    web.signed_in(request)
    about, services, delegates, features = await asyncio.gather(
        places.described(request),
        places.ask(request, "ListAWSServiceAccessForOrganization", MaxResults=places.MOST),
        places.ask(request, "ListDelegatedAdministrators", MaxResults=places.MOST),
        parts.ask(request, "ListOrganizationsFeatures"),
    )
    administered = await _administered(request, [str(each["Id"]) for each in delegates.rows("DelegatedAdministrators")])
    return places.page(
        request,
        "organization_settings.html",
        current=places.SETTINGS,
        same=[*parts.equivalents([about, services, delegates, features, *administered.values()]), *_CHANGES],
        administered=administered,
        about=about,
        services=services,
        delegates=delegates,
        features=features,
        known_features=_FEATURES,
        account=places.account,
    )


async def _administered(request: Request, account_ids: Sequence[str]) -> dict[str, Part]:
    """Return which services each delegated administrator administers, by account; a page lists 20 of them at most."""
    asked = await asyncio.gather(
        *(places.ask(request, "ListDelegatedServicesForAccount", AccountId=each, MaxResults=places.MOST) for each in account_ids)
    )
    return dict(zip(account_ids, asked, strict=True))


_CHANGES = (
    places.call("EnableAWSServiceAccess", ServicePrincipal="SERVICE"),
    places.call("RegisterDelegatedAdministrator", AccountId="ACCOUNT", ServicePrincipal="SERVICE"),
    Equivalent("iam", "EnableOrganizationsRootCredentialsManagement"),
)


async def service_enabled(request: Request) -> Response:
    """Let a service work in all accounts."""
    return await _service(request, "EnableAWSServiceAccess", "DisableAWSServiceAccess")


async def service_disabled(request: Request) -> Response:
    """Let a service work in all accounts no more."""
    return await _service(request, "DisableAWSServiceAccess", "EnableAWSServiceAccess")


async def _service(request: Request, operation: str, reverse: str) -> Response:
    named = parts.entered(request, "service")["service"]
    wanted, back = (places.call(each, ServicePrincipal=named) for each in (operation, reverse))
    return await parts.change(request, [wanted], then=places.SETTINGS, current=places.FOLDER, back=[back])


async def delegate_registered(request: Request) -> Response:
    """Let a member administer a service for the organization."""
    return await _delegate(request, "RegisterDelegatedAdministrator", "DeregisterDelegatedAdministrator")


async def delegate_deregistered(request: Request) -> Response:
    """Let a member administer a service no more."""
    return await _delegate(request, "DeregisterDelegatedAdministrator", "RegisterDelegatedAdministrator")


async def _delegate(request: Request, operation: str, reverse: str) -> Response:
    entered = parts.entered(request, "account", "service")
    named = {"AccountId": entered["account"].replace("-", ""), "ServicePrincipal": entered["service"]}
    wanted, back = (places.call(each, **named) for each in (operation, reverse))
    return await parts.change(request, [wanted], then=places.SETTINGS, current=places.FOLDER, back=[back])


_SWITCHES = {
    "RootCredentialsManagement": (
        "EnableOrganizationsRootCredentialsManagement",
        "DisableOrganizationsRootCredentialsManagement",
    ),
    "RootSessions": ("EnableOrganizationsRootSessions", "DisableOrganizationsRootSessions"),
}
"""What switches a feature of central root access on, and what switches it off."""


async def feature_enabled(request: Request) -> Response:
    """Switch a feature of central root access on."""
    on, off = _SWITCHES[_feature(request)]
    return await _switched(request, on, off)


async def feature_disabled(request: Request) -> Response:
    """Switch a feature of central root access off: sessions for it end at once."""
    on, off = _SWITCHES[_feature(request)]
    return await _switched(request, off, on)


def _feature(request: Request) -> str:
    feature = web.form(request).one("feature")
    if feature not in _SWITCHES:
        raise MalformedForm(gettext("there is no such feature"))
    return feature


async def _switched(request: Request, operation: str, reverse: str) -> Response:
    wanted, back = Equivalent("iam", operation), Equivalent("iam", reverse)
    return await parts.change(request, [wanted], then=places.SETTINGS, current=places.FOLDER, back=[back])


async def deleted(request: Request) -> Response:
    """Delete an organization in which no other account is, once its id was typed and its person has proved to be there."""
    web.proven(request)
    about = await places.described(request)
    word = str(about.one("Organization").get("Id", "")) or "delete"
    text = gettext("Its units and policies are gone for good. Only an organization with no other account can be deleted.")
    danger.require(
        request, Ending(word, gettext("Delete the organization?"), text, gettext("Delete organization"), places.SETTINGS)
    )
    wanted = places.call("DeleteOrganization")
    return await parts.change(request, [wanted], then=places.FOLDER, current=places.FOLDER)


ROUTES = [
    Route(places.SETTINGS, show, methods=["GET"]),
    Route(f"{places.SETTINGS}/service", service_enabled, methods=["POST"]),
    Route(f"{places.SETTINGS}/service-off", service_disabled, methods=["POST"]),
    Route(f"{places.SETTINGS}/delegate", delegate_registered, methods=["POST"]),
    Route(f"{places.SETTINGS}/delegate-off", delegate_deregistered, methods=["POST"]),
    Route(f"{places.SETTINGS}/feature", feature_enabled, methods=["POST"]),
    Route(f"{places.SETTINGS}/feature-off", feature_disabled, methods=["POST"]),
    Route(f"{places.SETTINGS}/delete", deleted, methods=["POST"]),
]
