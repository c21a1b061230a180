"""The protocol cases that botocore publishes for clients, run in reverse: what a client sends we read, what it reads we write."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel as TheirOperation
from botocore.model import ServiceModel as TheirService
from botocore.parsers import EC2QueryParser, JSONParser, QueryParser, RestJSONParser, RestXMLParser, RpcV2CBORParser
from botocore.utils import parse_timestamp

from crownkeep import models
from crownkeep.errors import AwsError
from crownkeep.gateway import cbor, encode, json_input, query_input, rest_input, route
from crownkeep.gateway.form import read_form

CASES = Path(__file__).parents[2] / ".tools" / f"botocore-sdist-{version('botocore')}"
FOLDERS = ("", "legacy/")
FILES = ("query", "json", "json_1_0", "rest-json", "rest-xml", "ec2", "smithy-rpc-v2-cbor")
PARSERS = {
    "query": QueryParser,
    "json": JSONParser,
    "rest-json": RestJSONParser,
    "rest-xml": RestXMLParser,
    "ec2": EC2QueryParser,
    "smithy-rpc-v2-cbor": RpcV2CBORParser,
}

# Cases that don't hold for a server, by the reason.
REASONS = {
    "it says only that the client compresses": [
        "SDKAppliedContentEncoding_awsQuery",
        "SDKAppliedContentEncoding_awsJson1_1",
        "SDKAppliedContentEncoding_awsJson1_0",
        "SDKAppliedContentEncoding_restJson1",
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery",
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1",
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0",
        "SDKAppendedGzipAfterProvidedEncoding_restJson1",
        "SDKAppliedContentEncoding_restXml",
        "SDKAppliedContentEncoding_ec2Query",
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query",
        "SDKAppendedGzipAfterProvidedEncoding_restXml",
    ],
    "the client makes up a token that its caller didn't give": [
        "QueryProtocolIdempotencyTokenAutoFill",
        "RestJsonQueryIdempotencyTokenAutoFill",
        "legacy/query-input-12-1",
        "legacy/json-input-6-1",
        "legacy/rest-json-input-19-1",
        "legacy/rest-json-input-26-1",
        "QueryIdempotencyTokenAutoFill",
        "legacy/rest-xml-input-26-1",
        "Ec2ProtocolIdempotencyTokenAutoFill",
        "legacy/ec2-input-8-1",
    ],
    "the client leaves out what is empty, so nobody can tell it from what is absent": [
        "QueryEmptyQueryMaps",
        "Ec2EmptyQueryLists",
        "RestJsonOmitsEmptyListQueryValues",
        "RestJsonHttpWithEmptyStructurePayload",
        "RestJsonHttpWithHeadersButNoPayload",
        "legacy/rest-json-input-25-2",
        "legacy/rest-json-input-25-4",
        "legacy/rest-json-input-25-7",
    ],
    "the case gives JSON as text, and a server hands on what it means": [
        "serializes_string_shapes_with_jsonvalue_trait",
        "MediaTypeHeaderInputBase64",
    ],
    "a server's map of query parameters holds every one of them": [
        "RestJsonQueryParamsStringListMap",
        "RestJsonQueryPrecedence",
        "RestXmlQueryParamsStringListMap",
        "RestXmlQueryPrecedence",
        "AllQueryStringTypes",
        "RestXmlQueryStringEscaping",
        "RestXmlSupportsNaNFloatQueryValues",
        "RestXmlSupportsInfinityFloatQueryValues",
        "RestXmlSupportsNegativeInfinityFloatQueryValues",
        "RestXmlZeroAndFalseQueryValues",
    ],
    "the path holds a part of the client's own endpoint": ["RestJsonHostWithPath"],
    "models no longer name the payload beside the input": [
        "legacy/rest-json-input-12-0",
        "legacy/rest-json-input-13-0",
        "legacy/rest-json-input-18-0",
    ],
    "AWS's answers are written to the second": [
        "AwsQueryDateTimeWithFractionalSeconds",
        "Ec2QueryDateTimeWithFractionalSeconds",
        "AwsJson11DateTimeWithFractionalSeconds",
        "RestJsonDateTimeWithFractionalSeconds",
        "RestXmlDateTimeWithFractionalSeconds",
    ],
    "botocore's own parser doesn't read it (its ignore list says so)": [
        "QueryComplexError",
        "QueryXmlLists",
        "Ec2ComplexError",
        "Ec2XmlLists",
        "RestJsonHttpPayloadTraitsWithNoBlobBody",
        "RestJsonHttpPayloadWithUnsetUnion",
        "RestJsonInputAndOutputWithQuotedStringHeaders",
        "RestJsonInputAndOutputWithTimestampHeaders",
        "HttpPayloadTraitsWithNoBlobBody",
        "RestXmlHttpPayloadWithUnsetUnion",
        "InputAndOutputWithTimestampHeaders",
        "XmlLists",
    ],
    "the map takes in the answer's own headers": ["HttpPrefixHeadersResponse", "legacy/rest-json-output-9-0"],
    "a server writes no member that its model doesn't have": ["legacy/rest-json-output-17-2", "legacy/rest-xml-output-16-2"],
    "no operation served here answers with a stream of events": [
        "legacy/json-output-6-0",
        "legacy/rest-xml-output-14-0",
        "legacy/rest-xml-output-14-1",
        "legacy/rest-xml-output-14-2",
    ],
    "models no longer say of a shape, but of a member, that a header carries it": [
        "legacy/rest-xml-output-0-0",
        "legacy/rest-xml-output-0-1",
        "legacy/rest-xml-output-10-0",
        "legacy/rest-xml-output-15-0",
        "legacy/rest-xml-input-11-0",
    ],
    "no answer that is served has a shape with a name of its own on the wire": ["BodyWithXmlName"],
}
NOT_OURS = {name for names in REASONS.values() for name in names}


def cases(direction):
    """Return every case of one direction as pytest's parameters, or one that fails and says what to do."""
    if not CASES.exists():
        return [pytest.param(None, None, id="the cases are missing")]
    return [
        pytest.param(suite, case, id=name)
        for folder in FOLDERS
        for file in FILES
        for name, suite, case in named_cases(folder, file, direction)
        if name not in NOT_OURS and not has_xml_body(case)
    ]


