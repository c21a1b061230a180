"""Returns to bytes: results and errors by the model, in the protocol that the request spoke."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crownkeep.errors import AwsError
from crownkeep.gateway import json_output, scalars
from crownkeep.gateway.error_codes import WireError, spell
from crownkeep.gateway.json_output import write_json
from crownkeep.gateway.xml_output import escape, write_members
from crownkeep.models import Member, OperationModel, ServiceModel, Shape

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer as ASGI sends it: header names in lower case."""

    status: int
    headers: Headers
    body: bytes


_XML = (b"content-type", b"text/xml")
_PLAIN_JSON = (b"content-type", b"application/json")


def encode(operation: OperationModel, result: Mapping[str, object], *, request_id: str, accept: str = "") -> Encoded:
    """Write an operation's result, given by the model's member names; members it doesn't have are left out.

    A query service answers JSON where `accept` asks for `application/json`, as AWS's do (the Kubernetes authenticator
    relies on it for GetCallerIdentity).
    """
    match operation.service.protocol:
        case "query" if _accepts_json(accept):
            return Encoded(200, _headers(request_id, _PLAIN_JSON), _query_json(operation, result, request_id))
        case "query":
            return Encoded(200, _headers(request_id, _XML), _query_xml(operation, result, request_id))
        case "json":
            body = b"" if operation.output is None else write_json(json_output.convert(operation.output, result))
            return Encoded(200, _headers(request_id, _json_type(operation.service)), body)
        case _:
            return _rest(operation, result, request_id)


def encode_error(error: AwsError, *, protocol: str, service: ServiceModel | None, request_id: str, accept: str = "") -> Encoded:
    """Write an error with its code as the protocol spells it, its status by the model, and its further members."""
    wire = spell(error.code, protocol=protocol, service=service)
    match protocol:
        case "query" if _accepts_json(accept):
            return Encoded(wire.status, _headers(request_id, _PLAIN_JSON), _query_error_json(error, wire, request_id))
        case "query":
            body = _query_error_xml(error, wire, service, request_id)
            return Encoded(wire.status, _headers(request_id, _XML), body)
        case "json":
            body = write_json({"__type": _json_name(wire), **_error_members(error, wire)})
            return Encoded(wire.status, _headers(request_id, _json_type(service)), body)
        case _:
            type_header = (b"x-amzn-errortype", _json_name(wire).encode())
            headers = _headers(request_id, _PLAIN_JSON, type_header, *_error_headers(error, wire))
            return Encoded(wire.status, headers, write_json(_error_members(error, wire)))


def _accepts_json(accept: str) -> bool:
    return "json" in accept and accept.partition(",")[0].partition(";")[0].strip().lower() == "application/json"


def _headers(request_id: str, *others: tuple[bytes, bytes]) -> Headers:
    return ((b"x-amzn-requestid", _header_text(request_id)), *others)


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


def _query_json(operation: OperationModel, result: Mapping[str, object], request_id: str) -> bytes:
    content: dict[str, object] = {}
    if operation.output is not None:
        converted = json_output.convert(operation.output, result)
        content = {operation.result_wrapper: converted} if operation.result_wrapper else converted
    metadata = {"ResponseMetadata": {"RequestId": request_id}}
    return write_json({f"{operation.name}Response": content | metadata})


# REST results.


@dataclass(frozen=True, slots=True, eq=False)
class _RestPlan:
    status: Member | None
    headers: tuple[tuple[Member, bytes, Callable[[Any], str]], ...]
    header_maps: tuple[tuple[Member, str], ...]
    payload: Member | None


def _rest(operation: OperationModel, result: Mapping[str, object], request_id: str) -> Encoded:
    shape = operation.output
    if shape is None:
        return Encoded(operation.response_status, _headers(request_id, _PLAIN_JSON), b"")
    plan = _rest_plan(shape)
    status = operation.response_status
    if plan.status is not None and result.get(plan.status.name) is not None:
        status = int(str(result[plan.status.name]))
    content_type, body = _rest_body(shape, plan, result)
    return Encoded(status, _headers(request_id, content_type, *_member_headers(plan, result)), body)


def _rest_body(shape: Shape, plan: _RestPlan, result: Mapping[str, object]) -> tuple[tuple[bytes, bytes], bytes]:
    if plan.payload is None:
        return _PLAIN_JSON, write_json(json_output.convert(shape, result))
    content: Any = result.get(plan.payload.name)
    match plan.payload.shape.type:
        case "blob":
            return (b"content-type", b"application/octet-stream"), content or b""
        case "string":
            return (b"content-type", b"text/plain"), (content or "").encode()
        case _ if content is None:
            return _PLAIN_JSON, b""
        case _:
            change = json_output.converter(plan.payload)
            return _PLAIN_JSON, write_json(content if change is None else change(content))


@cache
def _rest_plan(shape: Shape) -> _RestPlan:
    members = shape.members.values()
    return _RestPlan(
        status=next((member for member in members if member.location == "statusCode"), None),
        headers=tuple(
            (member, member.wire_name.lower().encode(), _header_writer(member))
            for member in members
            if member.location == "header"
        ),
        header_maps=tuple((member, (member.location_name or "").lower()) for member in members if member.location == "headers"),
        payload=shape.members[shape.payload] if shape.payload else None,
    )


def _member_headers(plan: _RestPlan, result: Mapping[str, object]) -> list[tuple[bytes, bytes]]:
    written: list[tuple[bytes, bytes]] = []
    for member, name, text in plan.headers:
        value = result.get(member.name)
        if value is not None:
            written.append((name, _header_text(text(value))))
    for member, prefix in plan.header_maps:
        entries: Any = result.get(member.name) or {}
        for key, value in entries.items():
            if _HEADER_NAME.fullmatch(key):
                written.append((f"{prefix}{key.lower()}".encode(), _header_text(value)))
    return written


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def _header_text(text: str) -> bytes:
    """Write a header's value; what could end the header or begin another is taken out (RFC 9110, 5.5)."""
    return _NOT_IN_A_HEADER.sub("", text).encode("latin-1")


def _header_writer(member: Member) -> Callable[[Any], str]:
    if member.jsonvalue:
        return lambda value: scalars.write_blob(write_json(value))
    if member.shape.type == "list":
        write = _header_writer(member.shape.element)
        quotes = member.shape.element.shape.type == "string"
        return lambda value: ", ".join(_quoted(write(each)) if quotes else write(each) for each in value)
    match member.shape.type:
        case "timestamp":
            chosen = member.timestamp_format or member.shape.timestamp_format or "rfc822"
            return scalars.TIMESTAMP_WRITERS[chosen]
        case "boolean":
            return scalars.write_boolean
        case "float" | "double":
            return scalars.write_float
        case "blob":
            return scalars.write_blob
        case _:
            return str


def _quoted(text: str) -> str:
    if "," not in text and '"' not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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


def _query_error_json(error: AwsError, wire: WireError, request_id: str) -> bytes:
    described = {"Code": wire.code, "Message": error.message, "Type": _fault(wire)}
    return write_json({"Error": described, "RequestId": request_id})


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
    if wire.model is None:
        return []
    headers = _member_headers(_rest_plan(wire.model.shape), error.members)
    return [header for header in headers if header[0] != b"x-amzn-errortype"]
