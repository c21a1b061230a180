"""Alternate contacts: one of each type, AWS's answers where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

TYPES = ["BILLING", "OPERATIONS", "SECURITY"]
CONTACT = {"Name": "Ada Lovelace", "Title": "CISO", "EmailAddress": "Security@Acme.example", "PhoneNumber": "+44 (0)20 7946-0000"}


def put(client: Any, kind: str = "SECURITY", **changes: str) -> None:
    client.put_alternate_contact(AlternateContactType=kind, **CONTACT | changes)


def get(client: Any, kind: str = "SECURITY", **options: str) -> dict[str, str]:
    found: dict[str, str] = client.get_alternate_contact(AlternateContactType=kind, **options)["AlternateContact"]
    return found


@pytest.mark.parametrize("kind", TYPES)
def test_a_contact_is_answered_as_it_was_put(account, kind):
    put(account.client("account"), kind)

    found = get(account.client("account"), kind)

    assert CONTACT | {"AlternateContactType": kind} == found


def test_a_contact_takes_the_place_of_the_one_of_its_type_and_of_no_other(account):
    client = account.client("account")
    put(client, "SECURITY")
    put(client, "BILLING")

    put(client, "SECURITY", Name="Grace Hopper")

    assert "Grace Hopper" == get(client, "SECURITY")["Name"]
    assert "Ada Lovelace" == get(client, "BILLING")["Name"]


def test_white_space_around_an_email_address_is_taken_off_and_its_case_kept(account):
    put(account.client("account"), EmailAddress="  Security@Acme.example\t")

    found = get(account.client("account"))

    assert "Security@Acme.example" == found["EmailAddress"]


def test_a_contact_that_is_not_there_is_not_found(account):
    with pytest.raises(ClientError) as refusal:
        get(account.client("account"))

    error = refusal.value.response
    assert "ResourceNotFoundException" == error["Error"]["Code"]
    assert "No contact of the inputted alternate contact type found." == error["Error"]["Message"]
    assert 404 == error["ResponseMetadata"]["HTTPStatusCode"]


def test_a_deleted_contact_is_gone_and_can_not_be_deleted_again(account):
    client = account.client("account")
    put(client)

    client.delete_alternate_contact(AlternateContactType="SECURITY")

    for call in (client.get_alternate_contact, client.delete_alternate_contact):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call(AlternateContactType="SECURITY")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Name", "x" * 65),
        ("Title", "x" * 51),
        ("EmailAddress", "no address"),
        ("EmailAddress", "x" * 250 + "@b.cc"),
        ("PhoneNumber", "call me"),
        ("PhoneNumber", "1" * 26),
    ],
)
def test_a_field_outside_of_its_limits_is_named_in_the_refusal(account, field, value):
    client = account.client("account")

    with pytest.raises(ClientError) as refusal:
        put(client, **{field: value})

    answer = refusal.value.response
    assert "ValidationException" == answer["Error"]["Code"]
    assert "fieldValidationFailed" == answer["reason"]
    assert [field[:1].lower() + field[1:]] == [each["name"] for each in answer["fieldList"]]


def test_what_a_refusal_says_does_not_repeat_the_sensitive_value(account):
    with pytest.raises(ClientError) as refusal:
        put(account.client("account"), PhoneNumber="my secret number")

    assert "my secret number" not in str(refusal.value.response)


def test_a_contact_is_not_spelled_out_in_the_trail(account):
    put(account.client("account"))

    record = account.records(limit=1)[0]

    assert "PutAlternateContact" == record["eventName"]
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" == record["requestParameters"]["emailAddress"]
    assert "SECURITY" == record["requestParameters"]["alternateContactType"]


def test_an_account_outside_of_an_organization_may_name_no_account_not_even_its_own(account):
    for named in (account.id, "123456789012"):
        with pytest.raises(ClientError) as refusal:
            get(account.root("account"), AccountId=named)

        error = refusal.value.response["Error"]
        assert "AccessDeniedException" == error["Code"]
        expected = f"User: arn:aws:iam::{account.id}:root is not authorized to perform: account:GetAlternateContact"
        assert expected == error["Message"]


def test_the_contacts_of_one_account_are_not_seen_from_another(crown):
    first, second = crown.account(), crown.account()
    put(first.client("account"))

    with pytest.raises(ClientError) as refusal:
        get(second.client("account"))

    assert "ResourceNotFoundException" == refusal.value.response["Error"]["Code"]


def test_a_user_without_permissions_is_denied_in_awss_words(account):
    user = account.user("bob")

    with pytest.raises(ClientError) as refusal:
        put(user.client("account"))

    assert refusal.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"User: {user.arn} is not authorized to perform: account:PutAlternateContact "
        f"on resource: arn:aws:account::{account.id}:account "
        "because no identity-based policy allows the account:PutAlternateContact action",
    }


def test_a_policy_can_allow_one_type_of_contact_alone(account):
    condition = {"ForAnyValue:StringEquals": {"account:AlternateContactTypes": "SECURITY"}}
    statement = {"Effect": "Allow", "Action": "account:PutAlternateContact", "Resource": "*", "Condition": condition}
    user = account.user("bob", policy={"Version": "2012-10-17", "Statement": [statement]})

    put(user.client("account"), "SECURITY")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        put(user.client("account"), "BILLING")
