"""Services that scanners ask beside ours: what they need to go on, decided by policies and recorded; the rest refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway import generated
from tests.gateway import test_round_trip as round_trip

from crownkeep import errors, models, services
from crownkeep.gateway import cbor, route
from crownkeep.gateway.bounds import CALLERS
from crownkeep.gateway.decode import decode
from crownkeep.gateway.encode import encode, encode_error
from crownkeep.operations import registry

services.load()


def refused(call: Any, **parameters: Any) -> tuple[int, str, str]:
    """Return the status, code and message of a refusal; fails where there is none."""
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    response = refusal.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def allow(action: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


@pytest.mark.parametrize("name", models.PARTLY_SERVED)
def test_what_is_known_of_a_service_served_in_part_before_its_model_is_read_is_what_the_model_says(name: str):
    known, model = models.PARTLY_SERVED[name], botocore.session.get_session().get_service_model(name)

    assert (known.protocol, known.signing_name) == (model.protocol, model.signing_name)
    assert known.api_version in ("", model.api_version)
    assert known.target_prefix == model.metadata.get("targetPrefix", "")


READ = """
import json
import tempfile

from crownkeep.models import published

read = []
compile_service = published.compile_service
published.compile_service = lambda name, text: read.append(name) or compile_service(name, text)

from tests.fixtures.crown import CHEAP, Crown

from crownkeep.settings import Settings

with tempfile.TemporaryDirectory() as data:
    crown = Crown(Settings(data=data, **CHEAP))
    account = crown.account()
    account.client("iam").list_users()
    account.client("cloudtrail").lookup_events()
    crown.close()
