"""The catalogue of AWS's actions: found as policies write them, complete, and cheap to open."""

from __future__ import annotations

import pytest

from crownkeep.catalogue import actions
from crownkeep.catalogue.actions import AccessLevel, ValueType


def test_an_action_is_found_without_regard_to_case() -> None:
    found = actions.action("IAM:attachuserPOLICY")

    assert found is not None
    assert found.full_name == "iam:AttachUserPolicy"
    assert found.access_level is AccessLevel.PERMISSIONS
    assert found.condition_keys == ("iam:PermissionsBoundary", "iam:PolicyARN")


def test_an_action_knows_the_arns_of_the_resources_it_is_done_to() -> None:
    found = actions.action("iam:CreateUser")

    assert found is not None
    (user,) = actions.resource_types(found)
    assert user.arn_format == "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"
    assert user.arn_pattern == "arn:*:iam::*:user/*"
    assert found.resources[0].is_required


def test_an_action_without_resources_answers_none_of_them() -> None:
    found = actions.action("iam:GetAccountSummary")

    assert found is not None
    assert actions.resource_types(found) == ()


@pytest.mark.parametrize("name", ["iam:CreateUsers", "iamm:CreateUser", "CreateUser", "", ":", "../secrets:x", "iam:"])
def test_what_is_no_action_is_not_found(name: str) -> None:
    assert actions.action(name) is None


def test_a_service_that_is_none_has_nothing() -> None:
    assert actions.is_service("../data/services") is False
    assert dict(actions.actions_of("nosuch")) == {}
    assert dict(actions.resource_types_of("nosuch")) == {}
    assert dict(actions.condition_keys_of("nosuch")) == {}


@pytest.mark.parametrize(
    ("key", "form", "value_type", "is_multivalued"),
    [
        ("iam:policyarn", "iam:PolicyARN", ValueType.ARN, False),
        ("s3:ExistingObjectTag/team", "s3:ExistingObjectTag/<key>", ValueType.STRING, False),
        ("ec2:ResourceTag/team", "ec2:ResourceTag/${TagKey}", ValueType.STRING, False),
        ("saml:aud", "saml:aud", ValueType.STRING, False),
    ],
)
def test_a_condition_key_is_found_by_what_a_policy_writes(
    key: str, form: str, value_type: ValueType, is_multivalued: bool
) -> None:
    found = actions.condition_key(key)

    assert found is not None
    assert found.key == form
    assert (found.value_type, found.is_multivalued) == (value_type, is_multivalued)


@pytest.mark.parametrize("key", ["iam:NoSuchKey", "s3:ExistingObjectTag/", "nosuch:Key", "aws:SourceIp"])
def test_an_unknown_or_global_condition_key_is_not_found(key: str) -> None:
    assert actions.condition_key(key) is None


def test_every_service_can_be_read() -> None:
    total = 0

    for service in actions.services():
        total += len(actions.actions_of(service))
        actions.resource_types_of(service)
        actions.condition_keys_of(service)

    assert total > 20_000


def test_services_have_names_and_a_date() -> None:
    assert actions.service_name("iam") == "AWS Identity and Access Management (IAM)"
    assert actions.service_name("nosuch") is None
    assert actions.updated_at().year >= 2026
