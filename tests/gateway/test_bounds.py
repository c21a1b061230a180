"""Denial of service by small requests: what strangers and callers may make this server parse."""

from __future__ import annotations

import gzip
import json
import re
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account, Crown
from tests.fixtures.patience import bounded

from crownkeep import models
from crownkeep.errors import AwsError
from crownkeep.gateway import json_input, query_input
from crownkeep.gateway.bounds import CALLERS, STRANGERS
from crownkeep.gateway.form import read_form
from crownkeep.gateway.json_input import DEEPEST_NESTING

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
ASSUME_ROLE = models.service("sts").operations["AssumeRole"]


def token(crown: Crown, body: bytes, **headers: str) -> Response:
    return crown.request("POST", "/v1/token", headers={**JSON, **headers}, body=body)


def web_identity(crown: Crown, **parameters: str) -> Response:
    named = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", **parameters}
    return crown.request("POST", "/", headers=FORM, body=urlencode(named).encode())


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_denial_of_service_a_stranger_s_compressed_body_is_not_unpacked(crown: Crown, coding: str):
    answer = token(crown, gzip.compress(b"{}"), **{"content-encoding": coding})

    assert 415 == answer.status
    assert "signed requests alone" in answer.text


def test_denial_of_service_a_compressed_body_with_a_false_signature_is_not_unpacked(account: Account):
    credential = f"{account.created['admin']['access_key_id']}/20261129/us-east-1/sts/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    headers = {**FORM, "x-amz-date": "20261129T000000Z", "authorization": signed, "content-encoding": "gzip"}

    answer = account.crown.request("POST", "/", headers=headers, body=b"no gzip at all")

    # It is refused for who sent it: nobody has looked into it.
    assert re.search("<Code>(RequestExpired|SignatureDoesNotMatch)</Code>", answer.text)


def test_denial_of_service_a_stranger_s_list_of_ten_thousand_lists_is_not_parsed(crown: Crown):
    answer = token(crown, b"[" + b"[]," * 10_000 + b"[]]")

    assert 400 == answer.status
    assert f"more than {STRANGERS.elements:,} elements" in answer.text


def test_denial_of_service_a_stranger_s_thousands_of_parameters_are_not_read(crown: Crown):
    answer = web_identity(crown, **{f"PolicyArns.member.{number}.arn": "x" for number in range(2_000)})

    assert f"at most {STRANGERS.elements:,} are read" in answer.text


def test_denial_of_service_a_stranger_s_names_of_many_parts_are_not_taken_apart(crown: Crown):
    answer = web_identity(crown, **{f"PolicyArns.{number}" + ".a" * 60: "x" for number in range(100)})

    assert f"more than {STRANGERS.elements:,} parts" in answer.text


def test_denial_of_service_a_stranger_s_body_beyond_what_strangers_need_is_not_read(crown: Crown):
    answer = token(crown, b" " * (STRANGERS.body + 1))

    assert 413 == answer.status


DEEP = [DEEPEST_NESTING + 2, 5_000, 80_000]


def signed(account: Account, service: str, body: bytes, path: str = "/", **headers: str) -> Response:
    """Send a body as the account's administrator signs it."""
    answer = account.created["admin"]
    request = AWSRequest("POST", f"http://keep.example{path}", headers={**headers, "host": "keep.example"}, data=body)
    SigV4Auth(Credentials(answer["access_key_id"], answer["secret_access_key"]), service, "us-east-1").add_auth(request)
    return account.crown.request("POST", path, headers=dict(request.headers), body=body)


@pytest.mark.parametrize("depth", DEEP)
@pytest.mark.parametrize("into", ["lists", "objects", "a parameter", "an unknown member"])
def test_denial_of_service_a_signed_json_body_that_nests_deep_is_refused_by_the_service(account: Account, depth: int, into: str):
    body = {
        "lists": b"[" * depth + b"]" * depth,
        "objects": b'{"Parents":' * depth + b"1" + b"}" * depth,
        "a parameter": b'{"Filter":' + b"[" * depth + b"]" * depth + b"}",
        "an unknown member": b'{"Nobody":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}",
    }[into]
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSOrganizationsV20161128.ListPolicies"}

    answer = signed(account, "organizations", body, **headers)

    assert (400, True) == (answer.status, "SerializationException" in answer.text), answer.text[:300]
    assert 200 == signed(account, "iam", b"Action=ListUsers&Version=2010-05-08", **FORM).status