def has_xml_body(case):
    """Tell whether a client sends XML, which nobody reads here: no operation that is served takes a body in it."""
    return "<" in case.get("serialized", {}).get("body", "")


def named_cases(folder, file, direction):
    path = CASES / folder / direction / f"{file}.json"
    for number, suite in enumerate(json.loads(path.read_text()) if path.exists() else []):
        for index, case in enumerate(suite["cases"]):
            yield case.get("id", f"{folder}{file}-{direction}-{number}-{index}"), suite, case


@pytest.mark.parametrize(("suite", "case"), cases("input"))
def test_what_a_client_sends_is_read_as_it_was_meant(suite, case):
    assert suite is not None, "run scripts/fetch_protocol_cases.py first"
    operation = compile_case(suite, case)

    decoded = decode(operation, case["serialized"])

    assert without_nulls(case.get("params", {})) == plain(decoded)


@pytest.mark.parametrize(("suite", "case"), cases("output"))
def test_what_we_write_is_what_a_client_should_read(suite, case):
    assert suite is not None, "run scripts/fetch_protocol_cases.py first"
    operation = compile_case(suite, case)

    if "error" in case:
        check_error(suite, case, operation)
    else:
        check_result(suite, case, operation)


def test_every_exception_is_a_case_that_exists():
    names = {
        name
        for folder in FOLDERS
        for file in FILES
        for direction in ("input", "output")
        for name, _, _ in named_cases(folder, file, direction)
    }

    assert set() == NOT_OURS - names


@cache
def _compiled(text):
    return models.compile_service("example", text)


def compile_case(suite, case):
    given = dict(case["given"])
    given["http"] = {"responseCode": case.get("response", {}).get("status_code", 200)} | given.get("http", {})
    if suite["metadata"]["protocol"] == "query" and given.get("output"):
        given["output"] = given["output"] | {"resultWrapper": f"{given['name']}Result"}
    document = {
        "metadata": suite["metadata"],
        "operations": {given["name"]: given},
        "shapes": suite["shapes"],
    }
    return _compiled(msgspec.json.encode(document)).operation(given["name"])


