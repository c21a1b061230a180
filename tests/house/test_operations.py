"""Handlers are held against AWS's published models: what they take, and which errors they may raise."""

from __future__ import annotations

import ast
import inspect
from inspect import Parameter

import pytest
from tests.house.source import Module, modules

from crownkeep import errors, services
from crownkeep.errors import AwsError
from crownkeep.gateway import error_codes
from crownkeep.operations import registry
from crownkeep.operations.registry import Operation

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


def test_every_error_that_a_service_raises_is_in_its_model_or_common_to_all():
    strange = []
    for service in registry.services():
        if service.name in OURS:
            continue
        common = _common_codes()
        for module in modules():
            if module.name.startswith(f"crownkeep.services.{service.name.replace('-', '_')}."):
                raised = _raised(module)
                strange += [f"{module.name}: {code}" for code in raised if code not in common | set(service.model.errors)]

    assert [] == strange


def test_every_error_that_is_raised_elsewhere_is_known_to_some_service_or_common_to_all():
    known = _common_codes().union(*(service.model.errors for service in registry.services() if service.name not in OURS))

    raised = {f"{module.name}: {code}" for module in modules() for code in _raised(module) if code not in known}

    assert set() == raised


def _common_codes() -> set[str]:
    return set(error_codes._STATUSES)


def _raised(module: Module) -> list[str]:
    """Return the wire codes of every `raise errors.X(...)`."""
    codes = []
    for node in ast.walk(module.tree):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Attribute(value=ast.Name(id="errors"), attr=name))):
                error = vars(errors)[name]
                if isinstance(error, type) and issubclass(error, AwsError):
                    codes.append(error.code)
    return codes
