"""Answers of REST services: what travels in the status and in headers, and the body in JSON or XML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crownkeep.gateway import json_output, scalars, xml_output
from crownkeep.gateway.json_output import write_json
from crownkeep.models import Member, OperationModel, Shape

Header = tuple[bytes, bytes]
PLAIN_JSON = (b"content-type", b"application/json")
PLAIN_XML = (b"content-type", b"application/xml")

ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
}
"""What S3 calls the element around its answer where botocore's model does not say it (API_ListBuckets, API_ListObjects)."""
BARE = {"GetBucketLocation": "LocationConstraint"}
"""Operations of S3 whose answer is one member without anything around it, empty where it is absent (API_GetBucketLocation)."""


@dataclass(frozen=True, slots=True, eq=False)
class _RestPlan:
    status: Member | None
    headers: tuple[tuple[Member, bytes, Callable[[Any], str]], ...]
    header_maps: tuple[tuple[Member, str], ...]
    payload: Member | None


def write(operation: OperationModel, result: Mapping[str, object]) -> tuple[int, tuple[Header, ...], bytes]:
    """Return the status, the headers and the body of a result, given by the model's member names."""
    shape = operation.output
    is_xml = operation.service.protocol == "rest-xml"
    if shape is None:
        return operation.response_status, (PLAIN_XML if is_xml else PLAIN_JSON,), b""
    plan = _rest_plan(shape)
    status = operation.response_status
    if plan.status is not None and result.get(plan.status.name) is not None:
        status = int(str(result[plan.status.name]))
    content_type, body = _payload(plan.payload, result) or (
        _xml(operation, shape, plan.payload, result) if is_xml else _json(shape, plan.payload, result)
    )
    headers = _member_headers(plan, result)
    if operation.method == "HEAD":
        body = b""
    # An object says itself of what type it is.
    if any(name == b"content-type" for name, _ in headers):
        return status, tuple(headers), body
    return status, (content_type, *headers), body


def _payload(payload: Member | None, result: Mapping[str, object]) -> tuple[Header, bytes] | None:
    """Return a body that is no structure but bytes or text; None where it is one."""
    if payload is None:
        return None
    content: Any = result.get(payload.name)
    match payload.shape.type:
        case "blob":
            return (b"content-type", b"application/octet-stream"), content or b""
        case "string":
            return (b"content-type", b"text/plain"), (content or "").encode()
        case _:
            return None


def _json(shape: Shape, payload: Member | None, result: Mapping[str, object]) -> tuple[Header, bytes]:
    if payload is None:
        return PLAIN_JSON, write_json(json_output.convert(shape, result))
    content = result.get(payload.name)
    if content is None:
        return PLAIN_JSON, b""
    change = json_output.converter(payload)
    return PLAIN_JSON, write_json(content if change is None else change(content))


def _xml(operation: OperationModel, shape: Shape, payload: Member | None, result: Mapping[str, object]) -> tuple[Header, bytes]:
    if operation.name in BARE:
        return PLAIN_XML, _bare(operation, str(result.get(BARE[operation.name]) or ""))
    content: Any = result
    if payload is None:
        tag = ROOTS.get(operation.name, f"{operation.name}Result")
    else:
        content, shape = result.get(payload.name), payload.shape
        tag = payload.location_name or shape.name
        if content is None:
            return PLAIN_XML, b""
    namespace = f' xmlns="{operation.service.xml_namespace}"' if operation.service.xml_namespace else ""
    out = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{tag}{namespace}{xml_output.attributes(shape, content)}>']
    xml_output.write_members(shape, content, out)
    out.append(f"</{tag}>")
    return PLAIN_XML, "".join(out).encode()


def _bare(operation: OperationModel, text: str) -> bytes:
    tag, namespace = BARE[operation.name], operation.service.xml_namespace
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{tag} xmlns="{namespace}">{xml_output.escape(text)}</{tag}>'.encode()


def error_headers(shape: Shape, members: Mapping[str, object]) -> list[Header]:
    """Return the headers that carry members of an error, its type's name left out."""
    return [header for header in _member_headers(_rest_plan(shape), members) if header[0] != b"x-amzn-errortype"]


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
            written.append((name, header_text(text(value))))
    for member, prefix in plan.header_maps:
        entries: Any = result.get(member.name) or {}
        for key, value in entries.items():
            if _HEADER_NAME.fullmatch(key):
                written.append((f"{prefix}{key.lower()}".encode(), header_text(value)))
    return written


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def header_text(text: str) -> bytes:
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
