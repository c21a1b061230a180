"""Bytes to parameters: a routed request's members by the model's names, whichever protocol carried them."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep.gateway import cbor, json_input, query_input, rest_input
from crownkeep.gateway.bounds import Bounds
from crownkeep.gateway.form import read_form
from crownkeep.gateway.route import Route


def decode(route: Route, *, query: str, headers: Mapping[str, str], body: bytes, bounds: Bounds) -> dict[str, object]:
    """Return a request's parameters by the model's member names: absent means absent, timestamps are aware datetimes in UTC,
    blobs are bytes, documents what JSON makes of them.

    `query` is the raw query string, `headers` have lower case names. Unknown parameters are passed over, as by AWS.
    Raises MalformedInput, MalformedQueryString or SerializationException, and nothing else, whatever is sent.
    """
    operation = route.operation
    match route.protocol:
        case "query" | "ec2":
            return query_input.decode(operation, read_form(*route.sources, most=bounds.elements), bounds=bounds)
        case "json":
            return {} if operation.input is None else json_input.decode(operation.input, body, bounds=bounds)
        case "smithy-rpc-v2-cbor":
            content = cbor.read_map(body, most=bounds.elements) if body else {}
            return {} if operation.input is None else json_input.decode_object(operation.input, content)
        case _:
            return rest_input.decode(operation, labels=route.labels, query=query, headers=headers, body=body, bounds=bounds)
