"""A role's ARN spelled otherwise: no spelling takes on a role that policies were not asked about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import RCP, Organization, deny, deny_to_all

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def trust(account_id: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role_in(account: Account, *, path: str = "/") -> str:
    made = account.client("iam").create_role(RoleName="Target", Path=path, AssumeRolePolicyDocument=trust(account.id))
    return str(made["Role"]["Arn"])


def spellings(role_arn: str) -> list[str]:
    """Every ARN that is not the role's own, and that a careless reader would take for it."""
    before, _, name = role_arn.rpartition("/")
    account_id = role_arn.split(":")[4]
    return [
        f"{before}//{name}",
        f"{before}///{name}",
        f"{before}/./{name}",
        f"{before}/%2F{name}",
        f"{before}/{name}/",
        f"{before}/{name.lower()}",
        f"{before}/{name.upper()}",
        f"{before}%2F{name}",
        role_arn.replace("role/", "role//"),
        role_arn.replace(":role/", ":Role/"),
        role_arn.replace(":role/", ":/role/"),
        role_arn.replace("arn:aws:", "arn:aws-cn:"),
        role_arn.replace(":iam:", ":IAM:"),
        role_arn.replace("iam::", "iam:us-east-1:"),
        role_arn.replace(account_id, f"0{account_id}"),
        role_arn.replace(account_id, f" {account_id}"),
    ]


def taken_on(client: Any, role_arn: str) -> bool:
    try:
        client.assume_role(RoleArn=role_arn, RoleSessionName="session")
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] not in {"AccessDenied", "ValidationError"}:
            raise
        return False
    return True


@pytest.mark.parametrize("path", ["/", "/division/"])
def test_a_role_is_taken_on_by_its_own_arn_alone(account: Account, path: str):
    role_arn = role_in(account, path=path)
    bob = account.user("bob", policy={"Version": "2012-10-17", "Statement": [ALLOW]}).client("sts")

    assert [role_arn] == [each for each in [role_arn, *spellings(role_arn)] if taken_on(bob, each)]


def test_a_denied_role_arn_with_a_doubled_slash_is_denied(account: Account):
    role_arn = role_in(account)
    statement = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": role_arn}
    bob = account.user("bob", policy={"Version": "2012-10-17", "Statement": [ALLOW, statement]}).client("sts")

    assert [] == [each for each in [role_arn, *spellings(role_arn)] if taken_on(bob, each)]


def test_a_role_excepted_by_not_resource_is_denied_in_every_spelling(account: Account):
    role_arn = role_in(account)
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": role_arn}
    bob = account.user("bob", policy={"Version": "2012-10-17", "Statement": [statement]}).client("sts")

    assert [] == [each for each in [role_arn, *spellings(role_arn)] if taken_on(bob, each)]


def test_a_role_denied_by_a_boundary_is_denied_in_every_spelling(account: Account):
    role_arn = role_in(account)
    statement = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": role_arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [ALLOW, statement]})
    boundary = account.client("iam").create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    everything = {"Version": "2012-10-17", "Statement": [ALLOW]}
    bob = account.user("bob", policy=everything, PermissionsBoundary=boundary).client("sts")

    assert [] == [each for each in [role_arn, *spellings(role_arn)] if taken_on(bob, each)]


def test_a_role_denied_by_organization_policies_is_denied_in_every_spelling(crown: Crown):
    organization = Organization(crown)
    for policy_type in ("SERVICE_CONTROL_POLICY", RCP):
        if policy_type not in {each["Type"] for each in organization.client.list_roots()["Roots"][0]["PolicyTypes"]}:
            organization.enable(policy_type)
    by_service_control, by_resource_control = organization.invited(), organization.invited()
    arns = [role_in(by_service_control), role_in(by_resource_control)]
    organization.bind(deny("sts:AssumeRole", on=arns[0]), by_service_control.id)
    statement = deny_to_all("sts:AssumeRole")
    statement["Statement"][0]["Resource"] = arns[1]
    organization.bind(statement, by_resource_control.id, type=RCP)

    for member, role_arn in zip((by_service_control, by_resource_control), arns, strict=True):
        admin = member.client("sts")
        assert [] == [each for each in [role_arn, *spellings(role_arn)] if taken_on(admin, each)]
