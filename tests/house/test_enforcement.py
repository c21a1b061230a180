"""Enforcement is on, always: no operation answers a stranger, and none a caller whom no policy allows it."""

from __future__ import annotations

import re

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Crown, Crowns
from tests.house import valid
from tests.house.test_operations import OPERATIONS

from crownkeep.operations.registry import Operation, Permission
from crownkeep.settings import Settings

SIGNED = [operation for operation in OPERATIONS if operation.model.auth != "none"]
SAID_TO_BE_FOR_S3 = {
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:HeadBucket",
    "s3:HeadObject",
    "s3:ListObjects",
    "s3:ListObjectsV2",
}
"""At a path of its own, nothing but a signature says that S3 is meant: without one it is no path of ours
(`tests/services/test_s3.py`)."""
GUARDED = [operation for operation in SIGNED if operation.permission is Permission.REQUIRED]

STRANGER = "MissingAuthenticationToken"
FORBIDDEN = "AccessDenied"
SPELLED = {
    # At the root, nothing but a signature says that S3 is meant.
    ("s3", STRANGER): "MissingAction",
    ("ec2", FORBIDDEN): "UnauthorizedOperation",
}
"""How some services spell these, or what they say instead."""


@pytest.fixture(scope="module")
def shared(crowns: Crowns) -> Crown:
    """One server for the module: these tests only knock."""
    return crowns.shared("sqlite")


@pytest.fixture(scope="module")
def powerless(shared: Crown) -> Credentials:
    """The credentials of a user whom no policy allows anything."""
    return shared.account().user("nobody").credentials


@pytest.mark.parametrize(
    "operation",
    [each for each in SIGNED if f"{each.service.name}:{each.name}" not in SAID_TO_BE_FOR_S3],
    ids=lambda operation: f"{operation.service.name}:{operation.name}",
)
def test_an_unsigned_request_is_refused(operation: Operation, shared: Crown):
    assert SPELLED.get((operation.service.name, STRANGER), STRANGER) == _refusal(shared, None, operation).removesuffix(
        "Exception"
    )


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: f"{operation.service.name}:{operation.name}")
def test_a_user_without_policies_is_refused(operation: Operation, shared: Crown, powerless: Credentials):
    assert SPELLED.get((operation.service.name, FORBIDDEN), FORBIDDEN) == _refusal(shared, powerless, operation).removesuffix(
        "Exception"
    )


def test_no_setting_is_there_to_turn_enforcement_off():
    switch = re.compile("allow|bypass|debug_|disable|enforce|insecure|no_|skip|unsafe|without")

    assert [] == [name for name in Settings.__struct_fields__ if switch.search(name)]


def _refusal(crown: Crown, credentials: Credentials | None, operation: Operation) -> str:
    client = crown.session(credentials, operation.service.name)
    with pytest.raises(ClientError) as refused:
        getattr(client, xform_name(operation.name))(**valid.parameters(operation.model))
    code: str = refused.value.response["Error"]["Code"]
    # What is refused to HEAD has no more than a status.
    return {"403": FORBIDDEN}.get(code, code)
