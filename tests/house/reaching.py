"""What functions of ours reach and name: for tests of which operations a page or a command leads to."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import FunctionType, ModuleType

from tests.house.source import Definition, definitions, modules

from crownkeep import services
from crownkeep.operations import registry
from crownkeep.operations.registry import Mode

services.load()

WRITES = {
    name
    for service in registry.services()
    for name in service.served()
    if (found := service.find(name)) is not None and found.mode is Mode.WRITE
}
"""The names of all operations that change something."""


def callers(wanted: Callable[[ast.Attribute], bool]) -> dict[str, Definition]:
    """Return the functions that mention an attribute, by module and name."""
    found = {}
    for module in modules():
        for definition in definitions(module):
            if isinstance(definition.node, ast.ClassDef):
                continue
            if any(isinstance(node, ast.Attribute) and wanted(node) for node in ast.walk(definition.node)):
                found[definition.name.removeprefix("crownkeep.").replace(":", ".")] = definition
    return found


def plain(endpoint: object) -> FunctionType:
    """Return the function behind an endpoint."""
    while isinstance(endpoint, partial):
        endpoint = endpoint.func
    assert isinstance(endpoint, FunctionType)
    return endpoint


def reached(function: FunctionType, *rooms: str) -> Iterator[FunctionType]:
    """Return a function, and those of these rooms that it names, however far away."""
    seen, waiting = set(), [function]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        yield each
        for value in _values(each):
            if isinstance(value, FunctionType) and value.__module__.startswith(rooms):
                waiting.append(value)


def named_operations(function: FunctionType) -> Iterator[str]:
    """Return the operations that a function names, and that change something."""
    for value in _values(function):
        yield from _operations(value)


def texts(function: FunctionType) -> set[str]:
    """Return the texts that a function's source holds or names."""
    return {value for value in _values(function) if isinstance(value, str)}


def _operations(value: object) -> Iterator[str]:
    match value:
        case str() if value in WRITES:
            yield value
        case re.Pattern():
            yield from filter(value.fullmatch, WRITES)
        case Mapping():
            for each in value.values():
                yield from _operations(each)
        case list() | tuple():
            for each in value:
                yield from _operations(each)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                yield from _operations(getattr(value, field.name))


def calls(function: FunctionType) -> Iterator[str]:
    """Return what a function calls, such as `calls.change`."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@cache
def _values(function: FunctionType) -> tuple[object, ...]:
    """Return what a function's source names: constants, globals, and members of modules."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return tuple(value for node in ast.walk(tree) for value in _meant(node, function.__globals__))


def _meant(node: ast.AST, scope: Mapping[str, object]) -> Iterator[object]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str() as verb), *_]) if verb[:1].isupper():
            # A name put together, such as f"Detach{kind}Policy".
            parts = [re.escape(str(each.value)) if isinstance(each, ast.Constant) else "[A-Za-z]+" for each in node.values]
            yield re.compile("".join(parts))
        case ast.Name(id=name) if name in scope:
            yield scope[name]
        case ast.Attribute(value=ast.Name(id=name), attr=member) if isinstance(scope.get(name), ModuleType):
            yield getattr(scope[name], member, None)
