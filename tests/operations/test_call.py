"""What an operation is decided on is what its handler acts on: one row, found once, by whoever asks for it by its type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.fixtures.statements import given

from crownkeep.operations.call import Call
from crownkeep.operations.registry import EVERYTHING, Target
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.users import UserRow

BOB = UserRow("AIDABOB", "111122223333", "bob", "bob", "/", datetime(2026, 11, 24, tzinfo=UTC), None, None)
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"

ABOUT_BOB: dict[str, dict[str, Any]] = {
    "get_user": {},
    "list_user_tags": {},
    "list_groups_for_user": {},
    "list_attached_user_policies": {},
    "list_access_keys": {},
    "list_mfa_devices": {},
    "attach_user_policy": {"PolicyArn": READ_ONLY},
    "tag_user": {"Tags": [{"Key": "team", "Value": "blue"}]},
    "create_access_key": {},
    "update_user": {"NewPath": "/staff/"},
    "delete_user": {},
}
NONE = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
TRUST = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}}'
)


def call() -> Call:
    """Return a call of nobody in particular: what it was decided on is all that is looked at."""
    made: Callable[..., Call] = Call
    return made(*[None] * 7)


def decided(target: Target) -> Call:
    made = call()
    made.decided_on(target)
    return made


def test_a_handler_gets_the_row_that_was_decided_on():
    assert decided(Target("arn", row=BOB)).target_row(UserRow) is BOB


def test_a_handler_is_told_that_there_is_no_such_thing():
    assert decided(Target("arn", row=None)).target_row(UserRow) is None


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (decided(Target("arn", row=BOB)), "looks up UserRow, and its handler asks for GroupRow"),
        (decided(EVERYTHING), "its handler asks for GroupRow"),
        (call(), "its handler asks for GroupRow"),
    ],
    ids=["another row", "no row", "nothing decided"],
)
def test_a_row_that_was_not_decided_on_is_given_to_no_handler(made: Call, text: str):
    with pytest.raises(TypeError, match=text):
        made.target_row(GroupRow)


def test_what_was_decided_on_is_not_changed_afterwards():
    made = decided(Target("arn", row=BOB))

    with pytest.raises(ValueError, match="decided already"):
        made.decided_on(Target("arn", row=None))


@pytest.mark.parametrize("operation", ABOUT_BOB)
def test_an_operation_looks_up_whom_it_is_about_once(account: Account, operation: str):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.get_user(UserName="bob")

    with given() as statements:
        getattr(iam, operation)(UserName="bob", **ABOUT_BOB[operation])

    named = [each for each in statements if each.text.startswith("SELECT") and "users.name_key = " in each.text]
    assert 1 == len(named), named


@pytest.mark.parametrize(
    ("operation", "parameters", "column"),
    [
        ("get_role", {"RoleName": "reader"}, "roles.name_key"),
        ("put_role_policy", {"RoleName": "reader", "PolicyName": "none", "PolicyDocument": NONE}, "roles.name_key"),
        ("get_group", {"GroupName": "staff"}, "groups.name_key"),
        ("get_policy", {"PolicyArn": "arn:aws:iam::{}:policy/none"}, "policies.arn"),
        ("list_policy_versions", {"PolicyArn": "arn:aws:iam::{}:policy/none"}, "policies.arn"),
        ("get_instance_profile", {"InstanceProfileName": "web"}, "instance_profiles.name_key"),
    ],
)
def test_an_operation_looks_up_what_it_is_about_once(account: Account, operation: str, parameters: dict[str, str], column: str):
    iam = account.client("iam")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    iam.create_group(GroupName="staff")
    iam.create_policy(PolicyName="none", PolicyDocument=NONE)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.get_user()

    with given() as statements:
        getattr(iam, operation)(**{name: value.replace("{}", account.id) for name, value in parameters.items()})

    named = [each for each in statements if each.text.startswith("SELECT") and f"{column} = " in each.text]
    assert 1 == len(named), named
