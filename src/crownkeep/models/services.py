"""A service's model: its protocol, its operations and its errors by wire code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crownkeep.models.names import snake_case
from crownkeep.models.shapes import Shape


@dataclass(frozen=True, slots=True, eq=False)
class ErrorModel:
    """An error as a service models it: `code` is what the wire carries, `status` the HTTP status."""

    code: str
    status: int
    shape_name: str
    sender_fault: bool
    shape: Shape = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class OperationModel:
    """One operation of a service, with the shapes of what it takes and answers."""

    name: str
    service: ServiceModel = field(repr=False)
    method: str
    request_uri: str
    """The path's template, with the constant part of the query where there is one: `/token?aws_iam=t`."""
    response_status: int
    input: Shape | None
    output: Shape | None
    result_wrapper: str | None
    """The XML element that holds a query answer, such as `CreateUserResult`."""
    error_codes: tuple[str, ...]
    auth: str
    """`v4` where a signature is asked for, `none` where AWS takes the request without one."""
    arguments: Mapping[str, str] = field(repr=False)
    """The input's member names, each with its Python name."""


@dataclass(frozen=True, slots=True, eq=False)
class ServiceModel:
    """One AWS service as published: named as botocore names its folder, such as `sso-admin`."""

    name: str
    protocol: str
    """`query`, `json`, `rest-json` or, of services served in part, `rest-xml`, `ec2` or `smithy-rpc-v2-cbor`."""
    json_version: str | None
    api_version: str
    target_prefix: str | None
    """What goes before the operation in `X-Amz-Target`."""
    endpoint_prefix: str
    signing_names: tuple[str, ...]
    """What a signature's scope may call the service."""
    xml_namespace: str | None
    full_name: str
    operations: Mapping[str, OperationModel] = field(repr=False)
    errors: Mapping[str, ErrorModel] = field(repr=False)
    """Errors by the code the wire carries."""
    shapes: Mapping[str, Shape] = field(repr=False)

    def operation(self, name: str) -> OperationModel | None:
        """Return the operation of that name, or None where the service has none."""
        return self.operations.get(name)


def arguments(shape: Shape | None) -> Mapping[str, str]:
    """Return an input's member names, each with its Python name; nothing for an operation without input."""
    return {name: snake_case(name) for name in shape.members} if shape else {}
