"""Responses: what goes back over the wire of a request that was carried out, or refused."""

from __future__ import annotations

from collections.abc import Iterable

from crownkeep import errors
from crownkeep.errors import AwsError
from crownkeep.gateway import encode
from crownkeep.gateway import exchange as exchanges
from crownkeep.gateway.exchange import Exchange
from crownkeep.gateway.route import Route
from crownkeep.operations.call import Request, Result
from crownkeep.values import value_type


@value_type(frozen=True, slots=True)
class Response:
    """What goes back over the wire."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes
    service: str = ""
    operation: str = ""
    code: str = ""
    begun: tuple[Request, Result] | None = None
    """What a stream goes on from; None where the answer is all."""


def of(exchange: Exchange, request: Request, result: Result, error: AwsError | None) -> Response:
    """Return the response to a request that came to this; on any thread."""
    if error is not None:
        return refusing(exchange, error)
    operation, accept = request.operation, exchange.http.header(b"accept")
    try:
        encoded = encode.encode(
            operation.model, result, request_id=exchange.request_id, accept=accept, protocol=exchange.protocol
        )
    except Exception as fault:  # noqa: BLE001 - it has been done and recorded; whoever waits hears that something is wrong
        exchanges.log_fault(exchange, fault)
        return refusing(exchange, unknown_fault())
    begun = (request, result) if operation.is_stream else None
    return Response(encoded.status, encoded.headers, encoded.body, operation.service.name, operation.name, begun=begun)


def refusing(exchange: Exchange, error: AwsError) -> Response:
    """Return the response that tells of an error, in the protocol's own shape."""
    encoded = encode.encode_error(
        error,
        protocol=exchange.protocol,
        service=exchange.model,
        request_id=exchange.request_id,
        accept=exchange.http.header(b"accept"),
    )
    operation = exchange.routed.operation.name if isinstance(exchange.routed, Route) else ""
    service = exchange.model.name if exchange.model else ""
    return Response(encoded.status, encoded.headers, encoded.body, service, operation, error.code)


def unknown_fault() -> AwsError:
    """Return what is told of a fault of ours: nothing but that."""
    return errors.InternalFailure("The request processing has failed because of an unknown error.")
