"""The sequence of one request: a refusal undoes and is recorded, and what was to last lasts; nobody hears before the commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import account_aliases, accounts
from crownkeep.storage.database import Database
from crownkeep.storage.trail import events

EXPLICIT = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}}


def code(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def replace_handler(monkeypatch: pytest.MonkeyPatch, name: str, before_refusing: Callable[[Call, Any], None]) -> None:
    """Let an operation of IAM do something, and then refuse."""
    service = registry.service("iam")
    assert service is not None
    operation = service.find(name)
    assert operation is not None

    def handler(call: Call, **arguments: Any) -> dict[str, object]:
        before_refusing(call, operation.handler(call, **arguments))
        raise errors.LimitExceeded("too late")

    monkeypatch.setitem(service._operations, name, _with(operation, handler))


def _with(operation: registry.Operation, handler: Callable[..., Any]) -> registry.Operation:
    return replace(operation, handler=handler)


def test_a_refusal_undoes_what_the_handler_did_and_is_recorded(account: Account, monkeypatch: pytest.MonkeyPatch):
    iam = account.client("iam")
    replace_handler(monkeypatch, "CreateUser", lambda *_: None)

    refused = code(iam.create_user, UserName="bob")

    assert ("LimitExceeded", "NoSuchEntity") == (refused, code(iam.get_user, UserName="bob"))
    record = next(each for each in account.records() if each["eventName"] == "CreateUser" and "bob" in json.dumps(each))
    assert ("LimitExceededException", "too late") == (record["errorCode"], record["errorMessage"])


def test_what_a_handler_notes_as_lasting_survives_its_refusal(account: Account, monkeypatch: pytest.MonkeyPatch):
    def note(call: Call, _: object) -> None:
        call.notes.lasting.append(lambda db: account_aliases.put(db, call.account_id, f"lasts-{call.account_id}", at=call.now))

    replace_handler(monkeypatch, "CreateUser", note)

    refused = code(account.client("iam").create_user, UserName="bob")

    assert "LimitExceeded" == refused
    assert [f"lasts-{account.id}"] == account.client("iam").list_account_aliases()["AccountAliases"]


@pytest.mark.parametrize("operation", ["list_users", "create_user"])
def test_nothing_is_answered_whose_record_is_not_durable(account: Account, monkeypatch: pytest.MonkeyPatch, operation: str):
    iam = account.client("iam")
    parameters = {"UserName": "bob"} if operation == "create_user" else {}

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(events, "add_all", fail)
        refused = code(getattr(iam, operation), **parameters)

    assert "ServiceUnavailable" == refused
    assert "bob" not in {each["UserName"] for each in iam.list_users()["Users"]}


def test_a_permission_that_is_taken_away_is_gone_with_the_next_request(account: Account):
    bob = account.user("bob", arn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    before = bob.client("iam").list_users()["Users"]

    account.client("iam").put_user_policy(UserName="bob", PolicyName="no", PolicyDocument=json.dumps(EXPLICIT))

    assert before
    assert "AccessDenied" == code(bob.client("iam").list_users)


@pytest.mark.parametrize(("operation", "changes"), [("put_user_policy", True), ("create_user", False)])
def test_only_a_change_of_what_standings_hold_brings_another_revision(
    crown: Crown, account: Account, operation: str, changes: bool
):
    iam, database = account.client("iam"), Database(crown.settings.database_url)
    iam.create_user(UserName="bob")
    parameters = {"create_user": {"UserName": "eve"}}.get(
        operation, {"UserName": "bob", "PolicyName": "no", "PolicyDocument": json.dumps(EXPLICIT)}
    )

    def revision() -> int | None:
        with database.snapshot() as db:
            return accounts.revision(db, account.id)

    before = revision()
    getattr(iam, operation)(**parameters)

    after = revision()
    database.close()
    assert changes == (after != before)


def test_a_role_of_another_account_leaves_a_copy_of_the_record_there(crown: Crown, account: Account):
    owner = crown.account()
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"},
    }
    role = owner.client("iam").create_role(RoleName="guest", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    account.client("sts").assume_role(RoleArn=role, RoleSessionName="visit")

    own, copy = (next(each for each in one.records() if each["eventName"] == "AssumeRole") for one in (account, owner))
    assert own["sharedEventID"] == copy["sharedEventID"]
    assert own["eventID"] != copy["eventID"]
    assert ("AWSAccount", account.id) == (copy["userIdentity"]["type"], copy["userIdentity"]["accountId"])
    assert "admin" not in json.dumps(copy["userIdentity"])