# Requests.


def decode(operation, sent):
    uri = urlsplit(sent["uri"])
    headers = {name.lower(): value for name, value in sent.get("headers", {}).items()}
    body = sent.get("body", "").encode()
    match operation.service.protocol:
        case "query" | "ec2":
            return query_input.decode(operation, read_form(body))
        case "json":
            return {} if operation.input is None else json_input.decode(operation.input, body)
        case "smithy-rpc-v2-cbor":
            content = cbor.read_map(b64decode(sent["body"])) if sent.get("body") else {}
            return {} if operation.input is None else json_input.decode_object(operation.input, content)
        case _:
            path = sent["uri"].partition("?")[0]
            found = route._match(operation.service, operation.method, path, uri.query)
            return rest_input.decode(operation, labels=found.labels, query=uri.query, headers=headers, body=body)


def without_nulls(value):
    """Return a case's parameters as a server sees them: what a client leaves out is not there."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return value


def plain(value):
    """Return decoded parameters as the cases write them: moments as seconds, blobs as text."""
    match value:
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list():
            return [plain(each) for each in value]
        case datetime():
            return value.timestamp()
        case bytes():
            return value.decode()
        case float() if value != value or value in (float("inf"), float("-inf")):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        case _:
            return value


# Answers.


def check_result(suite, case, operation):
    result = as_answered(operation.output, case["result"]) if operation.output else {}

    written = encode.encode(operation, result, request_id="foo-id")

    assert case["response"]["status_code"] == written.status
    parsed = parse(suite, case, written, operation)
    parsed.pop("ResponseMetadata", None)
    assert case["result"] == plain(parsed)


def check_error(suite, case, operation):
    error = AwsError(case.get("errorMessage", ""), members=as_answered_error(operation, case))
    error.code = case["errorCode"]

    written = encode.encode_error(error, protocol=operation.service.protocol, service=operation.service, request_id="foo-id")

    parsed = parse(suite, case, written, operation)
    assert case["errorCode"] == parsed["Error"]["Code"]
    assert case.get("errorMessage", "") == parsed["Error"]["Message"]
    assert case["response"]["status_code"] == written.status
    own = operation.service.errors.get(case["errorCode"])
    if own is None:
        return
    members = parse(suite, case, written, operation, shape=own.shape.name)
    for key in ("ResponseMetadata", "Error"):
        members.pop(key, None)
    assert case["error"] == plain(members)


def as_answered(shape, value):
    """Return a case's values as a handler would: moments as datetimes, blobs as bytes."""
    if value is None or shape.document:
        return value
    match shape.type:
        case "structure":
            return {name: as_answered(shape.members[name].shape, each) for name, each in value.items()}
        case "list":
            return [as_answered(shape.element.shape, each) for each in value]
        case "map":
            return {key: as_answered(shape.entry[1].shape, each) for key, each in value.items()}
        case "timestamp":
            return datetime.fromtimestamp(value, UTC)
        case "blob":
            return value.encode()
        case "float" | "double":
            return float(value)
        case _:
            return value


def as_answered_error(operation, case):
    if case["errorCode"] not in operation.service.errors:
        return {}
    shape = operation.service.errors[case["errorCode"]].shape
    return as_answered(shape, {name: value for name, value in case["error"].items() if name.lower() != "message"})


def parse(suite, case, written, operation, shape=None):
    document = dict(suite) | {"operations": {operation.name: case["given"]}}
    theirs = TheirService(document)
    their_shape = theirs.shape_for(shape) if shape else TheirOperation(case["given"], theirs).output_shape
    if their_shape is not None and not shape and operation.result_wrapper:
        their_shape.serialization["resultWrapper"] = operation.result_wrapper
    response = {
        "status_code": written.status,
        "headers": HeadersDict({name.decode(): value.decode("latin-1") for name, value in written.headers}),
        "body": written.body,
        "context": {"operation_name": operation.name},
    }
    parser = PARSERS[suite["metadata"]["protocol"]](timestamp_parser=lambda text: parse_timestamp(text).astimezone(UTC))
    return parser.parse(response, their_shape)
