"""The primary contact: the name and the address that the account belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.account import refusals, subject
from crownkeep.services.account.service import account
from crownkeep.storage.accounts import contacts
from crownkeep.storage.accounts.contacts import PrimaryContactRow

# Where an address has no use without its state (Account Management reference, "ContactInformation").
_STATE_REQUIRED = frozenset({"US", "CA", "GB", "DE", "JP", "IN", "BR"})

# The members from which AWS takes the white space around them off (seen on AWS).
_TRIMMED = frozenset({"FullName", "AddressLine1", "City", "StateOrRegion", "PostalCode", "PhoneNumber"})

_COLUMNS = {
    "FullName": "full_name",
    "AddressLine1": "address_line_1",
    "AddressLine2": "address_line_2",
    "AddressLine3": "address_line_3",
    "City": "city",
    "StateOrRegion": "state_or_region",
    "DistrictOrCounty": "district_or_county",
    "PostalCode": "postal_code",
    "CountryCode": "country_code",
    "PhoneNumber": "phone_number",
    "CompanyName": "company_name",
    "WebsiteUrl": "website_url",
}


@account.operation("PutContactInformation", resource=subject.own_account, effect=Effect.STATE)
def put_contact_information(call: Call, *, contact_information: Mapping[str, str], account_id: str | None = None) -> Result:
    """Keep the primary contact in the place of the old one, whole: what is left out is gone."""
    owner = subject.account_of(call, account_id, operation="PutContactInformation")
    given = {name: value.strip() if name in _TRIMMED else value for name, value in contact_information.items()}
    given["CountryCode"] = given["CountryCode"].upper()
    _check(given)
    row = PrimaryContactRow(account_id=owner, **{column: given.get(name) for name, column in _COLUMNS.items()})  # type: ignore[arg-type]  # the model requires what the row does
    if not contacts.change_primary(call.db, row):
        contacts.add_primary(call.db, row)
    return NOTHING


@account.operation("GetContactInformation", resource=subject.own_account)
def get_contact_information(call: Call, *, account_id: str | None = None) -> Result:
    """Return the primary contact, which an account that never gave one has not."""
    owner = subject.account_of(call, account_id, operation="GetContactInformation")
    row = contacts.primary(call.db, owner)
    if row is None:
        raise errors.ResourceNotFound("No contact information found for the account.")
    kept = {name: getattr(row, column) for name, column in _COLUMNS.items()}
    return {"ContactInformation": {name: value for name, value in kept.items() if value is not None}}


def _check(given: Mapping[str, str]) -> None:
    for name in given:
        if not given[name]:
            raise refusals.field(_way(name), f"{name} must not be blank.")
    country = given["CountryCode"]
    if not (country.isascii() and country.isalpha()):
        raise refusals.field(_way("CountryCode"), "CountryCode must be an ISO-3166 two-letter country code.")
    if country in _STATE_REQUIRED and "StateOrRegion" not in given:
        raise refusals.field(_way("StateOrRegion"), f"StateOrRegion is required for the country code {country}.")


def _way(member: str) -> str:
    return f"contactInformation.{member[:1].lower()}{member[1:]}"