print(json.dumps(read))
"""


def test_no_model_of_a_service_served_in_part_is_read_for_other_services_requests():
    # In a process of its own, where nothing has been read yet.
    command = [sys.executable, "-c", READ]
    read = json.loads(subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout)

    assert "iam" in read
    assert set() == set(read) & set(models.PARTLY_SERVED)


@pytest.mark.parametrize("name", models.PARTLY_SERVED)
def test_a_service_served_in_part_is_read_and_written_as_botocore_does(name: str, monkeypatch: pytest.MonkeyPatch):
    service = registry.service(name)
    assert service is not None
    if name in ("ec2", "s3"):
        # A client leaves out what is empty.
        monkeypatch.setattr(round_trip, "SHAPES", [generated.full])
    round_trip.THEIRS[name] = botocore.session.get_session().get_service_model(name)

    for operation in service.served():
        round_trip.test_a_request_as_botocore_writes_it_is_read_as_it_was_meant(name, operation)
        if operation not in ("GetBucketLocation", "GetObject", "HeadObject"):
            # Their answers have readers of their own, above the protocol (tests/services/test_s3.py).
            round_trip.test_an_answer_as_we_write_it_is_read_by_botocore_as_it_was_meant(name, operation)


SPOKEN = [(name, models.PARTLY_SERVED[name].protocol) for name in models.PARTLY_SERVED] + [("resourcegroupstaggingapi", "json")]


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_any_error_of_a_service_served_in_part_is_one_that_botocore_can_read(name: str, protocol: str):
    for kind in round_trip.COMMON:
        written = encode_error(kind("It won't do."), protocol=protocol, service=models.service(name), request_id="the-id")

        headers = HeadersDict({key.decode(): value.decode("latin-1") for key, value in written.headers})
        answer = {"status_code": written.status, "headers": headers, "body": written.body, "context": {}}
        parsed = create_parser(protocol).parse(answer, None)

        assert 400 <= written.status < 600
        assert parsed["Error"]["Message"].endswith("It won't do.")
        assert parsed["Error"]["Code"]


def test_the_tagging_api_is_asked_in_cbor():
    model = botocore.session.get_session().get_service_model("resourcegroupstaggingapi")
    theirs = model.operation_model("GetResources")
    asked = {"ResourcesPerPage": 5, "TagFilters": [{"Key": "team", "Values": ["red"]}]}
    sent = create_serializer("smithy-rpc-v2-cbor", include_validation=False).serialize_to_request(asked, theirs)
    headers = {key.lower(): value for key, value in sent["headers"].items()}

    found = route.find(method="POST", path=sent["url_path"], query="", headers=headers, body=sent["body"], scope="tagging")

    assert isinstance(found, route.Route)
    assert asked == decode(found, query="", headers=headers, body=sent["body"], bounds=CALLERS)
    result = {"PaginationToken": "", "ResourceTagMappingList": [{"ResourceARN": "arn", "Tags": [USER]}]}
    written = encode(found.operation, result, request_id="x", protocol=found.protocol)
    kept = HeadersDict({key.decode(): value.decode("latin-1") for key, value in written.headers})
    answer = {"status_code": written.status, "headers": kept, "body": written.body, "context": {}}
    parsed = create_parser("smithy-rpc-v2-cbor").parse(answer, theirs.output_shape)
    assert result == {key: value for key, value in parsed.items() if key != "ResponseMetadata"}


# S3.


def test_there_are_no_buckets_and_the_account_would_own_them(account: Any):
    listed = account.client("s3").list_buckets()

    assert [] == listed["Buckets"]
    assert 64 == len(bytes.fromhex(listed["Owner"]["ID"])) * 2
    assert listed["Owner"] == account.client("s3").list_buckets(MaxBuckets=5, BucketRegion="eu-west-1")["Owner"]


def test_a_prefix_of_buckets_is_given_back(account: Any):
    assert "logs-" == account.client("s3").list_buckets(Prefix="logs-")["Prefix"]


def test_listing_buckets_takes_the_permission_that_awss_reference_names(account: Any):
    allowed = account.user("lister", policy=allow("s3:ListAllMyBuckets"))
    other = account.user("other", policy=allow("s3:ListBucket"))

    assert [] == allowed.client("s3").list_buckets()["Buckets"]
    text = f"User: {other.arn} is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the"
    assert (403, "AccessDenied", f"{text} s3:ListAllMyBuckets action") == refused(other.client("s3").list_buckets)


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ({"StringEquals": {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256"}}, True),
        ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, False),
        ({"NumericLessThan": {"s3:signatureAge": "60000"}}, True),
        ({"NumericGreaterThan": {"s3:signatureAge": "600000"}}, False),
        ({"StringEquals": {"s3:ResourceAccount": "999999999999"}}, False),
    ],
)
def test_s3s_own_condition_keys_are_filled_in(account: Any, condition: dict[str, Any], is_met: bool):
    user = account.user("conditional", policy=allow("s3:ListAllMyBuckets", **condition))

    if is_met:
        assert [] == user.client("s3").list_buckets()["Buckets"]
    else:
        assert "AccessDenied" == refused(user.client("s3").list_buckets)[1]


def test_listing_buckets_is_recorded_and_so_is_its_refusal(account: Any):
    nobody = account.user("nobody")
    account.client("s3").list_buckets(MaxBuckets=7)
    refused(nobody.client("s3").list_buckets)

    denied, listed = [each for each in account.records() if each["eventSource"] == "s3.amazonaws.com"][:2]
    assert ("ListBuckets", {"maxBuckets": 7}, True) == (listed["eventName"], listed["requestParameters"], listed["readOnly"])
    assert ("ListBuckets", "AccessDenied") == (denied["eventName"], denied["errorCode"])


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"ContinuationToken": "x"}, "The continuation token provided is incorrect"),
        ({"BucketRegion": "nowhere-9"}, "Argument value nowhere-9 is not a valid AWS Region"),
    ],
)
def test_what_buckets_cannot_be_listed_by_is_an_invalid_argument(account: Any, parameters: dict[str, Any], text: str):
    assert (400, "InvalidArgument", text) == refused(account.client("s3").list_buckets, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters", "name"),
    [
        ("list_object_versions", {"Bucket": "bucket"}, "ListObjectVersions"),
        ("get_object_acl", {"Bucket": "bucket", "Key": "a/b"}, "GetObjectAcl"),
        ("create_bucket", {"Bucket": "bucket"}, "CreateBucket"),
        ("put_bucket_policy", {"Bucket": "bucket", "Policy": "{}"}, "PutBucketPolicy"),
    ],
)
def test_what_is_not_served_of_s3_is_refused_by_its_name(account: Any, operation: str, parameters: dict[str, Any], name: str):
    answer = refused(getattr(account.client("s3"), operation), **parameters)

    assert (405, "MethodNotAllowed", f"operation `{name}` is not served here") == answer


# EC2.

BY_DEFAULT = 17
"""Regions that are on from the start."""


def names(described: dict[str, Any]) -> set[str]:
    return {each["RegionName"] for each in described["Regions"]}


def test_the_regions_are_those_that_the_account_has_switched_on(account: Any):
    before = account.client("ec2").describe_regions()
    account.client("account").enable_region(RegionName="af-south-1")

    after = account.client("ec2").describe_regions()

    assert BY_DEFAULT == len(before["Regions"])
    assert {"af-south-1"} == names(after) - names(before)
    assert {"opt-in-not-required"} == {each["OptInStatus"] for each in before["Regions"]}
    virginia = {"RegionName": "us-east-1", "Endpoint": "ec2.us-east-1.amazonaws.com", "OptInStatus": "opt-in-not-required"}
    assert virginia in after["Regions"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"RegionNames": ["af-south-1", "eu-west-1"]}, {"af-south-1", "eu-west-1"}),
        (
            {"Filters": [{"Name": "region-name", "Values": ["eu-west-?", "sa-*"]}]},
            {"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1"},
        ),
        ({"Filters": [{"Name": "opt-in-status", "Values": ["opted-in"]}]}, {"me-south-1"}),
        ({"Filters": [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]}, set()),
        (
            {
                "AllRegions": True,
                "Filters": [
                    {"Name": "opt-in-status", "Values": ["not-opted-in"]},
                    {"Name": "endpoint", "Values": ["ec2.af-*", "ec2.eu-*"]},
                ],
            },
            {"af-south-1", "eu-central-2", "eu-south-1", "eu-south-2"},
        ),
    ],
)
def test_regions_are_found_by_name_and_filter(account: Any, parameters: dict[str, Any], expected: set[str]):
    account.client("account").enable_region(RegionName="me-south-1")

    assert expected == names(account.client("ec2").describe_regions(**parameters))


@pytest.mark.parametrize(
    ("operation", "parameters", "answer"),
    [
        ("describe_regions", {"RegionNames": ["nowhere-9"]}, (400, "InvalidParameterValue", "Invalid region names: nowhere-9")),
        (
            "describe_regions",
            {"Filters": [{"Name": "colour", "Values": ["red"]}]},
            (400, "InvalidParameterValue", "The filter 'colour' is invalid"),
        ),
        (
            "describe_availability_zones",
            {"ZoneNames": ["eu-west-1a"]},
            (400, "InvalidParameterValue", "Invalid availability zone: [eu-west-1a]"),
        ),
        (
            "describe_account_attributes",
            {"DryRun": True},
            (412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."),
        ),
        ("describe_instances", {}, (400, "InvalidAction", "operation `DescribeInstances` is not served here")),
    ],
)
def test_ec2_refuses_in_its_own_shape(account: Any, operation: str, parameters: dict[str, Any], answer: tuple[int, str, str]):
    assert answer == refused(getattr(account.client("ec2"), operation), **parameters)


def test_a_filter_holds_a_bounded_number_of_values(account: Any):
    filters = [{"Name": "region-name", "Values": [f"x-{number}" for number in range(201)]}]

    assert "InvalidParameterValue" == refused(account.client("ec2").describe_regions, Filters=filters)[1]


def test_the_zones_are_those_of_the_region_asked(account: Any):
    asked = account.client("ec2", region="ap-southeast-2")

    zones = asked.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])["AvailabilityZones"]

    assert ["ap-southeast-2a", "ap-southeast-2b", "ap-southeast-2c"] == [each["ZoneName"] for each in zones]
    assert ["apse2-az1", "apse2-az2", "apse2-az3"] == [each["ZoneId"] for each in zones]
    one = asked.describe_availability_zones(ZoneIds=["apse2-az2"])["AvailabilityZones"]
    assert [("ap-southeast-2b", "ap-southeast-2")] == [(each["ZoneName"], each["RegionName"]) for each in one]


def test_an_account_may_have_nothing_of_ec2(account: Any):
    described = account.client("ec2").describe_account_attributes()["AccountAttributes"]
    asked = account.client("ec2").describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"]

    values = {each["AttributeName"]: [value["AttributeValue"] for value in each["AttributeValues"]] for each in described}
    assert (["VPC"], ["none"], ["0"]) == (values["supported-platforms"], values["default-vpc"], values["max-instances"])
    assert [{"AttributeName": "default-vpc", "AttributeValues": [{"AttributeValue": "none"}]}] == asked


def test_a_policy_decides_on_ec2_by_region_and_its_refusal_is_ec2s_and_recorded(account: Any):
    user = account.user("european", policy=allow("ec2:DescribeRegions", StringEquals={"ec2:Region": "eu-west-1"}))
    assert user.client("ec2", region="eu-west-1").describe_regions()["Regions"]

    status, code, message = refused(user.client("ec2", region="us-east-1").describe_regions)

    text = f"You are not authorized to perform this operation. User: {user.arn} is not authorized to perform: ec2:DescribeRegions"
    assert (403, "UnauthorizedOperation") == (status, code)
    assert message.startswith(text)
    denied, allowed = [each for each in account.records() if each["eventSource"] == "ec2.amazonaws.com"][:2]
    assert ("Client.UnauthorizedOperation", "us-east-1") == (denied["errorCode"], denied["awsRegion"])
    assert ("DescribeRegions", "eu-west-1") == (allowed["eventName"], allowed["awsRegion"])


def test_a_wrong_key_is_a_failed_authentication_in_ec2(account: Any):
    user = account.user("leaver")
    account.client("iam").delete_access_key(UserName="leaver", AccessKeyId=user.credentials.access_key_id)

    assert (401, "AuthFailure") == refused(user.client("ec2").describe_regions)[:2]


# The tagging API.

USER = {"Key": "team", "Value": "red"}


def shown(answer: dict[str, Any]) -> list[str]:
    return [each["ResourceARN"].rpartition(":")[2] for each in answer["ResourceTagMappingList"]]


@pytest.fixture
def tagged(account: Any) -> Any:
    """An account in which a few things are tagged, and others are not."""
    iam = account.client("iam")
    policy = json.dumps(allow("s3:GetObject"))
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.id}}
    iam.create_user(UserName="bare")
    iam.create_user(UserName="Bob", Path="/x/", Tags=[USER, {"Key": "env", "Value": "prod"}])
    iam.create_role(
        RoleName="job",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    iam.create_policy(PolicyName="plan", PolicyDocument=policy, Tags=[USER])
    iam.create_instance_profile(InstanceProfileName="box", Tags=[USER])
    iam.create_open_id_connect_provider(Url="https://idp.example", ThumbprintList=["a" * 40], Tags=[USER])
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Tags=[USER])
    return account


def test_resources_are_found_with_all_their_tags(tagged: Any):
    found = tagged.client("resourcegroupstaggingapi").get_resources()

    everything = ["instance-profile/box", "mfa/phone", "oidc-provider/idp.example", "policy/plan", "role/job", "user/x/Bob"]
    assert everything == shown(found)
    assert "" == found["PaginationToken"]
    bob = {"ResourceARN": f"arn:aws:iam::{tagged.id}:user/x/Bob", "Tags": [{"Key": "env", "Value": "prod"}, USER]}
    assert bob == found["ResourceTagMappingList"][-1]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"TagFilters": [{"Key": "team", "Values": ["blue", "green"]}]}, ["role/job"]),
        ({"TagFilters": [{"Key": "team"}, {"Key": "env", "Values": ["prod"]}]}, ["user/x/Bob"]),
        ({"TagFilters": [{"Key": "Team"}]}, []),
        ({"ResourceTypeFilters": ["iam:role", "iam:mfa"]}, ["mfa/phone", "role/job"]),
        ({"ResourceTypeFilters": ["ec2:instance"]}, []),
        ({"ResourceTypeFilters": ["iam"], "TagFilters": [{"Key": "env"}]}, ["user/x/Bob"]),
    ],
)
def test_resources_are_found_by_tag_and_type(tagged: Any, parameters: dict[str, Any], expected: list[str]):
    assert expected == shown(tagged.client("resourcegroupstaggingapi").get_resources(**parameters))


def test_tagged_resources_are_given_page_by_page_and_by_arn(tagged: Any):
    client = tagged.client("resourcegroupstaggingapi")
    pages = list(client.get_paginator("get_resources").paginate(ResourcesPerPage=4))
    role = f"arn:aws:iam::{tagged.id}:role/job"

    assert [4, 2] == [len(shown(page)) for page in pages]
    assert ["role/job"] == shown(client.get_resources(ResourceARNList=[role]))
    assert "InvalidParameterException" == refused(client.get_resources, PaginationToken="x")[1]


def test_what_iam_has_is_in_us_east_1_and_nobody_elses(tagged: Any, crown: Any):
    other = crown.account()

    assert [] == shown(tagged.client("resourcegroupstaggingapi", region="eu-west-1").get_resources())
    assert [] == shown(other.client("resourcegroupstaggingapi").get_resources())


@pytest.mark.parametrize(
    "parameters",
    [
        {"ResourcesPerPage": 0},
        {"ResourcesPerPage": 101},
        {"TagsPerPage": 150},
        {"ResourceTypeFilters": ["IAM user"]},
        {"ResourceARNList": ["arn:aws:iam::123456789012:user/x"], "ResourcesPerPage": 5},
        {"IncludeComplianceDetails": True},
    ],
)
def test_what_resources_cannot_be_found_by_is_an_invalid_parameter(account: Any, parameters: dict[str, Any]):
    answer = refused(account.client("resourcegroupstaggingapi").get_resources, **parameters)

    assert (400, "InvalidParameterException") == answer[:2]


def test_finding_resources_is_decided_on_and_recorded(account: Any):
    nobody = account.user("nobody")

    assert "AccessDeniedException" == refused(nobody.client("resourcegroupstaggingapi").get_resources)[1]

    denied = next(each for each in account.records() if each["eventSource"] == "tagging.amazonaws.com")
    assert ("GetResources", "AccessDenied") == (denied["eventName"], denied["errorCode"])


def test_what_is_not_served_of_the_tagging_api_is_refused_by_its_name(account: Any):
    answer = refused(account.client("resourcegroupstaggingapi").get_tag_keys)

    assert (400, "UnknownOperationException", "operation `GetTagKeys` is not served here") == answer


@pytest.mark.parametrize(("service", "operation"), [("route53", "list_hosted_zones"), ("cloudfront", "list_distributions")])
def test_a_service_that_is_not_served_says_so_to_clients_that_read_xml(account: Any, service: str, operation: str):
    with pytest.raises(ClientError) as refused:
        getattr(account.client(service), operation)()

    assert "no operation that is served here is asked for by GET /20" in refused.value.response["Error"]["Message"]


def test_older_clients_ask_the_tagging_api_in_json():
    headers = {"x-amz-target": "ResourceGroupsTaggingAPI_20170126.GetResources", "content-type": "application/x-amz-json-1.1"}
    asked: dict[str, Any] = {"method": "POST", "path": "/", "query": "", "headers": headers, "scope": "tagging"}

    found = route.find(**asked, body=b"{}")

    assert isinstance(found, route.Route)
    assert {"ResourcesPerPage": 5} == decode(found, query="", headers=headers, body=b'{"ResourcesPerPage":5}', bounds=CALLERS)
    written = encode(found.operation, {"PaginationToken": ""}, request_id="x", protocol=found.protocol)
    assert b'{"PaginationToken":""}' == written.body


# CBOR from strangers.


@given(body=st.binary(max_size=60))
def test_whatever_bytes_are_sent_are_read_as_cbor_or_refused(body: bytes):
    try:
        cbor.read(body)
    except errors.SerializationException:
        return


@pytest.mark.parametrize(
    "body",
    [
        b"\x81" * 100_000 + b"\x00",
        b"\x9f" * 100_000,
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\xff" * 8,
        b"\x5b" + b"\xff" * 8,
        b"\x9f" + b"\x00" * 10_001 + b"\xff",
        b"\x7f" + b"\x60" * 10_001 + b"\xff",
        b"\xa1\x00\x00",
        b"\x61\xff",
        b"\x00\x00",
        b"\xc1" * 100_000 + b"\x00",
        b"",
        b"\x80",
        b"\x60",
    ],
    ids=lambda body: f"{body[:2].hex()}-{len(body)}",
)
def test_cbor_that_is_no_map_or_too_deep_too_large_or_broken_is_refused(body: bytes):
    with pytest.raises(errors.SerializationException):
        cbor.read_map(body)
