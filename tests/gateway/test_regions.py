"""The Region of a request: a global service's is us-east-1, whatever Region a caller signs for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.services.iam.asking import refusal

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

Calls = list[tuple[str, str]]
GLOBAL: Calls = [("iam", "list_users"), ("organizations", "describe_organization"), ("account", "get_contact_information")]


def fence(region: str) -> dict[str, Any]:
    """A statement that denies everything outside one Region."""
    outside = {"StringNotEquals": {"aws:RequestedRegion": region}}
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": outside}


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(("service", "operation"), GLOBAL)
@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "ap-southeast-2"])
def test_nobody_steps_out_of_a_region_fence_by_the_region_they_sign_for(
    account: Account, service: str, operation: str, region: str
):
    bob = account.user("bob", policy=document(EVERYTHING, fence("eu-west-1")))

    refused = refusal(getattr(bob.client(service, region=region), operation))

    assert refused.startswith("AccessDenied"), refused


def test_a_member_that_is_fenced_in_by_a_service_control_policy_makes_no_users_elsewhere(crown: Crown):
    organization = Organization(crown)
    member_id = organization.created()
    outside = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    # The role is taken on at STS's endpoint in us-east-1, which stays open.
    organization.bind(deny("iam:*", **outside), member_id)
    iam = organization.administrator_of(member_id, "iam", region="eu-west-1")

    assert refusal(iam.create_user, UserName="eve").startswith("AccessDenied: ")


def test_a_deny_in_the_global_services_region_binds_whoever_signs_for_another(account: Account):
    here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    deny = {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*", "Condition": here}
    bob = account.user("bob", policy=document(EVERYTHING, deny))

    assert refusal(bob.client("iam", region="eu-west-1").create_user, UserName="eve").startswith("AccessDenied: ")


def test_regional_services_are_asked_about_the_region_that_is_signed_for(account: Account):
    bob = account.user("bob", policy=document(EVERYTHING, fence("eu-west-1")))

    assert "Events" in bob.client("cloudtrail", region="eu-west-1").lookup_events(MaxResults=1)
    assert refusal(bob.client("cloudtrail").lookup_events, MaxResults=1).startswith("AccessDenied")
    assert refusal(bob.client("sts").get_session_token).startswith("AccessDenied")


def test_records_of_global_services_are_of_the_global_region_and_others_of_the_one_signed_for(account: Account):
    account.client("iam", region="eu-west-1").list_users()
    account.client("sts", region="eu-west-1").get_caller_identity()

    regions = {record["eventName"]: record["awsRegion"] for record in account.records()}

    assert {"ListUsers": "us-east-1", "GetCallerIdentity": "eu-west-1"} == {
        name: regions[name] for name in ("ListUsers", "GetCallerIdentity")
    }


def test_a_region_that_nobody_has_is_refused(account: Account):
    with pytest.raises(ClientError) as refused:
        account.client("iam", region="nowhere-9").list_users()

    error = refused.value.response["Error"]
    assert ("SignatureDoesNotMatch", "Credential should be scoped to a valid region. ") == (error["Code"], error["Message"])
    assert 403 == refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_lookup_in_any_region_shows_the_whole_trail(account: Account):
    account.client("iam").list_users()
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "ListUsers"}]

    found = account.client("cloudtrail", region="eu-west-1").lookup_events(LookupAttributes=attributes)["Events"]

    assert ["us-east-1"] == [json.loads(event["CloudTrailEvent"])["awsRegion"] for event in found]
