"""Service-linked roles: made as their services define them, changed by nobody, deleted by a task."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account

from crownkeep.catalogue import managed_policies, service_linked_roles

PROTECTED = "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS"
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_role_is_what_its_service_says(account: Account):
    iam = account.client("iam")

    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]

    arn = f"arn:aws:iam::{account.id}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    assert (arn, "/aws-service-role/ecs.amazonaws.com/") == (role["Arn"], role["Path"])
    assert "Description" not in role
    assert "Description" not in iam.get_role(RoleName="AWSServiceRoleForECS")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"} == statement
    (attached,) = iam.list_attached_role_policies(RoleName="AWSServiceRoleForECS")["AttachedPolicies"]
    assert "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy" == attached["PolicyArn"]


def test_a_suffix_tells_roles_of_one_service_apart_where_the_service_takes_one(account: Account):
    iam = account.client("iam")

    role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x")["Role"]

    assert "AWSServiceRoleForAutoScaling_x" == role["RoleName"]
    refused = refusal(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com", CustomSuffix="x")
    assert ("InvalidInput", "Custom suffix is not allowed for ecs.amazonaws.com") == refused


def test_the_same_role_comes_once(account: Account):
    iam = account.client("iam")
    iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")

    again = refusal(iam.create_service_linked_role, AWSServiceName="batch.amazonaws.com")

    assert (
        "InvalidInput",
        "Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix.",
    ) == again


def test_a_service_that_has_no_role_is_refused(account: Account):
    iam = account.client("iam")

    assert "InvalidInput" == refusal(iam.create_service_linked_role, AWSServiceName="absent.amazonaws.com")[0]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_role", {}),
        ("update_assume_role_policy", {"PolicyDocument": TRUST}),
        ("put_role_policy", {"PolicyName": "p", "PolicyDocument": ALLOW}),
        ("delete_role_policy", {"PolicyName": "p"}),
        ("attach_role_policy", {"PolicyArn": READ_ONLY}),
        ("detach_role_policy", {"PolicyArn": READ_ONLY}),
        ("put_role_permissions_boundary", {"PermissionsBoundary": READ_ONLY}),
        ("delete_role_permissions_boundary", {}),
    ],
)
def test_nobody_changes_a_services_role(account: Account, operation: str, parameters: dict[str, Any]):
    iam = account.client("iam")
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")

    refused = refusal(getattr(iam, operation), RoleName="AWSServiceRoleForECS", **parameters)

    assert ("UnmodifiableEntity", PROTECTED.format("AWSServiceRoleForECS")) == refused


def test_description_and_tags_of_a_services_role_may_change_but_not_its_longest_session(account: Account):
    iam = account.client("iam")
    name = "AWSServiceRoleForECS"
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")

    iam.update_role(RoleName=name, Description="mine")
    iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "b"}])

    assert "mine" == iam.get_role(RoleName=name)["Role"]["Description"]
    assert "UnmodifiableEntity" == refusal(iam.update_role, RoleName=name, MaxSessionDuration=7200)[0]


def test_nobody_takes_on_a_services_role(account: Account):
    role = account.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]

    refused = refusal(account.client("sts").assume_role, RoleArn=role["Arn"], RoleSessionName="s1")

    assert "AccessDenied" == refused[0]


def test_deleting_is_a_task_that_can_be_asked_about(account: Account):
    iam = account.client("iam")
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")

    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForECS")["DeletionTaskId"]

    assert task.startswith("task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/")
    assert "SUCCEEDED" == iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"]
    assert "NoSuchEntity" == refusal(iam.get_role, RoleName="AWSServiceRoleForECS")[0]
    other = account.crown.account().client("iam")
    assert "NoSuchEntity" == refusal(other.get_service_linked_role_deletion_status, DeletionTaskId=task)[0]


def test_an_ordinary_role_is_not_deleted_as_a_services(account: Account):
    iam = account.client("iam")
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)

    assert "NoSuchEntity" == refusal(iam.delete_service_linked_role, RoleName="R")[0]
    iam.get_role(RoleName="R")


def test_which_service_a_role_is_for_can_be_a_condition(account: Account):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iam:CreateServiceLinkedRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}},
            }
        ],
    }
    iam = account.user("bob", policy=policy).client("iam")

    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")

    assert "AccessDenied" == refusal(iam.create_service_linked_role, AWSServiceName="rds.amazonaws.com")[0]


def test_the_table_names_policies_that_aws_has_and_each_service_once():
    table = service_linked_roles.every_one()

    # AWS has withdrawn the policy of the first Lex from what it publishes.
    absent = [each.service for each in table if managed_policies.with_arn(each.policy_arn) is None]
    assert ["lex.amazonaws.com"] == absent
    assert len(table) > 70
    assert all(len(each.role_name) <= 64 for each in table)
    assert len(table) == len({each.role_name for each in table})
