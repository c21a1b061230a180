"""The published model files: where botocore keeps them, and how one becomes a ServiceModel."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from crownkeep.models.services import ErrorModel, OperationModel, ServiceModel, arguments
from crownkeep.models.shapes import Lazy, Member, Shape


@dataclass(frozen=True, slots=True)
class PartlyServed:
    """What routing needs to know of a service before its model is read."""

    protocol: str
    signing_name: str
    api_version: str = ""
    """By which a query request names it."""
    target_prefix: str = ""
    """By which JSON and RPC requests name it."""


SERVICES = (
    "iam",
    "sts",
    "account",
    "cloudtrail",
    "organizations",
    "sso-admin",
    "identitystore",
    "account-access",
    "account-access-runtime",
    "sso",
    "sso-oidc",
    "signin",
    "accessanalyzer",
    "mpa",
)
"""Every AWS service whose wire we speak; to add one, name its folder in botocore's data here."""

PARTLY_SERVED: Mapping[str, PartlyServed] = {
    "s3": PartlyServed(protocol="rest-xml", signing_name="s3"),
    "ec2": PartlyServed(protocol="ec2", signing_name="ec2", api_version="2016-11-15"),
    "resourcegroupstaggingapi": PartlyServed(
        protocol="smithy-rpc-v2-cbor", signing_name="tagging", target_prefix="ResourceGroupsTaggingAPI_20170126"
    ),
}
"""Services of which a few operations are served, because tools ask them before they go on with ours.

Some of their models are large, so that they are read when one of these services is asked, and not for anybody else's requests.
"""

OWN_SERVICES = (
    "operator",
    "credential-audit",
    "account-security",
    "alerts",
    "trail",
    "access-portal",
    "scim",
    "approvals",
    "sso-directory",
)
"""Services that AWS doesn't have: their models, in the same form, are in the folder `own`.

What accounts call by AWS's own tools lies as botocore lays out its data, so that they need nothing but AWS_DATA_PATH to know it.
"""

SPOKEN = (*SERVICES, *PARTLY_SERVED, *OWN_SERVICES)
"""Every service that a request may be for."""

OWN_FOLDER = Path(__file__).parent / "own"


class _Reference(msgspec.Struct, rename="camel"):
    shape: str
    location: str | None = None
    location_name: str | None = None
    result_wrapper: str | None = None
    timestamp_format: str | None = None
    xml_namespace: str | dict[str, str] | None = None
    flattened: bool = False
    xml_attribute: bool = False
    jsonvalue: bool = False
    streaming: bool = False
    idempotency_token: bool = False
    query_name: str | None = None


class _Fault(msgspec.Struct, rename="camel"):
    code: str | None = None
    http_status_code: int | None = None
    sender_fault: bool | None = None


class _Shape(msgspec.Struct, rename="camel"):
    type: str
    members: dict[str, _Reference] = {}
    required: tuple[str, ...] = ()
    member: _Reference | None = None
    key: _Reference | None = None
    value: _Reference | None = None
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    payload: str | None = None
    xml_namespace: str | dict[str, str] | None = None
    timestamp_format: str | None = None
    error: _Fault | None = None
    flattened: bool = False
    sensitive: bool = False
    streaming: bool = False
    union: bool = False
    document: bool = False
    exception: bool = False
    fault: bool = False


class _Http(msgspec.Struct, rename="camel"):
    method: str = "POST"
    request_uri: str = "/"
    response_code: int = 200


class _Operation(msgspec.Struct, rename="camel"):
    http: _Http
    input: _Reference | None = None
    output: _Reference | None = None
    errors: tuple[_Reference, ...] = ()
    authtype: str = "v4"


class _Metadata(msgspec.Struct, rename="camel"):
    protocol: str
    api_version: str = ""
    endpoint_prefix: str = ""
    json_version: str | None = None
    target_prefix: str | None = None
    signing_name: str | None = None
    signature_version: str = ""
    xml_namespace: str | None = None
    service_full_name: str = ""


class _Document(msgspec.Struct):
    metadata: _Metadata
    operations: dict[str, _Operation]
    shapes: dict[str, _Shape]


@cache
def service(name: str) -> ServiceModel:
    """Return a service's model, read when first asked for (1 to 5 ms); raises LookupError for one that is not spoken."""
    if name in OWN_SERVICES:
        return compile_service(name, max((OWN_FOLDER / name).rglob("service-2.json")).read_bytes())
    if name not in SPOKEN:
        raise LookupError(f"`{name}` is not a service spoken here; one of {', '.join(SPOKEN)} is meant")
    return compile_service(name, gzip.decompress(_newest(name).read_bytes()))


