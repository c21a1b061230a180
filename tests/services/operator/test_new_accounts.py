"""Making accounts: what the operator is told, what the account's people can then do, and what is refused."""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from botocore.exceptions import ClientError

from crownkeep.credentials import breached, passwords
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials.access_keys import account_of
from crownkeep.credentials.secret import Secret
from crownkeep.signin.password_rules import BREACHED_FILE
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Database
from crownkeep.storage.identities import users
from crownkeep.storage.policies import attachments
from crownkeep.storage.sign_in import one_time_links

_numbers = itertools.count(1)


def wanted(**options: Any) -> dict[str, Any]:
    return {"email": f"new-{next(_numbers)}@accounts.example", "name": "Acme"} | options


def create(crown: Any, **options: Any) -> dict[str, Any]:
    answer = crown.operator("POST", "/accounts", wanted(**options))
    assert answer.status == 201, answer.text
    reply: dict[str, Any] = answer.json()
    return reply


def refused(crown: Any, **options: Any) -> tuple[int, str, str]:
    answer = crown.operator("POST", "/accounts", wanted(**options))
    return answer.status, answer.header("x-amzn-errortype"), answer.json()["message"]


def test_the_least_account_has_a_root_user_with_a_link_and_no_key(crown):
    answer = create(crown, email="Root@Least.example")

    account_id = answer["account_id"]
    assert re.fullmatch(r"[1-9][0-9]{11}", account_id)
    assert {"account_id", "root_arn", "root_email", "sign_in_url", "set_password_url"} == set(answer)
    assert (f"arn:aws:iam::{account_id}:root", "Root@Least.example") == (answer["root_arn"], answer["root_email"])
    assert all(answer[name].startswith(f"{crown.settings.url}/signin") for name in ("sign_in_url", "set_password_url"))


def test_an_administrator_and_root_get_keys_that_carry_their_account(crown):
    answer = create(crown, account_id="000000000042", admin_user="Chief", root_access_key=True)

    assert "Chief" == answer["admin"]["user_name"]
    assert {"000000000042"} == {account_of(answer[whose]["access_key_id"]) for whose in ("admin", "root")}
    session = crown.session(answer["admin"], "account")
    assert "000000000042" == session.get_account_information()["AccountId"]
    crown.session(answer["root"], "account").put_account_name(AccountName="Acme")


def test_the_administrator_is_a_user_with_administrator_access_attached(crown):
    answer = create(crown, admin_user="Chief")

    with Database(crown.settings.database_url).snapshot() as db:
        user = users.named(db, answer["account_id"], "chief")
        attached = attachments.of_owner(db, answer["account_id"], user.user_id)
    assert ["arn:aws:iam::aws:policy/AdministratorAccess"] == [row.policy_arn for row in attached]


def test_of_the_link_only_a_digest_is_kept_for_a_week(crown):
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False):
        answer = create(crown)

    token = parse_qs(urlsplit(answer["set_password_url"]).query)["token"][0]
    digest = links.digest_of(token, links.LinkPurpose.SET_ROOT_PASSWORD)
    with Database(crown.settings.database_url).snapshot() as db:
        row = one_time_links.with_digest(db, digest)
    assert (answer["account_id"], "2026-12-01T12:00:00+00:00") == (row.account_id, row.expires_at.isoformat())
    assert token.encode() not in row.digest


def test_a_root_password_is_hashed_and_then_no_link_lies_about(crown):
    answer = create(crown, root_password="correct Horse 7 battery")

    assert "set_password_url" not in answer
    with Database(crown.settings.database_url).snapshot() as db:
        row = accounts.with_id(db, answer["account_id"])
    assert row
    assert row.root_password_hash
    assert passwords.verify(Secret("correct Horse 7 battery"), row.root_password_hash)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Sh0rt!", "minimum length of 8"),
        ("alllowercase", "more of the following requirements"),
        ("Weak-1@accounts.example", "same as the account name, email address"),
        ("Password123", "one of the most used passwords"),
        ("Summer2026!", "easy to guess"),
        ("Summer2026!!", "easy to guess"),
    ],
)
def test_a_root_password_that_breaks_the_rules_is_refused_without_being_repeated(crown, password, reason):
    status, code, message = refused(crown, email="weak-1@accounts.example", root_password=password)

    assert (400, "ValidationException") == (status, code)
    assert reason in message
    assert password not in message


