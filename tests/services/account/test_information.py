"""What the account is called, and since when it exists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError


def test_an_account_knows_its_id_name_state_and_birth(crown):
    account = crown.account(name="Acme production")

    found = account.client("account").get_account_information()

    assert (account.id, "Acme production", "ACTIVE") == (found["AccountId"], found["AccountName"], found["AccountState"])
    assert timedelta(seconds=-1) < datetime.now(UTC) - found["AccountCreatedDate"] < timedelta(minutes=1)


def test_an_account_can_be_called_something_else(account):
    account.client("account").put_account_name(AccountName="Acme staging")

    found = account.root("account").get_account_information()

    assert "Acme staging" == found["AccountName"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 51, "<script>", "Ümlaut"])
def test_a_name_outside_of_its_limits_is_refused(account, name):
    client = account.client("account", parameter_validation=False)

    with pytest.raises(ClientError) as refusal:
        client.put_account_name(AccountName=name)

    assert "ValidationException" == refusal.value.response["Error"]["Code"]


def test_no_other_account_can_be_named(account):
    with pytest.raises(ClientError) as refusal:
        account.client("account").put_account_name(AccountName="mine now", AccountId="123456789012")

    assert "AccessDeniedException" == refusal.value.response["Error"]["Code"]
