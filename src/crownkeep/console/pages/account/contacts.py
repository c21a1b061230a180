"""Contacts: whom the account belongs to, and whom to reach about billing, operations and security."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, contact_kinds, destinations, frame, undo, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.contact_kinds import ContactKind
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.errors import AwsError
from crownkeep.translation import gettext, gettext_noop

CONTACT = f"{destinations.ACCOUNT}/contact"


ALTERNATE_LABELS = {
    "Name": gettext_noop("Full name"),
    "Title": gettext_noop("Title"),
    "EmailAddress": gettext_noop("Email address"),
    "PhoneNumber": gettext_noop("Phone number"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """An input of a form: what its person should know, and what browsers may fill it with."""

    name: str
    label: str
    hint: str = ""
    autocomplete: str = "off"
    longest: int = 50
    is_required: bool = True
    type: str = "text"


PRIMARY_FIELDS = (
    Field("FullName", contact_kinds.LABELS["FullName"], autocomplete="name"),
    Field("CompanyName", contact_kinds.LABELS["CompanyName"], autocomplete="organization", is_required=False),
    Field("AddressLine1", contact_kinds.LABELS["AddressLine1"], autocomplete="address-line1", longest=60),
    Field("AddressLine2", contact_kinds.LABELS["AddressLine2"], autocomplete="address-line2", longest=60, is_required=False),
    Field("AddressLine3", contact_kinds.LABELS["AddressLine3"], autocomplete="address-line3", longest=60, is_required=False),
    Field("City", contact_kinds.LABELS["City"], autocomplete="address-level2"),
    Field(
        "StateOrRegion",
        contact_kinds.LABELS["StateOrRegion"],
        gettext_noop("Needed in the United States, Canada, the United Kingdom, Germany, Japan, India and Brazil."),
        autocomplete="address-level1",
        is_required=False,
    ),
    Field("DistrictOrCounty", contact_kinds.LABELS["DistrictOrCounty"], is_required=False),
    Field("PostalCode", contact_kinds.LABELS["PostalCode"], autocomplete="postal-code", longest=20),
    Field(
        "CountryCode",
        contact_kinds.LABELS["CountryCode"],
        gettext_noop("Two letters, such as DE or US."),
        autocomplete="country",
        longest=2,
    ),
    Field(
        "PhoneNumber",
        contact_kinds.LABELS["PhoneNumber"],
        gettext_noop("With the country's code: +49 30 123456."),
        "tel",
        20,
        type="tel",
    ),
    Field("WebsiteUrl", contact_kinds.LABELS["WebsiteUrl"], longest=256, is_required=False),
)
ALTERNATE_FIELDS = (
    Field("Name", ALTERNATE_LABELS["Name"], longest=64),
    Field("Title", ALTERNATE_LABELS["Title"], gettext_noop("What this person does, such as Head of security.")),
    Field(
        "EmailAddress",
        ALTERNATE_LABELS["EmailAddress"],
        gettext_noop("A shared mailbox outlives people."),
        longest=254,
        type="email",
    ),
    Field("PhoneNumber", ALTERNATE_LABELS["PhoneNumber"], longest=25, type="tel"),
)


async def edit_primary(request: Request) -> Response:
    """Show the primary contact's form."""
    found = await contact_kinds.primary(request)
    unknown = found if isinstance(found, Refused) else None
    return _primary_page(request, {} if isinstance(found, Refused) else found, unknown=unknown)


async def save_primary(request: Request) -> Response:
    """Keep the primary contact, whole."""
    typed = _typed(request, PRIMARY_FIELDS)
    wanted, held = _keeping(typed), await contact_kinds.primary(request)
    # AWS has no call that takes a primary contact away, so the first one stays.
    back = [_keeping(held)] if held and not isinstance(held, Refused) else []
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return _primary_page(request, typed, refusal=calls.refused(request, wanted, error))
    return calls.go(request, destinations.ACCOUNT, done, undo=undo.offer(request, back, then=destinations.ACCOUNT))


