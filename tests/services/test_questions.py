"""No operation asks the database the same question twice: what was decided on is what is acted on, and is found once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crowns
from tests.fixtures.statements import Statement, given
from tests.house import valid
from tests.house.test_operations import OPERATIONS

from crownkeep.operations.registry import Mode, Operation

SERVICES = ("iam", "organizations", "account", "account-security", "credential-audit", "sso-admin", "identitystore")
ENDING = {"DeleteOrganization", "LeaveOrganization", "UpdateLastWayInGuard"}
"""What would leave nothing for the others to be about, or have each look at all administrators before and after."""

# What the caller's standing is made of, and what the record says of its account: read by the door, and kept for the next request.
OF_THE_DOOR = ("users.account_id = ? AND users.user_id = ?", "FROM account_aliases")
# As they are now that nobody else can change them: looked at again once the organization is held.
AGAIN_WHEN_HELD = ("FROM organization_accounts", "FROM organization_policies", "FROM handshakes")

# Which accounts the guard of the last way in may have to look at is found before the operation begins, whatever that looks up.
OF_THE_GUARD = ("FROM organization_accounts",)

# Whoever is alerted of a change of contacts is read once that is made: both who was there before and who is there now.
OF_ALERTS = ("FROM alternate_contacts",)
AFTER_THE_EVENT = {"AddUserToGroup": ("FROM groups",)}
"""What alerts read of an event's own transaction, as what is in force after it decides: does the group make administrators?"""

TRUST = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}}'
)


ABOUT_SOMETHING = [
    operation
    for operation in OPERATIONS
    if operation.service.name in SERVICES and operation.name not in ENDING and operation.prepare is None
]
"""Operations that find what they are about and act on it in one transaction."""


@pytest.fixture(scope="module")
def account(crowns: Crowns) -> Account:
    made: Account = crowns.shared("sqlite").account()
    made.client("organizations").create_organization()
    return made


@pytest.fixture
def asked(account: Account) -> Iterator[list[Statement]]:
    iam = account.client("iam")
    for make, parameters in (
        (iam.create_user, {"UserName": "name"}),
        (iam.create_group, {"GroupName": "name"}),
        (iam.create_role, {"RoleName": "name", "AssumeRolePolicyDocument": TRUST}),
        (iam.create_instance_profile, {"InstanceProfileName": "name"}),
    ):
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            make(**parameters)
    # What the changes made void is read again now.
    iam.get_account_summary()
    with given() as statements:
        yield statements


@pytest.mark.parametrize("operation", ABOUT_SOMETHING, ids=lambda each: f"{each.service.name}:{each.name}")
def test_no_operation_looks_up_twice_what_it_is_about(account: Account, asked: list[Statement], operation: Operation):
    client = account.client(operation.service.name)

    with suppress(ClientError):
        getattr(client, xform_name(operation.name))(**valid.parameters(operation.model))

    spared: tuple[str, ...] = OF_THE_DOOR + OF_ALERTS + AFTER_THE_EVENT.get(operation.name, ())
    if _writes(operation):
        spared += AGAIN_WHEN_HELD if operation.service.name == "organizations" else OF_THE_GUARD
    counted = Counter(_question(each) for each in asked if each.text.startswith("SELECT"))
    assert {} == {text: count for (text, _), count in counted.items() if count > 1 and not any(each in text for each in spared)}


def _writes(operation: Operation) -> bool:
    return operation.mode is Mode.WRITE


def _question(statement: Statement) -> tuple[str, str]:
    values: Any = statement.values
    return statement.text, repr(sorted(values.items()) if isinstance(values, dict) else list(values))
