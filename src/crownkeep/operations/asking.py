"""Asking for an operation of the operator's without a socket: by a command, or by the server where its settings say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crownkeep import clock, ids
from crownkeep.arn import GLOBAL_REGION
from crownkeep.operations import registry
from crownkeep.operations.call import Origin, Request, Wiring
from crownkeep.operations.invoke import perform_now
from crownkeep.principals import Operator
from crownkeep.storage.database import Database


def ask(
    database: Database, wiring: Wiring, name: str, parameters: Mapping[str, object], *, caller: Operator, who: str
) -> Mapping[str, Any]:
    """Lead one call through the one door; parameters that are None are left out, and `who` is what its record says of the caller.

    Raises the AwsError that it is refused with.
    """
    service = registry.service("operator")
    found = service.find(name) if service else None
    if found is None:
        raise LookupError(f"the operator's service has no operation `{name}`")
    given = {key: value for key, value in parameters.items() if value is not None}
    origin = Origin("localhost", who, GLOBAL_REGION, ids.request_id(clock.token_bytes(16)))
    answer = perform_now(database, Request(found, given, caller, origin, clock.now()), wiring)
    if answer.error is not None:
        raise answer.error
    return answer.result