async def edit_alternate(request: Request) -> Response:
    """Show an alternate contact's form."""
    kind = _kind(request)
    found = await contact_kinds.alternate(request, kind)
    unknown = found if isinstance(found, Refused) else None
    return _alternate_page(request, kind, {} if isinstance(found, Refused) else found, unknown=unknown)


async def save_alternate(request: Request) -> Response:
    """Keep an alternate contact."""
    kind, typed = _kind(request), _typed(request, ALTERNATE_FIELDS)
    return await _change_alternate(request, kind, typed, _keeping_alternate(kind, typed))


async def delete_alternate(request: Request) -> Response:
    """Forget an alternate contact."""
    kind = _kind(request)
    web.form(request)
    return await _change_alternate(request, kind, {}, _forgetting(kind))


async def _change_alternate(request: Request, kind: ContactKind, typed: Mapping[str, str], wanted: Equivalent) -> Response:
    held = await contact_kinds.alternate(request, kind)
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return _alternate_page(request, kind, typed, refusal=calls.refused(request, wanted, error))
    back = [] if isinstance(held, Refused) else [_keeping_alternate(kind, held) if held else _forgetting(kind)]
    return calls.go(request, destinations.ACCOUNT, done, undo=undo.offer(request, back, then=destinations.ACCOUNT))


def _kind(request: Request) -> ContactKind:
    found = next((kind for kind in contact_kinds.KINDS if kind.slug == request.path_params["kind"]), None)
    if found is None:
        raise HTTPException(404)
    return found


def _typed(request: Request, fields: tuple[Field, ...]) -> dict[str, str]:
    """Return what was typed; what is empty is absent, for AWS takes no empty members."""
    form = web.form(request)
    typed = {field.name: form.one(field.name).strip() for field in fields}
    return {name: text for name, text in typed.items() if text}


def _keeping(typed: Mapping[str, str]) -> Equivalent:
    return Equivalent("account", "PutContactInformation", {"ContactInformation": dict(typed)})


def _keeping_alternate(kind: ContactKind, typed: Mapping[str, str]) -> Equivalent:
    kept = {name: typed[name] for name in ALTERNATE_LABELS if name in typed}
    return Equivalent("account", "PutAlternateContact", {"AlternateContactType": kind.type, **kept})


def _forgetting(kind: ContactKind) -> Equivalent:
    return Equivalent("account", "DeleteAlternateContact", {"AlternateContactType": kind.type})


def _primary_page(
    request: Request, values: Mapping[str, str], *, unknown: Refused | None = None, refusal: Refused | None = None
) -> Response:
    return frame.page(
        request,
        "contact.html",
        current=destinations.ACCOUNT,
        same=[_keeping(values)],
        refusal=refusal,
        unknown=unknown,
        heading=gettext("Contact information"),
        purpose=gettext("Whom the account belongs to. Saving replaces all of it: what is left empty is gone."),
        action=CONTACT,
        fields=PRIMARY_FIELDS,
        values=values,
        is_deletable=False,
    )


def _alternate_page(
    request: Request,
    kind: ContactKind,
    values: Mapping[str, str],
    *,
    unknown: Refused | None = None,
    refusal: Refused | None = None,
) -> Response:
    return frame.page(
        request,
        "contact.html",
        current=destinations.ACCOUNT,
        same=[_keeping_alternate(kind, values), _forgetting(kind)],
        refusal=refusal,
        unknown=unknown,
        heading=gettext(kind.heading),
        purpose=gettext(kind.purpose),
        action=contact_kinds.ALTERNATE.format(kind=kind.slug),
        fields=ALTERNATE_FIELDS,
        values=values,
        is_deletable=bool(values) and refusal is None,
    )


ROUTES = [
    Route(CONTACT, edit_primary, methods=["GET"]),
    Route(CONTACT, save_primary, methods=["POST"]),
    Route(contact_kinds.ALTERNATE, edit_alternate, methods=["GET"]),
    Route(contact_kinds.ALTERNATE, save_alternate, methods=["POST"]),
    Route(f"{contact_kinds.ALTERNATE}/delete", delete_alternate, methods=["POST"]),
]
