"""A password is hashed before the transaction: what changes in between is looked at again inside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.services.iam.asking import allow

from crownkeep import data_directory
from crownkeep.app import open_wiring
from crownkeep.operations import invoke, registry
from crownkeep.operations.call import Origin, Request
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.identities import users

FIRST, SECOND, THIRD = "First one 1!", "Second one 2!", "Third one 3!"


@pytest.fixture
def bob(account):
    """A user with a password who may change it."""
    user = account.user("bob", policy=allow("iam:ChangePassword"))
    account.client("iam").create_login_profile(UserName="bob", Password=FIRST)
    return user


@pytest.fixture
def in_between(account):
    """Lead a request through the door in its two steps, and do something between them; answers the refusal."""
    database, wiring = open_wiring(account.crown.settings, data_directory.prepare(account.crown.settings))

    def lead(caller: Principal, operation: str, parameters: dict[str, object], meanwhile):
        origin = Origin("127.0.0.1", "test", "us-east-1", "request")
        found = registry.service("iam").find(operation)
        assert found
        request = Request(found, parameters, caller, origin, datetime.now(UTC))
        with database.snapshot() as db:
            prepared = invoke.prepare(db, request, wiring)
        meanwhile()
        with database.transaction() as db:
            outcome = invoke.perform(db, request, wiring, prepared=prepared)
        return outcome.error

    yield lead
    database.close()


def principal(account, name: str) -> Principal:
    database, _ = open_wiring(account.crown.settings, data_directory.prepare(account.crown.settings))
    with database.snapshot() as db:
        user = users.named(db, account.id, name)
    database.close()
    return Principal(PrincipalKind.USER, account.id, user.user_id, user.name, user.path)


def test_a_policy_that_has_become_stricter_refuses_the_password(account, bob, in_between):
    iam = account.client("iam")

    error = in_between(
        principal(account, "admin"),
        "UpdateLoginProfile",
        {"UserName": "bob", "Password": SECOND},
        lambda: iam.update_account_password_policy(MinimumPasswordLength=40),
    )

    assert ("PasswordPolicyViolation", "Password should have a minimum length of 40") == (error.code, error.message)


def test_a_memory_that_has_become_longer_refuses_the_password(account, bob, in_between):
    iam = account.client("iam")
    iam.update_login_profile(UserName="bob", Password=SECOND)

    error = in_between(
        principal(account, "admin"),
        "UpdateLoginProfile",
        {"UserName": "bob", "Password": FIRST},
        lambda: iam.update_account_password_policy(PasswordReusePrevention=24),
    )

    assert "PasswordPolicyViolation" == error.code


def test_an_old_password_that_is_not_the_present_one_any_more_changes_nothing(account, bob, in_between):
    iam = account.client("iam")

    error = in_between(
        principal(account, "bob"),
        "ChangePassword",
        {"OldPassword": FIRST, "NewPassword": SECOND},
        lambda: iam.update_login_profile(UserName="bob", Password=THIRD),
    )

    assert "EntityTemporarilyUnmodifiable" == error.code
    bob.client("iam").change_password(OldPassword=THIRD, NewPassword=SECOND)


def test_another_user_who_has_taken_the_name_does_not_get_the_password(account, bob, in_between):
    iam = account.client("iam")

    def replace() -> None:
        iam.update_user(UserName="bob", NewUserName="robert")
        iam.create_user(UserName="bob")
        iam.create_login_profile(UserName="bob", Password=THIRD)

    error = in_between(principal(account, "admin"), "UpdateLoginProfile", {"UserName": "bob", "Password": SECOND}, replace)

    assert "EntityTemporarilyUnmodifiable" == error.code
