"""Handlers are held against AWS's published models: what they take, and which errors they may raise."""

from __future__ import annotations

import ast
import inspect
from inspect import Parameter

import pytest
from tests.house import raised
from tests.house.source import modules

from crownkeep import errors, models, services
from crownkeep.errors import AwsError
from crownkeep.gateway import error_codes
from crownkeep.operations import registry
from crownkeep.operations.registry import Operation, Service

services.load()
OURS = {"operator"}
"""Services that AWS doesn't have, and has no model of."""

OPERATIONS = [
    operation
    for service in registry.services()
    if service.name not in OURS
    for name in service.served()
    if (operation := service.find(name)) is not None
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service.name}:{operation.name}")
def test_a_handler_takes_what_the_model_says_and_nothing_else(operation: Operation):
    context, *taken = inspect.signature(operation.handler).parameters.values()

    assert "call" == context.name
    assert {Parameter.KEYWORD_ONLY} >= {parameter.kind for parameter in taken}
    assert set(operation.model.arguments.values()) == {parameter.name for parameter in taken}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service.name}:{operation.name}")
def test_a_handler_needs_what_the_model_requires_and_has_a_default_for_the_rest(operation: Operation):
    shape = operation.model.input
    required = {operation.model.arguments[member] for member in shape.required} if shape else set()

    _, *taken = inspect.signature(operation.handler).parameters.values()

    assert required == {parameter.name for parameter in taken if parameter.default is Parameter.empty}


@pytest.mark.parametrize("service", [each for each in registry.services() if each.name not in OURS], ids=lambda each: each.name)
def test_every_error_that_a_service_ends_in_is_in_its_model_or_common_to_all(service: Service):
    known = set(error_codes.STATUSES) | set(service.model.errors)

    places = raised.places(f"crownkeep.services.{service.name.replace('-', '_')}")

    assert places
    assert [] == [(*place, code) for place in places for code in sorted(raised.codes(place) - known)]


def test_every_error_that_is_raised_elsewhere_is_known_to_some_service_or_common_to_all():
    known = set(error_codes.STATUSES).union(*(models.service(name).errors for name in models.SPOKEN))

    assert [] == [(*place, code) for place in raised.places("crownkeep") for code in sorted(raised.codes(place) - known)]


def test_the_errors_of_a_helper_are_those_of_its_callers_but_not_those_that_they_catch():
    constraint = "ConstraintViolationException"
    oauth = "crownkeep.services.signin.oauth2_tokens"

    assert constraint in raised.codes(("crownkeep.services.organizations.units", "create_organizational_unit"))
    assert "PackedPolicyTooLarge" in raised.codes(("crownkeep.domain.credentials.issue", "credentials"))
    assert "PackedPolicyTooLarge" not in raised.codes((oauth, "_output"))


def test_every_raise_of_an_operation_can_be_followed_to_its_code():
    rooms = ("crownkeep.services.", "crownkeep.domain.")
    lost = [
        f"{module.name}: {ast.unparse(raising)}"
        for module in modules()
        if module.name.startswith(rooms)
        for raising in ast.walk(module.tree)
        if isinstance(raising, ast.Raise) and isinstance(raising.exc, ast.Call) and not raised.is_followed(module, raising.exc)
    ]

    assert [] == lost


def test_every_error_of_ours_is_raised_by_something_and_known_to_some_model():
    defined = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, AwsError)}
    known = set(error_codes.STATUSES).union(*(models.service(name).errors for name in models.SPOKEN))
    made = frozenset().union(*(raised.codes(place) for place in raised.places("crownkeep")))

    assert {} == {name: kind.code for name, kind in defined.items() if kind.code not in made & known}
