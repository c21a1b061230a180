"""The operator makes accounts and is nobody inside them; whoever is somebody inside one is nobody to the operator's service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crownkeep import app, data_directory, errors, services
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call, Origin, Request, Wiring
from crownkeep.operations.invoke import perform_now
from crownkeep.operations.registry import Operation
from crownkeep.principals import Anonymous, Caller, Operator, Principal, PrincipalKind
from crownkeep.settings import Settings
from crownkeep.storage.database import Database

services.load()
ACCOUNT = "111122223333"
STRANGERS: dict[str, Caller] = {
    "root": Principal(PrincipalKind.ROOT, ACCOUNT, ACCOUNT),
    "user": Principal(PrincipalKind.USER, ACCOUNT, "AIDAIOSFODNN7EXAMPLE1", "bob"),
    "anonymous": Anonymous(),
}
ORIGIN = Origin(source_ip="127.0.0.1", user_agent="test", region="us-east-1", request_id="1")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Wiring]]:
    directory: Path = tmp_path_factory.mktemp("operator") / "data"
    settings = Settings(data=str(directory))
    database, wiring = app.open_wiring(settings, data_directory.prepare(settings))
    yield database, wiring
    database.close()


def operations(*, of_operator: bool) -> list[Operation]:
    named = [(service, name) for service in registry.services() for name in service.served()]
    found = [service.find(name) for service, name in named if (service.name == "operator") is of_operator]
    return [operation for operation in found if operation is not None]


def require(house: tuple[Database, Wiring], operation: Operation, caller: Caller) -> None:
    database, wiring = house
    with database.snapshot() as db:
        standing = wiring.standings.of(db, caller)
        call = Call(db, standing.account_id, caller, NOW, ORIGIN, wiring, standing)
        authorize.require(call, operation, {})


@pytest.mark.parametrize("operation", operations(of_operator=False), ids=lambda each: f"{each.service.name}-{each.name}")
def test_the_operator_may_call_nothing_of_aws_not_even_what_is_open_to_everybody(house, operation):
    with pytest.raises(errors.AccessDenied, match="the operator alone may call the service `operator`, and may call no other"):
        require(house, operation, Operator())


@pytest.mark.parametrize("operation", operations(of_operator=True), ids=lambda each: each.name)
@pytest.mark.parametrize("stranger", STRANGERS)
def test_nobody_else_may_call_the_operators_service(house, operation, stranger):
    with pytest.raises(errors.AccessDenied, match="the operator alone may call"):
        require(house, operation, STRANGERS[stranger])


def test_a_stranger_at_the_door_with_an_operators_request_changes_nothing(house):
    operation = next(each for each in operations(of_operator=True) if each.name == "CreateAccount")
    parameters: dict[str, Any] = {"email": "a@b.example", "name": "Acme", "account_id": ACCOUNT}
    database, wiring = house

    refused = perform_now(database, Request(operation, parameters, Anonymous(), ORIGIN, NOW), wiring)
    made = perform_now(database, Request(operation, parameters, Operator(), ORIGIN, NOW), wiring)

    assert refused.error is not None
    assert "AccessDenied" == refused.error.code
    assert (None, ACCOUNT) == (made.error, made.result["account_id"])
