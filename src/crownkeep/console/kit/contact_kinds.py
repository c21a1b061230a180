"""Contacts as several pages ask for them: whom the account belongs to, and its alternate contacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.console.kit import calls, destinations
from crownkeep.console.kit.calls import Found, Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext_noop

ALTERNATE = f"{destinations.ACCOUNT}/alternate-contacts/{{kind}}"
PRIMARY = Equivalent("account", "GetContactInformation")
LABELS = {
    "FullName": gettext_noop("Full name"),
    "CompanyName": gettext_noop("Company"),
    "AddressLine1": gettext_noop("Address line 1"),
    "AddressLine2": gettext_noop("Address line 2"),
    "AddressLine3": gettext_noop("Address line 3"),
    "City": gettext_noop("City"),
    "StateOrRegion": gettext_noop("State or region"),
    "DistrictOrCounty": gettext_noop("District or county"),
    "PostalCode": gettext_noop("Postal code"),
    "CountryCode": gettext_noop("Country code"),
    "PhoneNumber": gettext_noop("Phone number"),
    "WebsiteUrl": gettext_noop("Website"),
}
"""The primary contact's members, in the order of the form."""


@dataclass(frozen=True, slots=True)
class ContactKind:
    """A kind of alternate contact."""

    slug: str
    type: str
    label: str
    heading: str
    purpose: str


KINDS = (
    ContactKind(
        "billing",
        "BILLING",
        gettext_noop("Billing"),
        gettext_noop("Billing contact"),
        gettext_noop("Hears of invoices and payments."),
    ),
    ContactKind(
        "operations",
        "OPERATIONS",
        gettext_noop("Operations"),
        gettext_noop("Operations contact"),
        gettext_noop("Hears of outages and of what is about to change."),
    ),
    ContactKind(
        "security",
        "SECURITY",
        gettext_noop("Security"),
        gettext_noop("Security contact"),
        gettext_noop("Hears of leaked keys and abuse, where minutes count."),
    ),
)


async def primary(request: Request) -> Mapping[str, str] | Refused:
    """Return the primary contact by the model's members; empty where the account has none."""
    return _member_of(await calls.ask(request, PRIMARY.service, PRIMARY.operation), "ContactInformation")


async def alternate(request: Request, kind: ContactKind) -> Mapping[str, str] | Refused:
    """Return an alternate contact by the model's members; empty where the account has none of this kind."""
    call = alternate_call(kind)
    return _member_of(await calls.ask(request, call.service, call.operation, call.parameters), "AlternateContact")


def alternate_call(kind: ContactKind) -> Equivalent:
    """Return the call that asks for an alternate contact."""
    return Equivalent("account", "GetAlternateContact", {"AlternateContactType": kind.type})


def _member_of(found: Found | Refused, member: str) -> Mapping[str, str] | Refused:
    if not isinstance(found, Refused):
        answer: Mapping[str, str] = found[member]
        return answer
    # The Account API refuses where there is no such contact; on a page that is an empty form, and no refusal.
    return {} if found.code == "ResourceNotFoundException" else found
