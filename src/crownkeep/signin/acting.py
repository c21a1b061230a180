"""Acting: what a person does on the pages goes through the one door, authorised and recorded like any API call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import Binding, Origin, Request, Result
from crownkeep.operations.invoke import Door
from crownkeep.operations.registry import Operation
from crownkeep.principals import Principal


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where and when, and what the request must hold to until it commits."""

    principal: Principal
    origin: Origin
    now: datetime
    binding: Binding | None = None
    confirmed_name: str = ""
    """The account's name, where it was typed to confirm an act that leaves nobody to administer it."""


async def call(door: Door, actor: Actor, service: str, operation: str, parameters: Mapping[str, object]) -> Result:
    """Call an AWS operation and return its result; raises the AwsError that the caller is told."""
    answer = await door.invoke(request(actor, service, operation, parameters))
    if answer.error is not None:
        raise answer.error
    return answer.result


def request(actor: Actor, service: str, operation: str, parameters: Mapping[str, object]) -> Request:
    """Make the request; raises UnknownOperationException for an operation that is not served."""
    found = find(service, operation)
    return Request(
        found, parameters, actor.principal, actor.origin, actor.now, binding=actor.binding, confirmed_name=actor.confirmed_name
    )


def find(service: str, operation: str) -> Operation:
    """Return an operation; raises UnknownOperationException for one that is not served."""
    served = registry.service(service)
    found = served.find(operation) if served else None
    if found is None:
        raise errors.UnknownOperation(f"operation `{service}:{operation}` is not served here")
    return found