@pytest.mark.parametrize("depth", DEEP)
@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"\x81", b""), (b"\x9f", b"\xff"), (b"\xa1\x61a", b""), (b"\xbf\x61a", b"\xff"), (b"\xc1", b"")],
    ids=["lists", "endless lists", "maps", "endless maps", "tags"],
)
def test_denial_of_service_a_signed_cbor_body_that_nests_deep_is_refused_by_the_service(
    account: Account, depth: int, opening: bytes, closing: bytes
):
    body = b"\xa1\x6aTagFilters" + opening * depth + b"\x00" + closing * depth
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "accept": "application/cbor"}
    path = "/service/ResourceGroupsTaggingAPI_20170126/operation/GetResources"

    answer = signed(account, "tagging", body, path, **headers)

    assert (400, True) == (answer.status, b"SerializationException" in answer.body), answer.body[:300]
    assert 200 == signed(account, "iam", b"Action=ListUsers&Version=2010-05-08", **FORM).status


def test_a_saml_assertion_of_the_greatest_length_is_read_of_strangers(crown: Crown):
    # 100,000 characters, each of which may be an escape.
    assertion = "+" * 85_000
    named = {"Action": "AssumeRoleWithSAML", "Version": "2011-06-15", "SAMLAssertion": assertion}
    arns = {"RoleArn": "arn:aws:iam::111122223333:role/R", "PrincipalArn": "arn:aws:iam::111122223333:saml-provider/P"}

    answer = crown.request("POST", "/", headers=FORM, body=urlencode(named | arns).encode())

    assert 413 != answer.status
    assert "InvalidIdentityToken" in answer.text or "AccessDenied" in answer.text


def test_denial_of_service_a_query_string_of_thousands_of_parameters_is_refused(crown: Crown):
    answer = crown.request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15" + "&a" * 3_000)

    assert "MalformedQueryString" in answer.text


def test_what_stands_in_a_string_is_no_element():
    policy = json.dumps({"Statement": [{"Sid": f"s{number}", "Action": ["a", "b"]} for number in range(5_000)]})
    body = json.dumps({"policyDocument": policy, "policyType": "IDENTITY_POLICY"}).encode()

    read = json_input.read_json(body)

    assert isinstance(read, dict)
    assert policy == read["policyDocument"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 340_000 + b"[]]",
        b"[" + b"{}," * 340_000 + b"{}]",
        b"[" * 1_000_000,
        b'"' + b'\\"' * 500_000,
        b'"' * 1_000_000,
        b'"' + b"\\" * 1_000_001,
        b"," * 20_000 + b'"' + b'\\"' * 450_000 + b"\\",
    ],
    ids=range(7),
)
def test_denial_of_service_a_hostile_json_text_of_a_mebibyte_is_refused_before_it_is_made_into_objects(body: bytes):
    with bounded(), pytest.raises(AwsError):
        json_input.read_json(body)


def test_denial_of_service_dotted_names_have_no_more_parts_than_there_are_elements():
    form = {f"Tags.member.{number}" + ".a" * 50: "x" for number in range(1 + CALLERS.elements // 52)}

    with pytest.raises(AwsError, match="parts"):
        query_input.decode(ASSUME_ROLE, form)


def test_names_of_parameters_that_an_operation_does_not_have_are_passed_over():
    form = {f"Unknown{number}" + ".a" * 60: "x" for number in range(1_000)} | {"RoleSessionName": "ann"}

    assert {"RoleSessionName": "ann"} == query_input.decode(ASSUME_ROLE, form)


@given(value=st.recursive(st.integers() | st.text(max_size=5), lambda each: st.lists(each) | st.dictionaries(st.text(), each)))
def test_a_text_has_as_many_elements_as_were_counted_or_fewer(value: object):
    body = json.dumps(value).encode()

    assert value == json_input.read_json(body, most=_elements(value))


def _elements(value: object) -> int:
    """Count containers and the commas between their members."""
    if not isinstance(value, list | dict):
        return 0
    inner = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(0, len(inner) - 1) + sum(map(_elements, inner))


def test_a_form_of_as_many_parameters_as_may_be_is_read():
    body = b"&".join(b"a%d=" % number for number in range(CALLERS.elements))

    assert CALLERS.elements == len(read_form(body))
