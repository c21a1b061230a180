"""What a request asks for: the service and operation that it names, and the parameters that it brings."""

from __future__ import annotations

from contextlib import suppress

from crownkeep import errors
from crownkeep.errors import AwsError
from crownkeep.gateway import compression, decode, own_paths, route, s3_paths
from crownkeep.gateway.bounds import Bounds
from crownkeep.gateway.exchange import Exchange
from crownkeep.gateway.http import HttpRequest
from crownkeep.gateway.route import Route, Unroutable
from crownkeep.operations import registry
from crownkeep.operations.registry import Operation

_ROUTED_BY = ((b"x-amz-target", "x-amz-target"), (b"smithy-protocol", "smithy-protocol"), (b"content-type", "content-type"))


def routed(exchange: Exchange, body: bytes, *, own: str | None) -> Route | Unroutable:
    """Return the operation that a request names, or why there is none; `body` is what may be read of it by now."""
    http = exchange.http
    given = http.headers
    headers = {text: given[name].decode("latin-1") for name, text in _ROUTED_BY if name in given}
    scope = exchange.signed.service if exchange.signed else own
    path, query = http.path.decode("latin-1"), http.query.decode("latin-1")
    if scope == s3_paths.SCOPE:
        path = s3_paths.path_style(path, http.header(b"host"), exchange.own_host)
    return route.find(method=http.method, path=path, query=query, headers=headers, body=body, scope=scope)


def find_out_protocol(exchange: Exchange) -> None:
    """Find out what a request speaks that was not read because of a fault of ours, so that its client can read the answer."""
    http = exchange.http
    if exchange.routed is not None:
        return
    own = own_paths.service_of(http)
    with suppress(AwsError):
        exchange.signed = None if own == "operator" else own_paths.claimed(http, own)
    body = b"" if compression.is_packed(http.header(b"content-encoding")) else http.body
    exchange.routed = routed(exchange, body, own=own)


def parameters(http: HttpRequest, found: Route, body: bytes, bounds: Bounds) -> dict[str, object]:
    """Return the parameters of a request, as far as bounds let them be read; raises the error of whatever can't be."""
    # Only REST has parameters in headers.
    is_rest = found.protocol.startswith("rest")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in http.headers.items()} if is_rest else {}
    return decode.decode(found, query=http.query.decode("latin-1"), headers=headers, body=body, bounds=bounds)


def served(found: Route) -> Operation:
    """Return the operation's registration; what isn't served is refused with AWS's own code for an unknown operation."""
    service = registry.service(found.service.name)
    operation = service.find(found.operation.name) if service else None
    if operation is not None:
        return operation
    if found.protocol == "query":
        raise errors.InvalidAction(f"Could not find operation {found.operation.name} for version {found.service.api_version}")
    if found.protocol == "ec2":
        raise errors.InvalidAction(f"operation `{found.operation.name}` is not served here")
    raise errors.UnknownOperation(f"operation `{found.operation.name}` is not served here")
