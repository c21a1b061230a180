"""Accounts as the operator sees them: listed, closed at once, reopened in time, and purged without a trace but one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from sqlalchemy import func, select
from tests.alerts.office import settle

from crownkeep.storage import purge
from crownkeep.storage.database import Database
from crownkeep.storage.schema import metadata


def show(crown: Any, account_id: str) -> dict[str, Any]:
    answer = crown.operator("GET", f"/accounts/{account_id}")
    assert answer.status == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status, answer.header("x-amzn-errortype")


def test_an_account_is_shown_as_it_was_made(crown):
    account = crown.account(name="Acme")

    shown = show(crown, account.id)

    assert {
        "account_id": account.id,
        "name": "Acme",
        "state": "ACTIVE",
        "root_arn": f"arn:aws:iam::{account.id}:root",
        "root_email": account.email,
        "sign_in_url": account.created["sign_in_url"],
    } == {name: value for name, value in shown.items() if name != "created_at"}
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(shown["created_at"]) < timedelta(minutes=1)


def test_the_pages_of_a_list_hold_every_account_once_in_the_order_of_ids(fresh_crown):
    crown = fresh_crown()
    made = sorted(crown.account().id for _ in range(5))

    listed = []
    token: str | None = ""
    while token is not None:
        answer = crown.operator("GET", f"/accounts?max_results=2{token}").json()
        listed += [account["account_id"] for account in answer["accounts"]]
        token = f"&next_token={answer['next_token']}" if "next_token" in answer else None

    assert made == listed


@pytest.mark.parametrize("query", ["max_results=0", "max_results=1001", "max_results=x", "next_token=nonsense"])
def test_a_list_asked_for_wrongly_is_refused(crown, query):
    assert 400 == crown.operator("GET", f"/accounts?{query}").status


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/close"), ("POST", "/reopen"), ("DELETE", "")], ids=lambda text: text or "-"
)
def test_what_is_no_account_is_not_found(crown, method, path):
    assert (404, "ResourceNotFoundException") == code_of(crown.operator(method, f"/accounts/999900001111{path}"))
    assert (400, "ValidationException") == code_of(crown.operator(method, f"/accounts/12{path}"))


def test_of_a_closed_account_every_credential_fails_on_the_very_next_call(crown):
    account = crown.account()
    user = account.client("account")
    user.get_account_information()

    closed = crown.operator("POST", f"/accounts/{account.id}/close").json()

    assert "SUSPENDED" == closed["state"] == show(crown, account.id)["state"]
    for client in (user, account.root("account")):
        with pytest.raises(ClientError) as refusal:
            client.get_account_information()
        assert 403 == refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert (409, "ConflictException") == code_of(crown.operator("POST", f"/accounts/{account.id}/close"))


def test_a_reopened_account_is_as_it_was(crown):
    account = crown.account()
    crown.operator("POST", f"/accounts/{account.id}/close")

    opened = crown.operator("POST", f"/accounts/{account.id}/reopen").json()

    assert "ACTIVE" == opened["state"]
    assert "closed_at" not in opened
    assert account.id == account.client("account").get_account_information()["AccountId"]
    assert (409, "ConflictException") == code_of(crown.operator("POST", f"/accounts/{account.id}/reopen"))


def test_an_account_that_was_closed_for_more_than_ninety_days_stays_closed(crown):
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        early, late = crown.account(), crown.account()
        for account in (early, late):
            crown.operator("POST", f"/accounts/{account.id}/close")
        clock.shift(timedelta(days=90))
        in_time = crown.operator("POST", f"/accounts/{early.id}/reopen")
        clock.shift(timedelta(seconds=1))

        too_late = crown.operator("POST", f"/accounts/{late.id}/reopen")

    assert 200 == in_time.status
    assert (409, "ConflictException") == code_of(too_late)


def test_what_the_operator_does_to_an_account_is_in_the_accounts_trail(crown):
    account = crown.account()
    show(crown, account.id)
    crown.operator("POST", f"/accounts/{account.id}/close")
    crown.operator("POST", f"/accounts/{account.id}/reopen")

    record, *_ = records = account.records()

    assert ["ReopenAccount", "CloseAccount", "GetAccount", "CreateAccount"] == [each["eventName"] for each in records]
    assert {"type": "AWSService", "invokedBy": "crownkeep operator"} == record["userIdentity"]


def test_a_purged_account_leaves_no_row_and_its_neighbour_keeps_every_one(crown):
    account, neighbour = crown.account(), crown.account()
    for each in (account, neighbour):
        put_contact(each)
    # Notices leave by themselves.
    settle(crown)
    before = rows(crown, neighbour.id)
    assert rows(crown, account.id)

    answer = crown.operator("DELETE", f"/accounts/{account.id}")

    assert (204, b"") == (answer.status, answer.body)
    assert {"trail_withholdings": 1} == rows(crown, account.id)
    assert before == rows(crown, neighbour.id)


def test_that_an_account_was_purged_stays_in_the_operators_trail(crown):
    account = crown.account(name="Acme")

    crown.operator("DELETE", f"/accounts/{account.id}")

    (record,) = [each for each in crown.records("") if each["eventName"] == "PurgeAccount" and account.id in str(each)]
    assert {"account_id": account.id} == record["requestParameters"]
    assert ("Acme", account.email) == (record["additionalEventData"]["accountName"], record["additionalEventData"]["rootEmail"])


def test_the_id_and_the_address_of_a_purged_account_may_be_used_again_and_its_old_keys_may_not(crown):
    old = crown.account(account_id="444455556666", email="again@acme.example")
    crown.operator("DELETE", f"/accounts/{old.id}")

    new = crown.account(account_id="444455556666", email="again@acme.example")

    assert "444455556666" == new.client("account").get_account_information()["AccountId"]
    for client in (old.client("account"), old.root("account")):
        with pytest.raises(ClientError) as refusal:
            client.get_account_information()
        assert 403 == refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert ["CreateAccount"] == [each["eventName"] for each in new.records() if each["eventSource"] == "crownkeep"]


def test_no_session_of_a_purged_account_comes_alive_with_the_next_owner_of_its_id(crown):
    old = crown.account(account_id="777788889999")
    sessions = [
        old.root("sts").get_session_token(),
        old.client("sts").get_session_token(),
        old.root("sts").get_federation_token(Name="guest"),
        old.client("sts").get_federation_token(Name="guest"),
    ]
    crown.operator("DELETE", f"/accounts/{old.id}")

    crown.account(account_id="777788889999")

    for session in sessions:
        with pytest.raises(ClientError) as refusal:
            crown.session(session["Credentials"], "sts").get_caller_identity()
        assert "InvalidClientTokenId" == refusal.value.response["Error"]["Code"]


def test_purging_reaches_every_table_that_holds_anything_of_an_account():
    unreached = set(metadata.tables) - {table.name for table in purge.purged_tables()} - purge.OWNED_BY_NONE - purge.OF_THE_TRAIL

    assert set() == unreached


def test_no_table_is_scanned_to_purge_an_account():
    unindexed = [table.name for table in purge.purged_tables() if "account_id" not in leading_columns(table)]

    assert [] == unindexed


def leading_columns(table: Any) -> set[str]:
    indexes = [next(iter(index.columns)).name for index in table.indexes]
    unique = [next(iter(each.columns)).name for each in table.constraints if list(getattr(each, "columns", ()))]
    return {*indexes, *unique, *(column.name for column in list(table.primary_key.columns)[:1])}


def put_contact(account: Any) -> None:
    account.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", Name="Ada", Title="CISO", EmailAddress="a@b.example", PhoneNumber="1"
    )


def rows(crown: Any, account_id: str) -> dict[str, int]:
    database = Database(crown.settings.database_url)
    found: dict[str, int] = {}
    with database.snapshot() as db:
        for table in metadata.tables.values():
            # Leaves stay in the tree, and the sequencer moves them by itself.
            if "account_id" in table.columns and table.name not in ("trail_pending", "trail_leaves"):
                statement = select(func.count()).select_from(table).where(table.c.account_id == account_id)
                found[table.name] = db.execute(statement).scalar_one()
    database.close()
    return {name: count for name, count in found.items() if count}
