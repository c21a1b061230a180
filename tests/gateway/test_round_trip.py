"""Every operation of every service both ways: what botocore writes we read, what we write botocore reads, and errors too."""

import re
from datetime import UTC
from random import Random
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp
from tests.gateway import generated

from crownkeep import errors, models
from crownkeep.errors import AwsError
from crownkeep.gateway.bounds import CALLERS
from crownkeep.gateway.decode import decode
from crownkeep.gateway.encode import encode, encode_error
from crownkeep.gateway.route import Route, find
from crownkeep.models.services import OperationModel

SESSION = botocore.session.get_session()
THEIRS = {name: SESSION.get_service_model(name) for name in models.SERVICES}
OPERATIONS = [(service, name) for service in models.SERVICES for name in models.service(service).operations]
ERRORS = [(service, code) for service in models.SERVICES for code in models.service(service).errors]
MESSAGE = "Müller & <Söhne>"
SHAPES = [generated.full, generated.some, generated.some]


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_request_as_botocore_writes_it_is_read_as_it_was_meant(service, name):
    operation = models.service(service).operations[name]
    random = Random(name)
    for make in SHAPES:
        parameters = make(operation.input, random) if operation.input else {}
        sent = serialize(service, name, parameters)

        route = find(**sent, scope=operation.service.signing_names[0])
        assert isinstance(route, Route), route
        decoded = decode(route, query=sent["query"], headers=sent["headers"], body=sent["body"], bounds=CALLERS)

        assert operation is route.operation
        assert parameters == decoded


@pytest.mark.parametrize(("service", "name"), [pair for pair in OPERATIONS if pair[0] not in ("iam", "sts")])
def test_a_request_is_routed_without_a_signature_as_well(service, name):
    operation = models.service(service).operations[name]
    parameters = generated.full(operation.input, Random(name)) if operation.input else {}

    route = find(**serialize(service, name, parameters), scope=None)

    assert isinstance(route, Route)
    # Services have paths such as that of tags in common: only a signature tells which of them is meant.
    assert operation is route.operation or _place(operation) == _place(route.operation)


def _place(operation: OperationModel) -> tuple[str, str]:
    return operation.method, re.sub(r"\{[^}]*\}", "{}", operation.request_uri)


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_an_answer_as_we_write_it_is_read_by_botocore_as_it_was_meant(service, name):
    operation = models.service(service).operations[name]
    random = Random(name)
    for make in SHAPES:
        result = make(operation.output, random) if operation.output else {}

        spoken = THEIRS[service].resolved_protocol
        written = encode(operation, result, request_id="11111111-2222-3333-4444-555555555555", protocol=spoken)

        assert written.status == THEIRS[service].operation_model(name).http.get("responseCode", 200)
        parsed = parse(service, written, THEIRS[service].operation_model(name).output_shape)
        assert parsed.pop("ResponseMetadata")["RequestId"] == "11111111-2222-3333-4444-555555555555"
        assert result == parsed


@pytest.mark.parametrize(("service", "code"), ERRORS)
def test_an_error_as_we_write_it_is_read_by_botocore_with_its_code_status_and_members(service, code):
    model = models.service(service).errors[code]
    members = {
        name: value
        for name, value in generated.full(model.shape, Random(code)).items()
        if name.lower() not in ("message", "errortype", "error_description")
    }

    written = encode_error(
        error_with(code, MESSAGE, members),
        protocol=models.service(service).protocol,
        service=models.service(service),
        request_id="the-id",
    )

    assert model.status == written.status
    parsed = parse(service, written, None)
    assert code == parsed["Error"]["Code"]
    assert parsed["ResponseMetadata"]["RequestId"] == "the-id"
    own = parse(service, written, THEIRS[service].shape_for(model.shape_name))
    assert (own["error_description"] if service == "sso-oidc" else parsed["Error"]["Message"]) == MESSAGE
    assert members == {name: own[name] for name in members}


COMMON = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AwsError)]


@pytest.mark.parametrize("service", models.SERVICES)
@pytest.mark.parametrize("kind", COMMON, ids=lambda kind: kind.__name__)
def test_any_error_in_any_service_is_one_that_botocore_can_read(service, kind):
    model = models.service(service)

    written = encode_error(kind("It won't do."), protocol=model.protocol, service=model, request_id="the-id")

    parsed = parse(service, written, None)
    assert 400 <= written.status < 600
    assert parsed["Error"]["Message"] == "It won't do." or service == "sso-oidc"
    assert parsed["Error"]["Code"]


def error_with(code, message, members):
    error = AwsError(message, members=members)
    error.code = code
    return error


def serialize(service, name, parameters):
    """Return a request as botocore sends it, in the words of `find`."""
    theirs = THEIRS[service]
    serializer = create_serializer(theirs.resolved_protocol, include_validation=False)
    request = serializer.serialize_to_request(parameters, theirs.operation_model(name))
    prepare_request_dict(request, endpoint_url="https://example.com", context={})
    prepared = create_request_object(request).prepare()
    url = urlsplit(prepared.url)
    body = prepared.body or b""
    headers = {key.lower(): text(value) for key, value in prepared.headers.items()}
    return {
        "method": prepared.method,
        "path": url.path,
        "query": url.query,
        "headers": headers,
        "body": body.encode() if isinstance(body, str) else body,
    }


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


def parse(service, written, shape):
    response = {
        "status_code": written.status,
        "headers": HeadersDict({name.decode(): value.decode("latin-1") for name, value in written.headers}),
        "body": written.body,
        "context": {},
    }
    parser = create_parser(THEIRS[service].resolved_protocol)
    parser._timestamp_parser = lambda moment: parse_timestamp(moment).astimezone(UTC)
    return parser.parse(response, shape)
