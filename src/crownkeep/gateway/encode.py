"""Returns to bytes: results and errors by the model, in the protocol that the request spoke."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crownkeep.errors import AwsError
from crownkeep.gateway import cbor, json_output, rest_output
from crownkeep.gateway.error_codes import WireError, spell
from crownkeep.gateway.json_output import write_json
from crownkeep.gateway.rest_output import PLAIN_JSON
from crownkeep.gateway.xml_output import escape, write_members
from crownkeep.models import OperationModel, ServiceModel, Shape
from crownkeep.values import value_type

Headers = tuple[tuple[bytes, bytes], ...]


@value_type(frozen=True, slots=True)
class Encoded:
    """An answer as ASGI sends it: header names in lower case."""

    status: int
    headers: Headers
    body: bytes


_XML = (b"content-type", b"text/xml")
_CBOR = ((b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor"))
_XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def encode(
    operation: OperationModel, result: Mapping[str, object], *, request_id: str, accept: str = "", protocol: str = ""
) -> Encoded:
    """Write an operation's result, given by the model's member names; members it doesn't have are left out.

    A query service answers JSON where `accept` asks for `application/json`, as AWS's do (the Kubernetes authenticator
    relies on it for GetCallerIdentity). `protocol` is what the request spoke, where its service speaks several.
    """
    # A member that is unknown to the model is not written: a handler can't leak a field by returning too much.
    match protocol or operation.service.protocol:
        case "query" if _accepts_json(accept):
            return Encoded(200, _headers(request_id, PLAIN_JSON), _query_json(operation, result, request_id))
        case "query":
            return Encoded(200, _headers(request_id, _XML), _query_xml(operation, result, request_id))
        case "ec2":
            return Encoded(200, _headers(request_id, _XML), _ec2_xml(operation, result, request_id))
        case "json":
            body = b"" if operation.output is None else write_json(json_output.convert(operation.output, result))
            return Encoded(200, _headers(request_id, _json_type(operation.service)), body)
        case "smithy-rpc-v2-cbor":
            body = b"" if operation.output is None else cbor.write_members(operation.output, result)
            return Encoded(200, _headers(request_id, *_CBOR), body)
        case _:
            status, headers, written = rest_output.write(operation, result)
            return Encoded(status, _headers(request_id, *headers, is_s3=operation.service.protocol == "rest-xml"), written)


def encode_error(error: AwsError, *, protocol: str, service: ServiceModel | None, request_id: str, accept: str = "") -> Encoded:
    """Write an error with its code as the protocol spells it, its status by the model, and its further members."""
    wire = spell(error.code, protocol=protocol, service=service)
    match protocol:
        case "query" if _accepts_json(accept):
            return Encoded(wire.status, _headers(request_id, PLAIN_JSON), _query_error_json(error, wire, request_id))
        case "query":
            body = _query_error_xml(error, wire, service, request_id)
            return Encoded(wire.status, _headers(request_id, _XML), body)
        case "ec2":
            return Encoded(wire.status, _headers(request_id, _XML), _ec2_error(error, wire, request_id))
        case "rest-xml":
            body = _rest_xml_error(error, wire, service, request_id)
            headers = _headers(request_id, rest_output.PLAIN_XML, *_error_headers(error, wire), is_s3=True)
            return Encoded(wire.status, headers, body)
        case "smithy-rpc-v2-cbor":
            return Encoded(wire.status, _headers(request_id, *_CBOR), _cbor_error(error, wire))
        case "json":
            body = write_json({"__type": _json_name(wire), **_error_members(error, wire)})
            return Encoded(wire.status, _headers(request_id, _json_type(service)), body)
        case _ if service is not None and service.name == "scim":
            # Directories wait that long (Identity Center's developer guide on throttled requests; RFC 6585, section 4).
            wait = [(b"retry-after", b"1")] if wire.status == 429 else []
            return Encoded(wire.status, _headers(request_id, PLAIN_JSON, *wait), _scim_error(error, wire, request_id))
        case _:
            type_header = (b"x-amzn-errortype", _json_name(wire).encode())
            headers = _headers(request_id, PLAIN_JSON, type_header, *_error_headers(error, wire))
            return Encoded(wire.status, headers, write_json(_error_members(error, wire)))


def _accepts_json(accept: str) -> bool:
    # Only the first type in the header counts: browsers list `application/json` somewhere as well.
    return "json" in accept and accept.partition(",")[0].partition(";")[0].strip().lower() == "application/json"


def _headers(request_id: str, *others: tuple[bytes, bytes], is_s3: bool = False) -> Headers:
    return ((b"x-amz-request-id" if is_s3 else b"x-amzn-requestid", rest_output.header_text(request_id)), *others)


def _json_type(service: ServiceModel | None) -> tuple[bytes, bytes]:
    version = (service.json_version if service else None) or "1.1"
    return (b"content-type", f"application/x-amz-json-{version}".encode())


# Query results.


def _query_xml(operation: OperationModel, result: Mapping[str, object], request_id: str) -> bytes:
    start, wrapper, shape, end = _query_frame(operation)
    out = [start]
    if shape is not None:
        if wrapper:
            out.append(f"<{wrapper}>")
        write_members(shape, result, out)
        if wrapper:
            out.append(f"</{wrapper}>")
    out.append(f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata>{end}")
    return "".join(out).encode()


@cache
def _query_frame(operation: OperationModel) -> tuple[str, str | None, Shape | None, str]:
    name = f"{operation.name}Response"
    namespace = operation.service.xml_namespace
    start = f'<{name} xmlns="{namespace}">' if namespace else f"<{name}>"
    return start, operation.result_wrapper, operation.output, f"</{name}>"


def _ec2_xml(operation: OperationModel, result: Mapping[str, object], request_id: str) -> bytes:
    start, _, shape, end = _query_frame(operation)
    out = [_XML_HEAD, start, f"<requestId>{escape(request_id)}</requestId>"]
    if shape is not None:
        write_members(shape, result, out)
    return "".join([*out, end]).encode()


def _query_json(operation: OperationModel, result: Mapping[str, object], request_id: str) -> bytes:
    content: dict[str, object] = {}
    if operation.output is not None:
        converted = json_output.convert(operation.output, result)
        content = {operation.result_wrapper: converted} if operation.result_wrapper else converted
    metadata = {"ResponseMetadata": {"RequestId": request_id}}
    return write_json({f"{operation.name}Response": content | metadata})


# Errors.


def _query_error_xml(error: AwsError, wire: WireError, service: ServiceModel | None, request_id: str) -> bytes:
    namespace = service.xml_namespace if service else None
    out = [
        f'<ErrorResponse xmlns="{namespace}">' if namespace else "<ErrorResponse>",
        f"<Error><Type>{_fault(wire)}</Type><Code>{escape(wire.code)}</Code>",
        f"<Message>{escape(error.message)}</Message>" if error.message else "",
    ]
    if wire.model is not None:
        write_members(wire.model.shape, error.members, out)
    out.append(f"</Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>")
    return "".join(out).encode()


def _ec2_error(error: AwsError, wire: WireError, request_id: str) -> bytes:
    # Refusals by policy begin with this sentence in EC2 alone.
    sentence = "You are not authorized to perform this operation. " if wire.code == "UnauthorizedOperation" else ""
    out = [f"{_XML_HEAD}<Response><Errors><Error><Code>{escape(wire.code)}</Code>"]
    out.append(f"<Message>{sentence}{escape(error.message)}</Message>" if error.message else "")
    if wire.model is not None:
        write_members(wire.model.shape, error.members, out)
    return "".join([*out, f"</Error></Errors><RequestID>{escape(request_id)}</RequestID></Response>"]).encode()


def _rest_xml_error(error: AwsError, wire: WireError, service: ServiceModel | None, request_id: str) -> bytes:
    """Write an error as REST services with XML do, or as S3 does, which puts nothing around it."""
    is_s3 = service is not None and service.name == "s3"
    out = ["<Error>", "" if is_s3 else f"<Type>{_fault(wire)}</Type>", f"<Code>{escape(wire.code)}</Code>"]
    out.append(f"<Message>{escape(error.message)}</Message>" if error.message else "")
    if wire.model is not None:
        write_members(wire.model.shape, error.members, out)
    if is_s3:
        return "".join([_XML_HEAD, *out, f"<RequestId>{escape(request_id)}</RequestId></Error>"]).encode()
    namespace = service.xml_namespace if service else None
    start = f'<ErrorResponse xmlns="{namespace}">' if namespace else "<ErrorResponse>"
    return "".join([_XML_HEAD, start, *out, f"</Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>"]).encode()


def _query_error_json(error: AwsError, wire: WireError, request_id: str) -> bytes:
    described = {"Code": wire.code, "Message": error.message, "Type": _fault(wire)}
    return write_json({"Error": described, "RequestId": request_id})


def _cbor_error(error: AwsError, wire: WireError) -> bytes:
    shape = wire.model.shape if wire.model else None
    key = next((name for name in _MESSAGES if shape is not None and name in shape.members), "message")
    entries = {"__type": cbor.text(_json_name(wire))}
    if error.message:
        entries[key] = cbor.text(error.message)
    return cbor.mapping(entries | (cbor.members(shape, error.members) if shape else {}))


def _scim_error(error: AwsError, wire: WireError, request_id: str) -> bytes:
    """Write an error as RFC 7644 has it (section 3.12), with what AWS adds."""
    answer: dict[str, object] = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": error.message}
    if wire.status == 409:
        answer["scimType"] = "uniqueness"
    return write_json({**answer, "status": str(wire.status), "exceptionRequestId": request_id})


def _fault(wire: WireError) -> str:
    return "Sender" if wire.is_senders else "Receiver"


def _json_name(wire: WireError) -> str:
    return wire.model.shape_name if wire.model else wire.code


_MESSAGES = ("message", "Message", "error_description")


def _error_members(error: AwsError, wire: WireError) -> dict[str, object]:
    modelled = wire.model.shape.members if wire.model else {}
    # Refusals by policy come from in front of the services, which write `Message`.
    otherwise = "Message" if wire.code == "AccessDeniedException" else "message"
    key = next((name for name in _MESSAGES if name in modelled), otherwise)
    members = {key: error.message} if error.message else {}
    return members | (json_output.convert(wire.model.shape, error.members) if wire.model else {})


def _error_headers(error: AwsError, wire: WireError) -> list[tuple[bytes, bytes]]:
    return [] if wire.model is None else rest_output.error_headers(wire.model.shape, error.members)