def compile_service(name: str, document: bytes) -> ServiceModel:
    """Compile a model's JSON text; raises ValueError (msgspec.ValidationError) where it isn't a service's model."""
    raw = msgspec.json.decode(document, type=_Document)
    metadata = raw.metadata
    shapes: Lazy[_Shape, Shape] = Lazy(raw.shapes, lambda name, shape: _shape(name, shape, shapes))
    errors = {_code(name, shape): _error(name, shape, shapes) for name, shape in raw.shapes.items() if shape.exception}
    codes = {error.shape_name: code for code, error in errors.items()}
    operations: Lazy[_Operation, OperationModel] = Lazy(
        raw.operations, lambda name, operation: _operation(name, operation, model, codes, metadata.signature_version)
    )
    model = ServiceModel(
        name=name,
        protocol=metadata.protocol,
        json_version=metadata.json_version,
        api_version=metadata.api_version,
        target_prefix=metadata.target_prefix,
        endpoint_prefix=metadata.endpoint_prefix,
        signing_names=(metadata.signing_name or metadata.endpoint_prefix,),
        xml_namespace=metadata.xml_namespace,
        full_name=metadata.service_full_name,
        operations=operations,
        errors=errors,
        shapes=shapes,
    )
    return model


def _newest(name: str) -> Path:
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("the `botocore` package is not installed: install it, for it holds AWS's models")
    folder = Path(spec.submodule_search_locations[0]) / "data" / name
    versions = sorted(folder.glob("*/service-2.json.gz"))
    if not versions:
        raise LookupError(f"no model in `{folder}`: install a botocore that has `{name}`")
    return versions[-1]


def _shape(name: str, raw: _Shape, shapes: Mapping[str, Shape]) -> Shape:
    def place(used_as: str, reference: _Reference | None) -> Member | None:
        return None if reference is None else _member(used_as, reference, shapes)

    return Shape(
        name=name,
        type="string" if raw.type == "character" else raw.type,
        members={used_as: _member(used_as, reference, shapes) for used_as, reference in raw.members.items()},
        required=raw.required,
        member=place("member", raw.member),
        key=place("key", raw.key),
        value=place("value", raw.value),
        minimum=_number(raw.min),
        maximum=_number(raw.max),
        pattern=raw.pattern,
        enum=raw.enum,
        payload=raw.payload,
        timestamp_format=raw.timestamp_format,
        flattened=raw.flattened,
        sensitive=raw.sensitive,
        streaming=raw.streaming,
        union=raw.union,
        document=raw.document,
        exception=raw.exception,
        xml_namespace=_uri(raw.xml_namespace),
    )


def _member(name: str, raw: _Reference, shapes: Mapping[str, Shape]) -> Member:
    return Member(
        name=name,
        target=raw.shape,
        shapes=shapes,
        location_name=raw.location_name,
        location=raw.location,
        flattened=raw.flattened,
        timestamp_format=raw.timestamp_format,
        xml_attribute=raw.xml_attribute,
        xml_namespace=_uri(raw.xml_namespace),
        jsonvalue=raw.jsonvalue,
        streaming=raw.streaming,
        idempotency_token=raw.idempotency_token,
        query_name=raw.query_name,
    )


def _uri(namespace: str | dict[str, str] | None) -> str | None:
    return namespace.get("uri") if isinstance(namespace, dict) else namespace


def _number(limit: float | None) -> float | None:
    return int(limit) if limit is not None and limit.is_integer() else limit


def _code(name: str, raw: _Shape) -> str:
    return (raw.error.code if raw.error else None) or name


def _error(name: str, raw: _Shape, shapes: Mapping[str, Shape]) -> ErrorModel:
    fault = raw.error or _Fault()
    status = fault.http_status_code or (500 if raw.fault else 400)
    return ErrorModel(
        code=_code(name, raw),
        status=status,
        shape_name=name,
        sender_fault=status < 500 if fault.sender_fault is None else fault.sender_fault,
        shape=shapes[name],
    )


def _operation(
    name: str, raw: _Operation, model: ServiceModel, codes: Mapping[str, str], signature_version: str
) -> OperationModel:
    takes = model.shapes[raw.input.shape] if raw.input else None
    return OperationModel(
        name=name,
        service=model,
        method=raw.http.method,
        request_uri=raw.http.request_uri,
        response_status=raw.http.response_code,
        input=takes,
        output=model.shapes[raw.output.shape] if raw.output else None,
        result_wrapper=raw.output.result_wrapper if raw.output else None,
        error_codes=tuple(codes[error.shape] for error in raw.errors),
        # Where a bearer token stands in the place of a signature, nothing is signed: the handler asks whose the token is.
        auth="none" if signature_version == "bearer" else raw.authtype,
        arguments=arguments(takes),
    )