def test_a_breached_root_password_is_refused_as_the_page_refuses_it(fresh_crown):
    crown = fresh_crown()
    entries = b"".join(breached.entries([hashlib.sha1(b"correct Horse 7 battery").hexdigest().encode() + b":3"]))
    (crown.settings.data_directory / BREACHED_FILE).write_bytes(breached.header(1) + entries)

    status, _, message = refused(crown, root_password="correct Horse 7 battery")

    assert (400, True) == (status, "known data breach" in message)


def test_neither_password_nor_key_nor_link_is_in_the_trail(crown):
    answer = create(crown, admin_user="admin", root_access_key=True, root_password="correct Horse 7 battery")
    linked = create(crown)

    for account in (answer, linked):
        record = crown.records(account["account_id"])[0]
        assert ("CreateAccount", "crownkeep") == (record["eventName"], record["eventSource"])
        assert {"type": "AWSService", "invokedBy": "crownkeep operator"} == record["userIdentity"]
        secrets = [answer["admin"]["secret_access_key"], answer["root"]["secret_access_key"], "correct Horse"]
        secrets += [linked["set_password_url"]]
        assert not [secret for secret in secrets if secret in str(record)]


def test_two_accounts_never_share_an_email_address_whatever_its_case(crown):
    create(crown, email="Shared@Acme.example")

    status, code, message = refused(crown, email="shared@ACME.example")

    assert (409, "ConflictException") == (status, code)
    assert "another account has the e-mail address `shared@ACME.example`; give this one an address of its own" == message


def test_an_account_id_is_used_once(crown):
    create(crown, account_id="111122223333")

    status, code, message = refused(crown, account_id="111122223333")

    assert (409, "ConflictException") == (status, code)
    assert message.startswith("there is an account `111122223333` already")


@pytest.mark.parametrize(
    "options",
    [
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "with space@acme.example"},
        {"email": f"{'x' * 60}@acme.example"},
        {"email": None},
        {"name": ""},
        {"name": "x" * 51},
        {"name": "<b>"},
        {"account_id": "1234"},
        {"account_id": "12345678901x"},
        {"account_id": "١٢٣٤٥٦٧٨٩٠١٢"},
        {"admin_user": "no spaces"},
        {"admin_user": "x" * 65},
        {"root_access_key": "yes please"},
        {"root_password": "x" * 129},
    ],
)
def test_what_breaks_a_limit_is_refused_and_nothing_is_made(crown, options):
    before = len(crown.records("", limit=1_000_000))

    status, code, _ = refused(crown, **options)

    assert 400 == status
    assert code in {"ValidationException", "SerializationException"}
    assert before < len(crown.records("", limit=1_000_000))


def test_what_was_refused_is_recorded_in_the_operators_own_trail(crown):
    before = {each["eventID"] for each in crown.records("")}
    refused(crown, name="<b>")

    (record,) = [each for each in crown.records("") if each["eventName"] == "CreateAccount" and each["eventID"] not in before]

    assert record["errorMessage"].startswith("1 validation error detected")


@pytest.mark.parametrize("token", [None, "", "Bearer", "Bearer wrong", "Basic b3BlcmF0b3I6"])
def test_a_stranger_without_the_operators_token_makes_no_account(crown, token):
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token is not None else {})

    answer = crown.request("POST", "/operator/v1/accounts", headers=headers, body=b'{"email":"x@y.example","name":"x"}')

    assert 403 == answer.status


def test_root_reaches_the_operators_service_neither_by_its_path_nor_by_its_name(account):
    client = account.root("account")
    client.meta.events.register("before-sign", lambda request, **_: request.__setattr__("url", forged(request.url)))

    with pytest.raises(ClientError) as refusal:
        client.list_regions()

    assert 403 == refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]


def forged(url: str) -> str:
    return url.replace("/listRegions", "/operator/v1/accounts")
