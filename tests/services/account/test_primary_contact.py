"""The primary contact: replaced whole, spelled as AWS spells it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

LEAST = {
    "FullName": "Acme Corporation",
    "AddressLine1": "1 Main Street",
    "City": "Vienna",
    "PostalCode": "1010",
    "CountryCode": "AT",
    "PhoneNumber": "+43 1 5880-0",
}
ALL = LEAST | {
    "AddressLine2": "Stair 2",
    "AddressLine3": "Door 3",
    "StateOrRegion": "Wien",
    "DistrictOrCounty": "Innere Stadt",
    "CompanyName": "Acme",
    "WebsiteUrl": "https://acme.example",
}


def put(account: Any, **changes: str) -> None:
    account.client("account").put_contact_information(ContactInformation=ALL | changes)


def get(account: Any) -> dict[str, str]:
    found: dict[str, str] = account.client("account").get_contact_information()["ContactInformation"]
    return found


def refused(account: Any, contact: dict[str, str]) -> dict[str, Any]:
    with pytest.raises(ClientError) as refusal:
        account.client("account").put_contact_information(ContactInformation=contact)
    answer: dict[str, Any] = refusal.value.response
    assert answer["Error"]["Code"] == "ValidationException"
    assert answer["reason"] == "fieldValidationFailed"
    return answer


def test_a_contact_is_answered_as_it_was_put(account):
    put(account)

    assert ALL == get(account)


def test_an_account_has_no_contact_before_it_gives_one(account):
    with pytest.raises(ClientError) as refusal:
        get(account)

    assert "ResourceNotFoundException" == refusal.value.response["Error"]["Code"]


def test_what_is_left_out_is_gone(account):
    put(account)

    account.client("account").put_contact_information(ContactInformation=LEAST)

    assert LEAST == get(account)


def test_white_space_is_taken_off_and_the_country_is_written_in_capitals(account):
    put(account, FullName="  Acme Corporation ", City=" Graz", PhoneNumber="+43 316 ", CountryCode="at", CompanyName=" Acme ")

    changes = {"City": "Graz", "PhoneNumber": "+43 316", "CompanyName": " Acme "}
    assert ALL | changes == get(account)


@pytest.mark.parametrize("country", ["US", "ca", "GB", "DE", "JP", "IN", "BR"])
def test_where_addresses_need_a_state_it_is_required(account, country):
    answer = refused(account, LEAST | {"CountryCode": country})

    assert ["contactInformation.stateOrRegion"] == [field["name"] for field in answer["fieldList"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [("FullName", "   "), ("StateOrRegion", "\t"), ("CountryCode", "A1"), ("CountryCode", "ÖÖ"), ("PhoneNumber", "0316 12")],
)
def test_a_field_that_says_nothing_or_nonsense_is_named_in_the_refusal(account, field, value):
    answer = refused(account, ALL | {field: value})

    assert [f"contactInformation.{field[:1].lower()}{field[1:]}"] == [each["name"] for each in answer["fieldList"]]


def test_a_refused_contact_leaves_the_old_one_as_it_was(account):
    put(account)

    refused(account, LEAST | {"CountryCode": "US"})

    assert ALL == get(account)
